/**
 * What a store must hold after its process was killed: every acked batch, nothing torn, nothing
 * out of place. The store's test provides the process; it runs `crashWriter` until it is killed.
 */
import { expect, test } from "vitest"
import { bytesEqual } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import type { AppendBatch, Store } from "../ports/index.ts"
import { append, close, crashBatch, crashOrigin, crashRecord } from "./store-fixtures.ts"
import { read, readClient, readOrigin, testClient, testDocument } from "./store-fixtures.ts"

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

/**
 * Appends `crashBatch`es for ever, from where the log stands; `acked` after each success. In
 * between it folds one document after the other, and truncates what is folded of all.
 */
export async function crashWriter(store: Store, acked: (seq: number) => void): Promise<never> {
  const { origin, heads } = store.opened
  let seq = new Map(heads).get(origin)?.seq ?? 0
  const folds: number[] = Array.from({ length: crashDocuments }, () => 0)
  for (let round = 0; ; round++) {
    const batch = crashBatch(seq)
    await mustAppend(store, batch)
    seq += batch.own.length
    acked(seq)
    if (round % 3 !== 0) continue
    const index = (round / 3) % crashDocuments
    folds[index] = await foldedTo(store, index)
    const last = folds[index] ?? 0
    if (last === 0) continue
    const folded = new VersionVector([
      [origin, last],
      [crashOrigin, last],
    ])
    const state = Uint8Array.of(index)
    // Behind the last that a document has, the next of its own is not folded.
    const floor = Math.min(seq, ...folds.map((to, at) => nextOf(at, to) - 1))
    const snapshots = [{ document: testDocument(`crash-${index}`), state, folded }]
    const floors = [[origin, floor] as const, [crashOrigin, floor] as const]
    await mustAppend(store, { own: [], adopted: [], snapshots, floors })
  }
}

async function mustAppend(store: Store, batch: AppendBatch): Promise<void> {
  const result = await append(store, batch)
  if (!result.ok) throw new Error(result.message)
}

/** Entry `seq` of either origin is in document `seq % crashDocuments`. */
const crashDocuments = 7

/** The first seq behind `seq` that is in the document. */
function nextOf(index: number, seq: number): number {
  let next = seq + 1
  while (next % crashDocuments !== index) next += 1
  return next
}

/**
 * The last seq of the document, in both origins. Its snapshot and its entries are all that was
 * written to it, each once.
 */
async function foldedTo(store: Store, index: number): Promise<number> {
  const document = testDocument(`crash-${index}`)
  const result = await read(store, { type: "document", document, since: new VersionVector() })
  if (result.type !== "document") throw new Error(JSON.stringify(result))
  const found = [store.opened.origin, crashOrigin].map((origin) => {
    let last = result.snapshot?.folded.get(origin) ?? 0
    for (const entry of result.entries.filter((one) => one.origin === origin)) {
      if (entry.seq !== nextOf(index, last)) throw new Error(`entry ${entry.seq} after ${last}`)
      if (!bytesEqual(entry.record, crashRecord(entry.seq))) throw new Error("another record")
      last = entry.seq
    }
    return last
  })
  const [own = 0, other = 0] = found
  if (own !== other) throw new Error(`${document} ends at ${own} and ${other}`)
  return own
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
    const floor = new Map(store.opened.floors).get(held)?.seq ?? 0
    const { run } = await readOrigin(store, held, floor + 1)
    expect(run.records.length).toBe(seq - floor)
    const wrong = run.records.findIndex((record, index) => {
      return !bytesEqual(record, crashRecord(floor + index + 1))
    })
    expect(wrong).toBe(-1)
  }
  for (let index = 0; index < crashDocuments; index++) {
    expect(nextOf(index, await foldedTo(store, index))).toBeGreaterThan(seq)
  }
  expect(await readClient(store, testClient(1))).toBe(seq)
}
