/** The small parts of the SQLite store, each against what it stands for. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import Database from "better-sqlite3"
import fc from "fast-check"
import { bytesEqual, InvariantError } from "@causeway/crdt/base"
import { chainHash } from "@causeway/crdt/log"
import { testDocument, testOrigin, testRecord } from "@causeway/crdt/testing"
import { expect, onTestFinished, test } from "vitest"
import { Appender } from "./appender.ts"
import { GenerationCache } from "../cache.ts"
import { Checkpoints, WalOverflowError } from "./checkpoints.ts"
import { DocumentRows } from "./documents.ts"
import { FloorCheck } from "./floor-check.ts"
import { HeldOrigins } from "./heads.ts"
import {
  decodeAppend,
  decodeAppendResult,
  encodeAppend,
  encodeAppended,
  encodeAppendFailure,
  EntryPacker,
  unpackEntries,
} from "../thread/messages.ts"
import { openDatabase } from "./open.ts"
import { entryId, lastEntryId, ORIGIN_ROWS_MAX, seqOf } from "./schema.ts"
import { Side } from "./side.ts"
import { Snapshots } from "./snapshots.ts"
import { hashOf, isSound, RECORD_OFFSET, saltOf, seal } from "../seal.ts"

const origins = ["a", "Node_1.-", "n".repeat(64)].map((node) => testOrigin(node))
const anyOrigin = fc.constantFrom(...origins)
const anySeq = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.nat(2 ** 40 - 2))
const anyHash = fc.uint8Array({ minLength: 16, maxLength: 16 })
// Around the size of the scratch area, where the seal changes its way of working.
const anyRecord = fc.oneof(
  fc.uint8Array({ maxLength: 400 }),
  fc.integer({ min: 65_300, max: 65_600 }).map((size) => new Uint8Array(size).fill(size)),
)

test("a seal's hash is the chain's hash, and its entry is sound where it belongs alone", () => {
  fc.assert(
    fc.property(anyHash, anyOrigin, anySeq, anyRecord, (previous, origin, seq, record) => {
      const by = { origin, salt: saltOf(origin) }
      const { hash, entry } = seal(previous, by, seq, record)
      expect(new Uint8Array(hash)).toEqual(chainHash(previous, origin, seq, record))
      expect(new Uint8Array(hashOf(entry))).toEqual(new Uint8Array(hash))
      expect(bytesEqual(entry.subarray(RECORD_OFFSET), record)).toBe(true)
      expect(isSound(by, seq, entry)).toBe(true)
      expect(isSound(by, seq + 1, entry)).toBe(false)
      expect(isSound({ origin, salt: by.salt ^ 1 }, seq, entry)).toBe(false)
    }),
  )
})

test("any flipped bit of an entry, and any cut, shows", () => {
  const by = { origin: testOrigin("a"), salt: saltOf(testOrigin("a")) }
  const sealed = seal(new Uint8Array(16), by, 7, Uint8Array.of(1, 2, 3, 4, 5)).entry
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const flipped = Buffer.from(sealed)
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(isSound(by, 7, flipped)).toBe(false)
  }
  for (let length = 0; length < sealed.length; length++) {
    expect(isSound(by, 7, sealed.subarray(0, length))).toBe(false)
  }
})

test("golden bytes of an entry: databases are made of them", () => {
  const origin = testOrigin("a")
  const { entry } = seal(
    new Uint8Array(16),
    { origin, salt: saltOf(origin) },
    300,
    Uint8Array.of(9),
  )
  expect(entry.toString("hex")).toBe("3c0068e8671265d8ad59e4899070def0e863aece09")
})

test("an append and its result survive the way between the threads", () => {
  const records = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 5 })
  const run = fc.record({ origin: anyOrigin, firstSeq: anySeq, records })
  const batch = fc.record({ own: records, adopted: fc.array(run, { maxLength: 3 }) })
  const plain = (value: Uint8Array) => new Uint8Array(value)
  fc.assert(
    fc.property(batch, (given) => {
      const { own, adopted } = decodeAppend(encodeAppend(given))
      expect(own.map(plain)).toEqual(given.own)
      expect(adopted.map((got) => ({ ...got, records: got.records.map(plain) }))).toEqual(
        given.adopted,
      )
    }),
  )
  const heads = fc.array(fc.record({ seq: anySeq, hash: anyHash }), { maxLength: 3 })
  fc.assert(
    fc.property(anySeq, heads, (firstSeq, given) => {
      const touched = origins.slice(0, given.length)
      const expected = touched.map((origin, index) => [origin, given[index]])
      const result = decodeAppendResult(encodeAppended({ firstSeq, heads: given }), touched)
      expect(result).toEqual({ ok: true, firstSeq, heads: expected })
    }),
  )
  for (const code of ["store-full", "store-failed"] as const) {
    const failure = { ok: false, code, message: "voilà" } as const
    expect(decodeAppendResult(encodeAppendFailure(failure), [])).toEqual(failure)
  }
})

test("entries packed for the main thread come out as they went in", () => {
  const entry = fc.record({ origin: anyOrigin, seq: anySeq, record: anyRecord })
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 8 }), (entries) => {
      const packer = new EntryPacker()
      for (const { origin, seq, record } of entries) {
        packer.push(origins.indexOf(origin), seq, record)
      }
      expect(packer.count).toBe(entries.length)
      expect(unpackEntries(packer.finish(), origins)).toEqual(entries)
    }),
  )
})

test("an entry's key holds origin and seq apart, up to both bounds", () => {
  const seqMax = 2 ** 40 - 1
  for (const row of [1, 2, ORIGIN_ROWS_MAX]) {
    for (const seq of [0, 1, seqMax]) expect(seqOf(entryId(row, seq))).toBe(seq)
    expect(lastEntryId(row)).toBe(entryId(row, seqMax))
    expect(lastEntryId(row)).toBeLessThan(entryId(row, 0) + 2 ** 40)
  }
  expect(Number.isSafeInteger(lastEntryId(ORIGIN_ROWS_MAX))).toBe(true)
  expect(() => entryId(ORIGIN_ROWS_MAX + 1, 1)).toThrow(InvariantError)
  expect(() => entryId(1, seqMax + 1)).toThrow(InvariantError)
  expect(() => entryId(0, 1)).toThrow(InvariantError)
})

test("the cache stays within its bound and keeps what is in use", () => {
  const cache = new GenerationCache<string, number>(10)
  cache.set("kept", 1)
  for (let index = 0; index < 100; index++) {
    cache.set(`key ${index}`, index)
    expect(cache.get("kept")).toBe(1)
    expect(cache.size).toBeLessThanOrEqual(10)
  }
  expect(cache.get("key 99")).toBe(99)
  expect(cache.get("key 0")).toBeUndefined()
  cache.clear()
  expect(cache.get("kept")).toBeUndefined()
})

function folder(): string {
  const directory = mkdtempSync(join(tmpdir(), "causeway-parts-"))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

test("a WAL that can't be checkpointed is bounded, and shrinks when it can", () => {
  const file = join(folder(), "a.sqlite")
  const database = new Database(file)
  database.pragma("journal_mode = WAL")
  database.pragma("wal_autocheckpoint = 0")
  database.exec("CREATE TABLE t (x)")
  const reader = new Database(file)
  onTestFinished(() => [reader, database].forEach((open) => open.close()))
  reader.exec("BEGIN; SELECT * FROM t")
  const checkpoints = new Checkpoints(database, () => undefined, { framesDue: 5, framesMax: 40 })
  const insert = database.prepare("INSERT INTO t VALUES (randomblob(3000))")
  const write = () => {
    checkpoints.makeRoom()
    insert.run()
    checkpoints.runIfDue()
  }
  expect(() => {
    for (let count = 0; count < 100; count++) write()
  }).toThrow(WalOverflowError)
  expect(checkpoints.waiting()).toBeGreaterThan(40)
  expect(checkpoints.waiting()).toBeLessThan(50)
  reader.exec("COMMIT")
  write()
  expect(checkpoints.waiting()).toBeLessThan(10)
})

test("a database that is full refuses the batch whole, and takes the next", () => {
  const directory = folder()
  const database = openDatabase(directory)
  onTestFinished(() => void database.close())
  const held = new HeldOrigins(database)
  const documents = new DocumentRows(database)
  const own = testOrigin("own")
  held.set(held.insert(own))
  const snapshots = new Snapshots(database)
  const side = new Side(database)
  const tables = { origins: held, documents, snapshots }
  const floorCheck = new FloorCheck(database, tables)
  const appender = new Appender(database, own, { ...tables, side, floorCheck })
  const records = [testRecord({ document: testDocument("a"), body: new Uint8Array(20_000) })]
  expect(appender.append({ own: records, adopted: [] }).firstSeq).toBe(1)
  database.pragma("max_page_count = 20")
  const document = testDocument("new")
  const more = Array.from({ length: 5 }, () =>
    testRecord({ document, body: new Uint8Array(20_000) }),
  )
  const adopted = [{ origin: testOrigin("foreign"), firstSeq: 1, records }]
  const full = expect.objectContaining({ code: "SQLITE_FULL" })
  expect(() => appender.append({ own: more, adopted })).toThrow(full)
  expect(documents.find(document)).toBeUndefined()
  database.pragma("max_page_count = 100000")
  const { firstSeq, heads } = appender.append({ own: more, adopted })
  expect([firstSeq, ...heads.map((head) => head.seq)]).toEqual([2, 6, 1])
})
