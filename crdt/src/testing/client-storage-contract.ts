/**
 * What every client storage must do, in memory or on disk. `open` gives a storage over the same
 * data each time; the one given before is closed by then.
 */
import { expect, test } from "vitest"
import { assert, documentIdOf, parseClientId } from "../base/index.ts"
import type {
  ClientStorage,
  RejectedUpdate,
  StorageWrite,
  StoredClient,
  StoredUpdate,
} from "../ports/index.ts"

export type StorageUnderTest = { readonly open: () => ClientStorage }

function must<T>(value: T | undefined): T {
  assert(value !== undefined, "the suite's own values parse")
  return value
}

const clients = ["00", "11"].map((byte) => must(parseClientId(byte.repeat(16))))
const first = must(clients[0])
const second = must(clients[1])
const document = must(documentIdOf("yjs", "notes"))

function updateOf(seq: number): StoredUpdate {
  return { seq, document, generation: seq - 1, bytes: Uint8Array.of(seq, 0, 255) }
}

function rejectedOf(seq: number): RejectedUpdate {
  return { ...updateOf(seq), code: "too-large", message: "no" }
}

function added(seq: number): StorageWrite {
  return { type: "outbox-add", update: updateOf(seq) }
}

function load(storage: ClientStorage, fresh = first): Promise<StoredClient> {
  return new Promise((resolve, reject) => {
    storage.load(fresh, (result) => {
      if (result.ok) resolve(result.stored)
      else reject(new Error(result.message))
    })
  })
}

function write(storage: ClientStorage, ...writes: StorageWrite[]): Promise<void> {
  return new Promise((resolve, reject) => {
    storage.write(writes, (result) => {
      if (result.ok) resolve()
      else reject(new Error(result.message))
    })
  })
}

function close(storage: ClientStorage): Promise<void> {
  return new Promise((resolve) => storage.close(resolve))
}

/** Adds the suite's tests; `make` gives fresh data for each. */
export function clientStorageContract(make: () => StorageUnderTest): void {
  /** Writes batches, reopens, and gives what is there. */
  async function after(...batches: StorageWrite[][]): Promise<StoredClient> {
    const { open } = make()
    const storage = open()
    await load(storage)
    for (const batch of batches) await write(storage, ...batch)
    await close(storage)
    const again = open()
    const stored = await load(again, second)
    await close(again)
    return stored
  }

  test("new storage takes the fresh identity, and keeps it", async () => {
    const stored = { client: first, outbox: [], nextSeq: 1, rejected: [], tiers: undefined }
    expect(await after()).toEqual(stored)
  })

  test("a new identity replaces the old one", async () => {
    expect((await after([{ type: "client", client: second }])).client).toBe(second)
  })

  test("what was added is there in order, with the next number", async () => {
    const stored = await after([added(1)], [added(2), added(3)])
    expect(stored.outbox).toEqual([updateOf(1), updateOf(2), updateOf(3)])
    expect(stored.nextSeq).toBe(4)
  })

  test("what was trimmed is gone, and its numbers are never given again", async () => {
    const stored = await after([added(1), added(2), added(3)], [{ type: "outbox-trim", seq: 2 }])
    expect(stored.outbox).toEqual([updateOf(3)])
    const empty = await after([added(1), { type: "outbox-trim", seq: 1 }])
    expect(empty).toMatchObject({ outbox: [], nextSeq: 2 })
  })

  test("[C3] what was rejected moves to the shelf until the app took care of it", async () => {
    const reject: StorageWrite = { type: "rejected-add", update: rejectedOf(1) }
    const stored = await after([added(1), added(2)], [reject])
    expect(stored.outbox).toEqual([updateOf(2)])
    expect(stored.rejected).toEqual([rejectedOf(1)])
    const dismissed = await after([added(1)], [reject], [{ type: "rejected-remove", seq: 1 }])
    expect(dismissed).toMatchObject({ outbox: [], rejected: [], nextSeq: 2 })
  })

  test("a number that was rejected at once is never given again", async () => {
    const stored = await after([{ type: "rejected-add", update: rejectedOf(7) }])
    expect(stored.nextSeq).toBe(8)
  })

  test("[T8] of how far updates are saved what was written last is there", async () => {
    const tiers = (...state: number[]): StorageWrite => {
      return { type: "tiers", state: Uint8Array.from(state) }
    }
    const stored = await after([tiers(1, 2, 3)], [added(1), tiers(0, 255)])
    expect(stored.tiers).toEqual(Uint8Array.of(0, 255))
    expect((await after([tiers()])).tiers).toEqual(Uint8Array.of())
  })

  test("writes repeated change nothing", async () => {
    const batch = [added(1), added(2), { type: "outbox-trim", seq: 1 } as const]
    expect(await after(batch, batch)).toEqual(await after(batch))
  })

  test("results come in the order of the calls, and never inside one", async () => {
    const storage = make().open()
    await load(storage)
    const order: string[] = []
    const writes = [1, 2, 3].map((seq) => {
      return new Promise<void>((resolve) => {
        storage.write([added(seq)], () => {
          order.push(`done ${seq}`)
          resolve()
        })
        order.push(`called ${seq}`)
      })
    })
    await Promise.all(writes)
    await close(storage)
    const expected = ["called 1", "called 2", "called 3", "done 1", "done 2", "done 3"]
    expect(order).toEqual(expected)
  })
}
