/**
 * What a store must hold after its process was killed: every acked batch, nothing torn, nothing
 * out of place. The store's test provides the process; it runs `crashWriter` until it is killed.
 */
import { expect, test } from "vitest"
import { bytesEqual } from "../base/index.ts"
import type { Store } from "../ports/index.ts"
import { append, close, crashBatch, crashOrigin, crashRecord } from "./store-fixtures.ts"
import { readClient, readOrigin, testClient } from "./store-fixtures.ts"

export type CrashFixture = {
  /**
   * Runs `crashWriter` over the fixture's store in a process of its own and kills it abruptly,
   * at a moment that depends on `round`. Gives the last seq it acked.
   */
  crash(round: number): Promise<number>
  open(): Promise<Store>
  remove(): Promise<void>
}

export type CrashStore = {
  fixture(): Promise<CrashFixture>
  readonly rounds: number
}

/** Appends `crashBatch`es for ever, from where the log stands; `acked` after each success. */
export async function crashWriter(store: Store, acked: (seq: number) => void): Promise<never> {
  const { origin, heads } = store.opened
  let seq = new Map(heads).get(origin)?.seq ?? 0
  for (;;) {
    const batch = crashBatch(seq)
    const result = await append(store, batch)
    if (!result.ok) throw new Error(result.message)
    seq += batch.own.length
    acked(seq)
  }
}

export function storeCrashContract(crashStore: CrashStore): void {
  const { rounds } = crashStore
  test(`killed ${rounds} times while appending: every ack kept, no batch torn`, async () => {
    const crashing = await crashStore.fixture()
    try {
      let ackedBefore = 0
      for (let round = 0; round < rounds; round++) {
        const acked = await crashing.crash(round)
        expect(acked).toBeGreaterThan(ackedBefore)
        ackedBefore = acked
        const store = await crashing.open()
        await checkCrashed(store, acked)
        await close(store)
      }
    } finally {
      await crashing.remove()
    }
  })
}

/** Checks a log written by `crashWriter` against the last seq it acked. */
export async function checkCrashed(store: Store, acked: number): Promise<void> {
  const { origin } = store.opened
  const heads = new Map(store.opened.heads)
  const seq = heads.get(origin)?.seq ?? 0
  expect(seq).toBeGreaterThanOrEqual(acked)
  expect(heads.get(crashOrigin)?.seq ?? 0).toBe(seq)
  let boundary = 0
  while (boundary < seq) boundary += crashBatch(boundary).own.length
  expect(boundary).toBe(seq)
  for (const held of [origin, crashOrigin]) {
    const { run } = await readOrigin(store, held)
    expect(run.records.length).toBe(seq)
    const wrong = run.records.findIndex((record, index) => {
      return !bytesEqual(record, crashRecord(index + 1))
    })
    expect(wrong).toBe(-1)
  }
  expect(await readClient(store, testClient(1))).toBe(seq)
}
