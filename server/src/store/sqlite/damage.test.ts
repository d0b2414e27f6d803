/** Bit rot and torn tails: what the disk gives back is not what was written. */
import { cp, mkdtemp, open, readFile, rm, stat, truncate, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import Database from "better-sqlite3"
import {
  appended,
  checkCrashed,
  close,
  crashBatch,
  read,
  readDocument,
  readOrigin,
  testDocument,
  testOrigin,
  testRecord,
} from "@causeway/crdt/testing"
import { VersionVector } from "@causeway/crdt/clock"
import { chainRecords, emptyHead, encodeRecord } from "@causeway/crdt/log"
import type { ReopenDoubt } from "@causeway/crdt/ports"
import { expect, onTestFinished, test } from "vitest"
import { openHere } from "../test/same-thread.ts"
import { inspectStore } from "../../doctor/inspect-store.ts"
import { repairFolder } from "../../doctor/repair.ts"
import { DATABASE_FILE, entryId } from "./schema.ts"
import type { CorruptEntry } from "../thread/store.ts"

const document = testDocument("a")
const foreign = testOrigin("foreign")
const small = testRecord({ document, body: Uint8Array.of(1) })

async function folder(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "causeway-damage-"))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

async function opened(directory: string, doubt?: ReopenDoubt) {
  const corrupt: CorruptEntry[] = []
  const store = await openHere.sqlite({
    directory,
    node: undefined,
    doubt,
    onCorrupt: (entry) => corrupt.push(entry),
  })
  onTestFinished(() => close(store))
  return { store, corrupt }
}

/** Records with bodies that are nowhere else in the file. */
const records = [1, 2, 3, 4].map((seq) => testRecord({ document, body: bodyOf(seq) }))

function bodyOf(seq: number): Uint8Array {
  return new TextEncoder().encode(`unmistakable body ${seq} `.repeat(8))
}

/** A folder with `records` as the own log and as that of `foreign`. */
async function filled(): Promise<{ directory: string; own: CorruptEntry["origin"] }> {
  const directory = await folder()
  const { store } = await opened(directory)
  const adopted = [{ origin: foreign, firstSeq: 1, records }]
  await appended(store, { own: records, adopted })
  await close(store)
  return { directory, own: store.opened.origin }
}

/** Flips one bit in every copy of record `seq` that the file holds; gives how many. */
async function flipBit(directory: string, seq: number): Promise<number> {
  const path = join(directory, DATABASE_FILE)
  const content = await readFile(path)
  const file = await open(path, "r+")
  let count = 0
  let at = content.indexOf(bodyOf(seq))
  for (; at >= 0; at = content.indexOf(bodyOf(seq), at + 1), count++) {
    await file.write(Uint8Array.of((content[at + 70] ?? 0) ^ 4), 0, 1, at + 70)
  }
  await file.close()
  return count
}

function sql(directory: string, statement: string): void {
  const database = new Database(join(directory, DATABASE_FILE))
  expect(database.prepare(statement).run().changes).toBe(1)
  database.close()
}

test("[E4] a flipped bit costs one entry: opened in doubt, its neighbours come", async () => {
  const { directory, own } = await filled()
  expect(await flipBit(directory, 2)).toBe(2)
  const { store, corrupt } = await opened(directory)
  const query = { type: "document", document, since: new VersionVector() } as const
  for (let round = 0; round < 2; round++) {
    expect(await read(store, query)).toMatchObject({ type: "failed", code: "corrupt" })
  }
  expect(corrupt).toEqual([{ origin: own, seq: 2 }])
  const behind = new VersionVector([
    [own, 2],
    [foreign, 2],
  ])
  expect((await readDocument(store, document, behind)).map(({ seq }) => seq)).toEqual([3, 4, 3, 4])
  expect((await appended(store, { own: [records[0] ?? bodyOf(0)] })).firstSeq).toBe(5)
  await close(store)
  const again = await opened(directory, { why: "corrupt" })
  expect(again.store.opened.renewed).toMatchObject({ salvaged: 5, lostCount: 2 })
  const bodies = (await readDocument(again.store, document)).map(({ record }) => record.length)
  expect(bodies.length).toBe(2 + 5)
  expect(again.corrupt).toEqual([])
})

test("an origin read stops before a corrupt entry, and goes on behind it", async () => {
  const { directory } = await filled()
  await flipBit(directory, 2)
  const { store } = await opened(directory)
  expect((await readOrigin(store, foreign, 1)).run.records).toEqual(records.slice(0, 1))
  const query = { type: "origin", origin: foreign, fromSeq: 2, bytesMax: 1e6 } as const
  expect(await read(store, query)).toMatchObject({ type: "failed", code: "corrupt" })
  const behind = await readOrigin(store, foreign, 3)
  expect(behind.run.records).toEqual(records.slice(2))
  expect(behind.previousHash).toEqual(chainRecords(emptyHead, foreign, records.slice(0, 2)).hash)
})

test("[K8] a page of entries of no document leaves none out: it fails", async () => {
  const directory = await folder()
  const { store } = await opened(directory)
  const retire = encodeRecord({ kind: "retire", atMs: 2, origins: [foreign] })
  await appended(store, { own: [retire, retire, retire, ...records] })
  await close(store)
  const half = "substr(entry, 1, 30) || x'ff' || substr(entry, 32)"
  sql(directory, `UPDATE entries SET entry = CAST(${half} AS BLOB) WHERE id = (1 << 40) + 2`)
  const again = await opened(directory)
  expect(again.store.opened.clusterRecords.map(({ seq }) => seq)).toEqual([1, 3])
  const { origin } = again.store.opened
  const query = { type: "undocumented", after: undefined, limit: 10, bytesMax: 1e6 } as const
  const nothing = new VersionVector()
  const whole = await read(again.store, { ...query, since: nothing })
  expect(whole).toMatchObject({ type: "failed", code: "corrupt" })
  const page = await read(again.store, { ...query, since: nothing, after: { origin, seq: 2 } })
  expect(page).toMatchObject({ type: "undocumented", entries: [{ seq: 3 }] })
})

const withZeroHash = `
  UPDATE entries SET entry = CAST(substr(entry, 1, 4) || zeroblob(16) || substr(entry, 21) AS BLOB)
  WHERE id = (2 << 40) + 2`

test("an origin read never gives a previous hash that is not the chain's", async () => {
  const { directory } = await filled()
  sql(directory, withZeroHash)
  const { store } = await opened(directory)
  const query = { type: "origin", origin: foreign, fromSeq: 3, bytesMax: 1e6 } as const
  expect(await read(store, query)).toMatchObject({ type: "failed", code: "corrupt" })
})

test("a missing entry ends an origin read like a corrupt one", async () => {
  const { directory } = await filled()
  sql(directory, "DELETE FROM entries WHERE id = (2 << 40) + 3")
  const { store } = await opened(directory)
  expect((await readOrigin(store, foreign, 1)).run.records).toEqual(records.slice(0, 2))
  const query = { type: "origin", origin: foreign, fromSeq: 3, bytesMax: 1e6 } as const
  expect(await read(store, query)).toMatchObject({ type: "failed", code: "corrupt" })
})

test("[E2] a corrupt tail of the own log ends that log: a new epoch begins", async () => {
  const { directory, own } = await filled()
  await flipBit(directory, 4)
  const { store, corrupt } = await opened(directory)
  expect(new Set(corrupt)).toEqual(
    new Set([
      { origin: own, seq: 4 },
      { origin: foreign, seq: 4 },
    ]),
  )
  const { node, origin, heads, renewed } = store.opened
  // Where there is one, the whole log is looked through.
  expect(renewed).toMatchObject({ why: "tail", before: own, salvaged: 0, lostCount: 2 })
  expect(new Map(heads).get(foreign)?.seq).toBe(3)
  expect(origin).not.toBe(own)
  expect(origin.startsWith(`${node}@`)).toBe(true)
  expect(new Map(heads).get(origin)).toEqual(emptyHead)
  expect(new Map(heads).get(own)?.seq).toBe(3)
  expect((await appended(store, { own: records })).firstSeq).toBe(1)
  await close(store)
  const again = await opened(directory)
  expect(again.store.opened.origin).toBe(origin)
})

test("[E2] a corrupt tail of an adopted log is found before peers are told its hash", async () => {
  const { directory, own } = await filled()
  // A byte of the stored chain hash, which peers would take for another chain: a fork.
  const half = "substr(entry, 1, 6) || x'ff' || substr(entry, 8)"
  const where = "WHERE id = (2 << 40) + 4"
  sql(directory, `UPDATE entries SET entry = CAST(${half} AS BLOB) ${where}`)
  const { store, corrupt } = await opened(directory)
  expect(corrupt).toEqual([{ origin: foreign, seq: 4 }])
  const { heads, renewed } = store.opened
  expect(renewed).toMatchObject({ why: "corrupt", before: own, salvaged: 0, lostCount: 1 })
  const sound = chainRecords(emptyHead, foreign, records.slice(0, 3))
  expect(new Map(heads).get(foreign)).toEqual(sound)
  expect(new Map(heads).get(own)?.seq).toBe(4)
})

test("a torn or damaged write-ahead log gives a prefix of whole batches", async () => {
  const directory = await folder()
  const { store } = await opened(directory)
  let seq = 0
  for (let batch = 0; batch < 60; batch++) {
    const { firstSeq } = await appended(store, crashBatch(seq))
    seq = firstSeq - 1 + crashBatch(seq).own.length
  }
  const wal = `${DATABASE_FILE}-wal`
  const size = (await stat(join(directory, wal))).size
  const seen: number[] = []
  for (const part of [0.15, 0.4, 0.65, 0.9]) {
    const copy = await folder()
    await cp(directory, copy, { recursive: true })
    await truncate(join(copy, wal), Math.floor(size * part))
    const torn = await opened(copy)
    await checkCrashed(torn.store, 1)
    expect(torn.corrupt).toEqual([])
    const since = new VersionVector()
    const query = { type: "document", document: testDocument("crash-1"), since } as const
    expect(await read(torn.store, query)).toMatchObject({ type: "document" })
    seen.push(new Map(torn.store.opened.heads).get(torn.store.opened.origin)?.seq ?? 0)
    await close(torn.store)
  }
  expect([...seen].sort((left, right) => left - right)).toEqual(seen)
  expect(seen.at(-1)).toBeLessThan(seq)
})

/** As SQLite writes a key. */
function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; rest > 0; rest = Math.floor(rest / 128)) bytes.unshift((rest % 128) | 128)
  const last = bytes.length - 1
  return Buffer.from(bytes.map((byte, index) => (index === last ? byte & 127 : byte)))
}

test("[E4] a page whose keys are out of order is left to the doctor", async () => {
  const directory = await folder()
  const { store } = await opened(directory)
  await appended(store, { own: Array.from({ length: 40 }, () => small) })
  await close(store)
  const path = join(directory, DATABASE_FILE)
  const content = await readFile(path)
  const at = content.indexOf(varint(entryId(1, 29)))
  expect(at).toBeGreaterThan(0)
  varint(entryId(1, 5)).copy(content, at)
  await writeFile(path, content)
  await expect(opened(directory, { why: "corrupt" })).rejects.toMatchObject({
    code: "damaged",
    message: expect.stringContaining("causeway doctor"),
  })
  const before = await inspectStore(directory, () => {})
  expect(before.findings.map(({ kind }) => kind)).toContain("pages")
  await repairFolder(directory, before, "now", () => {})
  expect(await inspectStore(directory, () => {})).toMatchObject({ findings: [] })
  const repaired = await opened(directory)
  expect(await readDocument(repaired.store, document)).toHaveLength(39)
})
