/** Real folders, damaged in every way that comes to mind: rules [B5] [B6] [B7]. */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import Database from "better-sqlite3"
import { VersionVector } from "@causeway/crdt/clock"
import { appended, close, testDocument, testOrigin, testRecord } from "@causeway/crdt/testing"
import * as fc from "fast-check"
import { afterAll, afterEach, describe, expect, test } from "vitest"
import { doctor } from "../cli/doctor.ts"
import { BOOT_FILE } from "../store/boot-record.ts"
import { StoreOpenError } from "../store/index.ts"
import { RECORD_OFFSET, saltOf, seal } from "../store/seal.ts"
import { DATABASE_FILE, entryId } from "../store/sqlite/schema.ts"
import { openHere } from "../store/test/same-thread.ts"
import { Cleanup } from "../test/cleanup.ts"
import { Findings, lostRangesMax } from "./findings.ts"
import type { FindingKind } from "./findings.ts"
import { inspectFolder } from "./inspect.ts"
import { RawDatabase } from "./raw-database.ts"
import { repairFolder } from "./repair.ts"

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

const foreign = testOrigin("foreign")
const documents = Array.from({ length: 40 }, (_, index) => testDocument(`document-${index}`))

function bodyOf(seq: number): Uint8Array {
  return new TextEncoder().encode(`unmistakable body ${seq}; `.repeat(6))
}

function recordsFrom(first: number, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => {
    const seq = first + index
    const document = documents[seq % documents.length] ?? testDocument("a")
    return testRecord({ document, body: bodyOf(seq), author: [1, seq] })
  })
}

async function opened(directory: string) {
  return await openHere.sqlite({ directory, node: undefined })
}

const kept = new Cleanup()
afterAll(() => kept.run())
let sample: string | undefined

/** A folder with 400 own entries and 400 of another origin; a fresh copy each time. */
async function filled(): Promise<string> {
  if (sample === undefined) {
    sample = kept.folder()
    const store = await opened(sample)
    for (let first = 1; first <= 400; first += 50) {
      const adopted = [{ origin: foreign, firstSeq: first, records: recordsFrom(first, 50) }]
      await appended(store, { own: recordsFrom(first + 1000, 50), adopted })
    }
    await close(store)
  }
  const directory = cleanup.folder()
  cpSync(sample, directory, { recursive: true })
  return directory
}

function inspect(directory: string) {
  return inspectFolder(directory, () => {})
}

function kinds(directory: string): FindingKind[] {
  return [...new Set(inspect(directory).findings.map(({ kind }) => kind))]
}

let repairs = 0

async function repair(directory: string) {
  repairs += 1
  return await repairFolder(directory, inspect(directory), `repair-${repairs}`, () => {})
}

function sql(directory: string, statement: string): number {
  const database = new Database(join(directory, DATABASE_FILE))
  try {
    return database.prepare(statement).run().changes
  } finally {
    database.pragma("wal_checkpoint(TRUNCATE)")
    database.close()
  }
}

/** Every file with its bytes. */
function snapshot(directory: string): Map<string, string> {
  return new Map(
    readdirSync(directory)
      .toSorted((left, right) => (left < right ? -1 : 1))
      .map((name) => [name, readFileSync(join(directory, name)).toString("base64")]),
  )
}

/** How many different updates the folder's log has, read without our own code. */
function held(directory: string): number {
  const database = new Database(join(directory, DATABASE_FILE), { readonly: true })
  const bodies = new Set<string>()
  const select = database.prepare<[], { entry: Buffer }>("SELECT entry FROM entries")
  for (const { entry } of select.iterate()) {
    bodies.add(/body (\d+);/.exec(entry.toString("latin1"))?.[1] ?? "?")
  }
  database.close()
  return bodies.size
}

describe("a sound folder", () => {
  test("[B5] [B6] is sound, and not a byte of it changes", async () => {
    const directory = await filled()
    const before = snapshot(directory)
    const inspection = inspect(directory)
    expect(inspection).toMatchObject({ findings: [], lost: [], entries: 800, documents: 40 })
    expect(inspection.clients).toBe(1)
    expect(inspection.vector).toEqual({ [foreign]: 400, [inspection.origin ?? ""]: 400 })
    expect(snapshot(directory)).toEqual(before)
  })

  test("[B5] with a write-ahead log that a crash left, too", async () => {
    const directory = await filled()
    const store = await opened(directory)
    await appended(store, { own: recordsFrom(2000, 30) })
    const crashed = cleanup.folder()
    cpSync(directory, crashed, { recursive: true })
    await close(store)
    expect(statSync(join(crashed, `${DATABASE_FILE}-wal`)).size).toBeGreaterThan(0)
    const before = snapshot(crashed)
    expect(inspect(crashed)).toMatchObject({ findings: [], entries: 830 })
    expect(snapshot(crashed)).toEqual(before)
  })

  test("[B5] in use it is refused, and so is a node while the doctor looks", async () => {
    const directory = await filled()
    const store = await opened(directory)
    expect(() => inspect(directory)).toThrow("is in use by another process")
    expect(() => inspect(cleanup.folder())).toThrow(`there is no ${DATABASE_FILE}`)
    await close(store)
    const looking = new RawDatabase(directory)
    await expect(opened(directory)).rejects.toThrow("is in use by another process")
    looking.close()
    const other = cleanup.folder()
    writeFileSync(join(other, DATABASE_FILE), "something else, long enough to be read as a page")
    expect(() => inspect(other)).toThrow(StoreOpenError)
  })
})

describe("what is wrong is named", () => {
  test("[B6] a missing boot record: a fresh epoch, nothing lost", async () => {
    const directory = await filled()
    const { origin } = inspect(directory)
    rmSync(join(directory, BOOT_FILE))
    expect(inspect(directory).findings).toMatchObject([
      { kind: "boot-record", means: "fresh-epoch" },
    ])
    const { renewed } = await repair(directory)
    expect(renewed).toMatchObject({ before: origin, salvaged: 0, lostCount: 0 })
    expect(inspect(directory).findings).toEqual([])
    expect(inspect(directory).origin).not.toBe(origin)
    expect(held(directory)).toBe(800)
  })

  test.each<readonly [string, FindingKind, number, number]>([
    ["DELETE FROM entries WHERE id = (SELECT id FROM entries LIMIT 1 OFFSET 100)", "gap", 1, 799],
    [
      "DELETE FROM entries WHERE id IN (SELECT id FROM entries ORDER BY id DESC LIMIT 7)",
      "tail",
      7,
      793,
    ],
    [
      "UPDATE entries SET entry = zeroblob(40) WHERE id = (SELECT max(id) - 9 FROM entries)",
      "entry",
      1,
      799,
    ],
  ])("[B6] [B7] %s", async (statement, kind, lostCount, left) => {
    const directory = await filled()
    // The own origin has row 1; its opening was at 0, so a later one makes the tail known.
    await close(await opened(directory))
    const isTail = kind === "tail"
    const own =
      'SELECT id FROM origins WHERE origin = (SELECT value FROM meta WHERE key = "origin")'
    const scoped = isTail
      ? `DELETE FROM entries WHERE id IN (SELECT id FROM entries WHERE id / 1099511627776 = ` +
        `(${own.replaceAll('"', "'")}) ORDER BY id DESC LIMIT 7)`
      : statement
    expect(sql(directory, scoped)).toBe(lostCount)
    const before = inspect(directory)
    expect(before.findings.map((finding) => finding.kind)).toContain(kind)
    expect(before.lostCount).toBe(lostCount)
    expect(before.lost.length).toBe(1)
    await repair(directory)
    expect(inspect(directory).findings).toEqual([])
    expect(held(directory)).toBe(left)
  })

  test("[B6] [B7] an entry that does not follow from the one before it", async () => {
    const directory = await filled()
    const database = new Database(join(directory, DATABASE_FILE))
    const at = database
      .prepare<[string], { id: number }>("SELECT id FROM origins WHERE origin = ?")
      .get(foreign)
    const id = entryId(at?.id ?? 0, 100)
    const found = database
      .prepare<[number], { entry: Buffer }>("SELECT entry FROM entries WHERE id = ?")
      .get(id)
    const record = (found?.entry ?? Buffer.alloc(0)).subarray(RECORD_OFFSET)
    // Whole in itself, as one of another branch would be.
    const by = { origin: foreign, salt: saltOf(foreign) }
    const { entry } = seal(new Uint8Array(16).fill(7), by, 100, record)
    database.prepare("UPDATE entries SET entry = ? WHERE id = ?").run(Buffer.from(entry), id)
    database.close()
    const { findings, lostCount } = inspect(directory)
    expect(findings).toMatchObject([{ kind: "chain", means: "fresh-epoch", count: 2 }])
    expect(lostCount).toBe(0)
    await repair(directory)
    expect(inspect(directory).findings).toEqual([])
    expect(held(directory)).toBe(800)
  })

  test("[B6] [B7] tables that contradict the records are written anew", async () => {
    const cases: [string, FindingKind][] = [
      ["UPDATE clients SET seq = 5", "client"],
      ["UPDATE clients SET seq = 99999", "client"],
      ["DELETE FROM clients", "client"],
      ["UPDATE entries SET document = 3 WHERE document = 2", "document"],
      ["DELETE FROM documents WHERE id = 4", "document"],
      ["UPDATE meta SET value = 'node@0000000000000001' WHERE key = 'origin'", "identity"],
    ]
    for (const [statement, kind] of cases) {
      const directory = await filled()
      expect(sql(directory, statement)).toBeGreaterThan(0)
      expect(kinds(directory)).toContain(kind)
      expect(inspect(directory).lostCount).toBe(0)
      await repair(directory)
      expect(inspect(directory).findings, statement).toEqual([])
      expect(held(directory), statement).toBe(800)
    }
  })

  test("[B6] the exit code says whether anything is wrong, and whether it is a loss", async () => {
    const directory = await filled()
    expect(await doctor({ data: directory })).toBe(0)
    rmSync(join(directory, BOOT_FILE))
    expect(await doctor({ data: directory })).toBe(2)
    sql(directory, "DELETE FROM entries WHERE id = (SELECT id FROM entries LIMIT 1 OFFSET 100)")
    expect(await doctor({ data: directory, json: true })).toBe(3)
    expect(await doctor({ data: directory, repair: true })).toBe(3)
    expect(await doctor({ data: directory })).toBe(0)
  })

  test("[B7] the name of the own origin is found again, another's costs its entries", async () => {
    const directory = await filled()
    const { origin } = inspect(directory)
    sql(directory, `DELETE FROM origins WHERE origin = '${origin}'`)
    expect(inspect(directory)).toMatchObject({ lostCount: 400 })
    await repair(directory)
    expect(inspect(directory).findings).toEqual([])
    expect(held(directory)).toBe(800)
    sql(directory, `DELETE FROM origins WHERE origin = '${foreign}'`)
    expect(kinds(directory)).toContain("origin")
    const { kept: file } = await repair(directory)
    expect(inspect(directory).findings).toEqual([])
    expect(held(directory)).toBe(400)
    expect(existsSync(file ?? "")).toBe(true)
  })

  test("[B7] a cut file gives what it still has", async () => {
    const directory = await filled()
    const path = join(directory, DATABASE_FILE)
    truncateSync(path, Math.floor((statSync(path).size * 2) / 3 / 4096) * 4096)
    const before = inspect(directory)
    expect(before.findings.map(({ kind }) => kind)).toContain("pages")
    await repair(directory)
    expect(inspect(directory).findings).toEqual([])
    expect(held(directory)).toBeGreaterThan(200)
  })
})

test("[B6] what is lost is named up to a bound, and counted past it", () => {
  const findings = new Findings()
  const lose = (seq: number) =>
    findings.lose("entry", "entries", { origin: foreign, fromSeq: seq, toSeq: seq })
  for (let seq = 1; seq <= 3; seq++) lose(seq)
  expect(findings.lost).toEqual([{ origin: foreign, fromSeq: 1, toSeq: 3 }])
  for (let index = 0; index < lostRangesMax + 5; index++) lose(10 + index * 2)
  expect(findings.lost).toHaveLength(lostRangesMax)
  expect(findings.lostCount).toBe(lostRangesMax + 8)
  const [only] = findings.all()
  expect(only?.count).toBe(lostRangesMax + 8)
  expect(only?.message).toMatch(/^entries: 1008 \(\S+ 1, \S+ 2, \S+ 3, …\)$/)
})

describe("a folder with snapshots and floors", () => {
  /** The first 200 entries of each origin are only in snapshots. */
  async function folded(): Promise<string> {
    const directory = await filled()
    const store = await opened(directory)
    const { origin } = store.opened
    const vector = new VersionVector([
      [origin, 400],
      [foreign, 400],
    ])
    const snapshots = documents.map((document) => ({
      document,
      state: bodyOf(7),
      folded: vector,
    }))
    await appended(store, { snapshots })
    await appended(store, {
      floors: [
        [origin, 200],
        [foreign, 200],
      ],
    })
    await close(store)
    return directory
  }

  test("[B6] is sound", async () => {
    const directory = await folded()
    expect(inspect(directory)).toMatchObject({ findings: [], entries: 400, lostCount: 0 })
  })

  test("[B6] [B7] and says what of them is damaged", async () => {
    const cases: [string, FindingKind, boolean][] = [
      ["UPDATE snapshots SET state = zeroblob(50) WHERE document = 3", "snapshot", true],
      ["UPDATE snapshots SET folded = zeroblob(50) WHERE document = 3", "snapshot", true],
      ["DELETE FROM folded WHERE document = 3", "snapshot", false],
      ["UPDATE folded SET seq = seq - 1 WHERE document = 3", "snapshot", false],
      ["UPDATE origins SET floor_hash = zeroblob(20) WHERE floor > 0", "chain", false],
      ["UPDATE clients SET seq = 5, below = 5", "client", false],
    ]
    for (const [statement, kind, isLost] of cases) {
      const directory = await folded()
      expect(sql(directory, statement)).toBeGreaterThan(0)
      const { findings } = inspect(directory)
      expect(findings.map((finding) => finding.kind)).toContain(kind)
      expect(findings.some(({ means }) => means === "lost")).toBe(isLost)
      await repair(directory)
      expect(inspect(directory).findings, statement).toEqual([])
    }
  })
})

test("[B5] [B6] [B7] wherever bits turn: it is noticed, said, and repaired", async () => {
  const directory = await filled()
  const whole = readFileSync(join(directory, DATABASE_FILE))
  const pages = whole.length / 4096
  let noticed = 0
  await fc.assert(
    fc.asyncProperty(
      // Not the first page: without it there is no database (tested above).
      fc.array(fc.tuple(fc.integer({ min: 1, max: pages - 1 }), fc.nat(4095), fc.nat(254)), {
        minLength: 1,
        maxLength: 3,
      }),
      async (flips) => {
        const damaged = cleanup.folder()
        cpSync(directory, damaged, { recursive: true })
        const bytes = Buffer.from(whole)
        for (const [page, at, by] of flips) {
          bytes[page * 4096 + at] = (bytes[page * 4096 + at] ?? 0) ^ (by + 1)
        }
        writeFileSync(join(damaged, DATABASE_FILE), bytes)
        const before = snapshot(damaged)
        const inspection = inspect(damaged)
        expect(snapshot(damaged)).toEqual(before)
        const isDamaged = inspection.findings.length > 0
        if (isDamaged) await repair(damaged)
        noticed += Number(isDamaged)
        expect(inspect(damaged).findings).toEqual([])
        // All that was not said to be lost is there; how much bad pages held nobody knows.
        const isKnown = inspection.findings.every(({ kind }) => kind !== "pages")
        expect(held(damaged)).toBeGreaterThanOrEqual(isKnown ? 800 - inspection.lostCount : 1)
        rmSync(damaged, { recursive: true })
      },
    ),
    { numRuns: 6, examples: [[[[27, 2820, 63]]], [[[31, 785, 0]]], [[[31, 0, 0]]]] },
  )
  expect(noticed).toBeGreaterThan(1)
}, 120_000)
