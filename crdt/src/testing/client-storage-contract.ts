/**
 * What every client storage must do, in memory or on disk. `open` gives a storage over the same
 * data each time; the one given before is closed by then.
 */
import { describe, expect, test } from "vitest"
import { assert, documentIdOf, parseClientId, parseOriginId } from "../base/index.ts"
import type { DocumentId } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import type {
  ClientStorage,
  DocumentEntry,
  RejectedUpdate,
  StorageWrite,
  StoredClient,
  StoredDocument,
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
/** Of which the other's name is the beginning. */
const longer = must(documentIdOf("yjs", "notes 2"))
const origin = must(parseOriginId("n1@0000000000000001"))

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

function read(storage: ClientStorage, of = document): Promise<StoredDocument | undefined> {
  return new Promise((resolve, reject) => {
    storage.read(of, (result) => {
      if (!result.ok) reject(new Error(result.message))
      else if (result.damaged.length > 0) reject(new Error("the document is damaged"))
      else resolve(result.stored)
    })
  })
}

function list(storage: ClientStorage): Promise<readonly DocumentEntry[]> {
  return new Promise((resolve, reject) => {
    storage.list((result) => {
      if (result.ok) resolve(result.documents)
      else reject(new Error(result.message))
    })
  })
}

function vector(seq: number): VersionVector {
  return new VersionVector([[origin, seq]])
}

type Appended = {
  readonly of?: DocumentId
  readonly generation?: number
  readonly resume?: number
}

function append(bytes: readonly number[], options: Appended = {}): StorageWrite {
  const { of = document, generation = 1, resume } = options
  const updates = bytes.map((byte) => Uint8Array.of(byte, 255, 0))
  const reached = resume === undefined ? undefined : vector(resume)
  return { type: "document-append", document: of, generation, updates, resume: reached }
}

/** First bytes of the updates, in their order, and the resume point. */
function shown(stored: StoredDocument | undefined): unknown {
  if (stored === undefined) return undefined
  const { generation, updates, resume } = stored
  return [generation, updates.map(([byte]) => byte), resume?.get(origin)]
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
    expect(await after()).toEqual({ ...stored, damaged: [] })
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

  test("[C3] what is tried again leaves the shelf and is in the outbox, in one step", async () => {
    const reject: StorageWrite = { type: "rejected-add", update: rejectedOf(1) }
    const retry: StorageWrite = { type: "outbox-add", update: updateOf(3), shelved: 1 }
    const expected = { outbox: [updateOf(2), updateOf(3)], rejected: [], nextSeq: 4 }
    expect(await after([added(1), added(2)], [reject], [retry])).toMatchObject(expected)
    expect(await after([added(1), added(2), reject, retry], [retry])).toMatchObject(expected)
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

  describe("documents", () => {
    async function copyAfter(...batches: StorageWrite[][]): Promise<unknown> {
      const { open } = make()
      const storage = open()
      await load(storage)
      for (const batch of batches) await write(storage, ...batch)
      const before = shown(await read(storage))
      await close(storage)
      const again = open()
      await load(again, second)
      expect(shown(await read(again))).toEqual(before)
      await close(again)
      return before
    }

    test("[C8] what was appended is there, with the last resume point", async () => {
      expect(await copyAfter([])).toBeUndefined()
      expect(await copyAfter([append([1], { resume: 1 })], [append([2, 3])])).toEqual([
        1,
        [1, 2, 3],
        1,
      ])
      const replaced = await copyAfter([append([1], { resume: 1 }), append([2], { resume: 4 })])
      expect(replaced).toEqual([1, [1, 2], 4])
      expect(await copyAfter([append([1])])).toEqual([1, [1], undefined])
      expect(await copyAfter([append([], { resume: 2 })])).toEqual([1, [], 2])
    })

    test("[C9] a state takes the place of all there was", async () => {
      const state = Uint8Array.of(9, 9)
      const replace: StorageWrite = {
        type: "document-replace",
        document,
        generation: 1,
        state,
        resume: vector(5),
      }
      const before = [append([1, 2], { resume: 4 }), append([3])]
      expect(await copyAfter(before, [replace])).toEqual([1, [9], 5])
      expect(await copyAfter([...before, replace, append([4])])).toEqual([1, [9, 4], 5])
      expect(await copyAfter([replace], [replace], [append([4], { resume: 6 })])).toEqual([
        1,
        [9, 4],
        6,
      ])
    })

    test("[R7] what is of a later generation begins anew, of an earlier is ignored", async () => {
      const [first1, later] = [append([1], { resume: 7 }), append([2], { generation: 2 })]
      expect(await copyAfter([first1], [later])).toEqual([2, [2], undefined])
      expect(await copyAfter([first1, later, append([3])])).toEqual([2, [2], undefined])
      const remove: StorageWrite = { type: "document-remove", document, generation: 1 }
      expect(await copyAfter([first1], [remove])).toBeUndefined()
      expect(await copyAfter([later], [remove])).toEqual([2, [2], undefined])
      expect(await copyAfter([first1, remove, append([5])])).toEqual([1, [5], undefined])
    })

    test("[C13] a copy is removed with what was typed there, whole, and nothing else", async () => {
      const { open } = make()
      const storage = open()
      await load(storage)
      const rejected: StorageWrite = { type: "rejected-add", update: rejectedOf(2) }
      await write(storage, added(1), rejected, added(3), added(4), append([1], { resume: 1 }))
      await write(storage, append([2]), append([7], { of: longer }))
      const remove: StorageWrite = {
        type: "document-remove",
        document,
        generation: Number.MAX_SAFE_INTEGER,
        discarded: [1, 3, 2],
      }
      await write(storage, append([3]), remove)
      expect(await list(storage)).toMatchObject([{ document: longer }])
      await close(storage)
      const again = open()
      const left = await load(again)
      expect(left).toMatchObject({ outbox: [updateOf(4)], rejected: [], nextSeq: 5 })
      expect(await read(again)).toBeUndefined()
      expect(shown(await read(again, longer))).toEqual([1, [7], undefined])
      await write(again, remove, append([9], { resume: 9 }))
      expect(shown(await read(again))).toEqual([1, [9], 9])
      await close(again)
    })

    test("[C8] a write of several kinds is there as a whole", async () => {
      const { open } = make()
      const storage = open()
      await load(storage)
      await write(storage, added(1), added(2))
      await write(storage, append([1], { resume: 1 }), { type: "outbox-trim", seq: 1 }, added(3))
      await close(storage)
      const again = open()
      expect((await load(again)).outbox.map(({ seq }) => seq)).toEqual([2, 3])
      expect(shown(await read(again))).toEqual([1, [1], 1])
      await close(again)
    })

    test("documents are told apart, and listed in order with what they take", async () => {
      const storage = make().open()
      await load(storage)
      await write(storage, append([1, 2], { of: longer, generation: 3 }), append([7]))
      expect(shown(await read(storage))).toEqual([1, [7], undefined])
      expect(shown(await read(storage, longer))).toEqual([3, [1, 2], undefined])
      expect(await list(storage)).toEqual([
        { document, generation: 1, bytes: 3 },
        { document: longer, generation: 3, bytes: 6 },
      ])
      await write(storage, { type: "document-remove", document, generation: 1 })
      expect((await list(storage)).map((entry) => entry.document)).toEqual([longer])
      await close(storage)
    })

    test("a read gives what was written before it was called, and nothing after", async () => {
      const storage = make().open()
      await load(storage)
      const writes = [write(storage, append([1]))]
      const between = read(storage)
      writes.push(write(storage, append([2])))
      expect(shown(await between)).toEqual([1, [1], undefined])
      await Promise.all(writes)
      await close(storage)
    })

    test("many appends and rewrites come out as one after the other", async () => {
      const storage = make().open()
      await load(storage)
      const expected: number[] = []
      for (let round = 0; round < 5; round++) {
        for (let byte = 1; byte <= 30; byte++) {
          await write(storage, append([byte], { resume: round * 100 + byte }))
          expected.push(byte)
        }
        const state = Uint8Array.of(200 + round)
        const generation = 1
        await write(storage, {
          type: "document-replace",
          document,
          generation,
          state,
          resume: vector(round * 100 + 30),
        })
        expected.splice(0, expected.length, 200 + round)
      }
      expect(shown(await read(storage))).toEqual([1, expected, 430])
      await close(storage)
    })
  })
}
