/** Records of a client's storage are torn or flipped: each costs itself, and no other. */
import { expect, test } from "vitest"
import { documentIdOf, parseClientId, parseOriginId } from "@causeway/crdt/base"
import { VersionVector } from "@causeway/crdt/clock"
import type { DocumentReadResult, LoadResult, StorageWrite } from "@causeway/crdt/ports"
import type { Operation, RecordDatabase } from "./database.ts"
import { RecordStorage } from "./record-storage.ts"

/** Keys as latin1, which sorts as bytes do. */
class MemoryRecords implements RecordDatabase {
  readonly records = new Map<string, Uint8Array>()

  async open(): Promise<void> {}
  async close(): Promise<void> {}

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.records.get(latin1(key))
  }

  async *range(
    from: Uint8Array,
    to: Uint8Array,
  ): AsyncGenerator<readonly [Uint8Array, Uint8Array]> {
    const keys = [...this.records.keys()].filter((key) => key >= latin1(from) && key < latin1(to))
    for (const key of keys.toSorted()) {
      const value = this.records.get(key)
      if (value !== undefined) yield [Buffer.from(key, "latin1"), value]
    }
  }

  async batch(operations: readonly Operation[]): Promise<void> {
    for (const [key, value] of operations) {
      if (value === undefined) this.records.delete(latin1(key))
      else this.records.set(latin1(key), value)
    }
  }
}

function latin1(key: Uint8Array): string {
  return Buffer.from(key).toString("latin1")
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("well-formed")
  return value
}

const first = must(parseClientId("0".repeat(32)))
const second = must(parseClientId("1".repeat(32)))
const notes = must(documentIdOf("yjs", "notes"))
const plans = must(documentIdOf("yjs", "plans"))
const origin = must(parseOriginId("n1@0000000000000001"))
const resume = new VersionVector([[origin, 9]])
/** What is named of records of the client itself, by the first letter of their keys. */
const kinds = new Map([
  ["c", "identity"],
  ["n", "identity"],
  ["o", "outbox"],
  ["r", "rejected"],
  ["t", "tiers"],
])

function typed(seq: number, document = notes) {
  return { seq, document, generation: 1, bytes: Uint8Array.of(seq, 255) }
}

const writes: readonly StorageWrite[] = [
  ...[1, 2, 3, 4].map((seq) => ({ type: "outbox-add", update: typed(seq) }) as const),
  { type: "rejected-add", update: { ...typed(5, plans), code: "too-large", message: "" } },
  { type: "tiers", state: Uint8Array.of(1, 2, 3) },
  ...[notes, plans].flatMap((document) =>
    [0, 1, 2].map((byte) => {
      const updates = [Uint8Array.of(byte, 7)]
      return { type: "document-append", document, generation: 1, updates, resume } as const
    }),
  ),
]

async function filled(): Promise<MemoryRecords> {
  const database = new MemoryRecords()
  const storage = new RecordStorage(database, { flushMs: 0 })
  await load(storage)
  // In turn: appends of one batch might share a record.
  for (const write of writes) await new Promise<unknown>((done) => storage.write([write], done))
  return database
}

function load(storage: RecordStorage, fresh = first): Promise<LoadResult> {
  return new Promise((resolve) => storage.load(fresh, resolve))
}

function read(storage: RecordStorage, document = notes): Promise<DocumentReadResult> {
  return new Promise((resolve) => storage.read(document, resolve))
}

/** Turns a bit of the value, or ends it there; `at` is a part of its length, below 1. */
function damage({ records }: MemoryRecords, key: string, at: number, isTorn: boolean): void {
  const value = Uint8Array.from(must(records.get(key)))
  const index = Math.floor(at * value.length)
  value[index] = (value[index] ?? 0) ^ 4
  records.set(key, isTorn ? value.subarray(0, index) : value)
}

/** The last bytes of the keys with that letter, or of those of the document. */
function endsOf(keys: ReadonlySet<string>, letter: string, name = ""): number[] {
  const mine = [...keys].filter((key) => key[0] === letter && key.includes(name))
  return mine.map((key) => key.charCodeAt(key.length - 1))
}

async function checkClient(storage: RecordStorage, hit: ReadonlySet<string>): Promise<void> {
  const loaded = await load(storage, second)
  if (!loaded.ok) throw new Error(loaded.message)
  const { outbox, rejected, nextSeq, client, tiers, damaged } = loaded.stored
  const lost = endsOf(hit, "o")
  expect(outbox).toEqual([1, 2, 3, 4].filter((seq) => !lost.includes(seq)).map((seq) => typed(seq)))
  expect(rejected.map(({ seq }) => seq)).toEqual(endsOf(hit, "r").length > 0 ? [] : [5])
  expect(nextSeq).toBe(6)
  const isNew = hit.has("c") || hit.has("n")
  expect(client).toBe(isNew ? second : first)
  // They are of another client's numbers.
  expect(tiers).toEqual(isNew || hit.has("t") ? undefined : Uint8Array.of(1, 2, 3))
  const expected = [...hit].flatMap((key) => kinds.get(key[0] ?? "") ?? [])
  expect(new Set(damaged.map(({ kind }) => kind))).toEqual(new Set(expected))
}

async function checkCopy(
  storage: RecordStorage,
  hit: ReadonlySet<string>,
  name: "notes" | "plans",
): Promise<void> {
  const document = name === "notes" ? notes : plans
  const result = await read(storage, document)
  if (!result.ok) throw new Error(result.message)
  const lost = endsOf(hit, "e", name)
  const isWhole = lost.length === 0 && endsOf(hit, "d", name).length === 0
  const bytes = result.stored?.updates.map(([byte]) => byte) ?? []
  expect(bytes).toEqual([0, 1, 2].filter((byte) => !lost.includes(byte)))
  expect(result.stored?.resume?.get(origin)).toBe(isWhole ? 9 : undefined)
  expect(result.damaged).toEqual(isWhole ? [] : [{ kind: "document", document }])
}

const places = [0, 0.3, 0.6, 0.99]

test("[C10] whatever is torn or flipped, each is named and others are there", async () => {
  const keys = [...(await filled()).records.keys()]
  expect(keys).toHaveLength(16)
  const pairs = keys.flatMap((one, at) => keys.slice(at).map((other) => [one, other]))
  for (const [index, pair] of pairs.entries()) {
    const database = await filled()
    const hit = new Set(pair)
    for (const key of hit) damage(database, key, places[index % 4] ?? 0, index % 3 === 0)
    const storage = new RecordStorage(database, { flushMs: 0 })
    await checkClient(storage, hit)
    await checkCopy(storage, hit, "notes")
    await checkCopy(storage, hit, "plans")
    // Nothing of it is thrown away, and nobody is told of it twice.
    const aside = [...database.records.keys()].filter((key) => key.startsWith("q"))
    expect(new Set(aside.map((key) => key.slice(1)))).toEqual(hit)
    const again = await load(new RecordStorage(database, { flushMs: 0 }))
    expect(again).toMatchObject({ ok: true, stored: { damaged: [] } })
  }
})
