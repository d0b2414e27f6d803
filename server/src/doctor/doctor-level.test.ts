/** Real LevelDB folders, damaged in every way that comes to mind: rules [B5] [B6] [B7]. */
import { createHash } from "node:crypto"
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { VersionVector } from "@causeway/crdt/clock"
import { appended, close, testClient, testDocument } from "@causeway/crdt/testing"
import { testOrigin, testRecord } from "@causeway/crdt/testing"
import { afterAll, afterEach, expect, test } from "vitest"
import { BOOT_FILE } from "../store/boot-record.ts"
import { openHere } from "../store/test/same-thread.ts"
import { LevelDatabase } from "../store/level/database.ts"
import { clientKey, clusterKey, documentKey, documentKeys } from "../store/level/keys.ts"
import { entryKey, headKey, LEVEL_FOLDER, metaKey, placeKey } from "../store/level/keys.ts"
import { encodeNumber, sealValue } from "../store/level/values.ts"
import { serveChild } from "../test/child.ts"
import { Cleanup } from "../test/cleanup.ts"
import { soon } from "../test/wait.ts"
import type { Finding } from "./findings.ts"
import { inspectStore } from "./inspect-store.ts"
import { repairFolder } from "./repair.ts"

const cleanup = new Cleanup()
afterEach(() => cleanup.run())
const kept = new Cleanup()
afterAll(() => kept.run())

const foreign = testOrigin("foreign")
const documents = Array.from({ length: 20 }, (_, index) => testDocument(`document-${index}`))
const first = documents[0] ?? testDocument("none")

function recordsFrom(start: number, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => {
    const seq = start + index
    const document = documents[seq % documents.length] ?? first
    const body = new TextEncoder().encode(`unmistakable body ${seq}; `.repeat(6))
    return testRecord({ document, body, author: [1, seq] })
  })
}

let sample: string | undefined

/**
 * 200 own entries and 200 of another origin; the first 100 of each are only in snapshots. A fresh
 * copy each time.
 */
async function filled(): Promise<string> {
  if (sample === undefined) {
    sample = join(kept.folder(), "data")
    const store = await openHere.level({ directory: sample, node: undefined })
    const { origin } = store.opened
    const adopted = [{ origin: foreign, firstSeq: 1, records: recordsFrom(1, 200) }]
    await appended(store, { own: recordsFrom(1001, 200), adopted })
    const folded = new VersionVector([
      [origin, 100],
      [foreign, 100],
    ])
    const state = new Uint8Array(300).fill(7)
    await appended(store, {
      snapshots: documents.map((document) => ({ document, state, folded })),
    })
    await appended(store, { floors: folded.entries() })
    await close(store)
    // So that it is known where the own log was when it was opened last.
    await close(await openHere.level({ directory: sample, node: undefined }))
  }
  const directory = join(cleanup.folder(), "data")
  cpSync(sample, directory, { recursive: true })
  return directory
}

function inspect(directory: string) {
  return inspectStore(directory, () => {})
}

async function kinds(directory: string): Promise<Finding["kind"][]> {
  return [...new Set((await inspect(directory)).findings.map(({ kind }) => kind))]
}

async function repair(directory: string) {
  return repairFolder(directory, await inspect(directory), "stamp", () => {})
}

function digestOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex")
}

/** Every file below with its bytes. */
function files(directory: string): Map<string, string> {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true })
  const paths = names
    .filter((name) => name.isFile())
    .map((name) => join(name.parentPath, name.name))
  return new Map(paths.map((path) => [path, digestOf(path)]))
}

async function write(directory: string, key: Buffer, value: Buffer | undefined): Promise<void> {
  const database = await LevelDatabase.open(join(directory, LEVEL_FOLDER))
  await database.write([[key, value]])
  await database.close()
}

test("[B5] [B6] a sound folder is sound, and not a byte of it changes", async () => {
  const directory = await filled()
  const before = files(directory)
  const inspection = await inspect(directory)
  expect(inspection).toMatchObject({ store: "level", findings: [], lost: [], lostCount: 0 })
  expect(inspection).toMatchObject({ entries: 200, documents: 20, clients: 1 })
  expect(inspection.vector).toEqual({ [foreign]: 200, [inspection.origin ?? ""]: 200 })
  expect(files(directory)).toEqual(before)
  expect(readdirSync(dirname(directory))).toEqual(["data"])
})

test("[B5] in use it is refused; where there is nothing, too", async () => {
  const directory = await filled()
  // A lock is a process's.
  const child = serveChild(cleanup, "--data", directory, "--store", "level")
  await child.ready()
  await expect(inspect(directory)).rejects.toThrow(`${directory} is in use by another process`)
  child.process.kill("SIGTERM")
  await soon("it ends", child.ended)
  expect(await inspect(directory)).toMatchObject({ findings: [] })
  await expect(inspect(dirname(directory))).rejects.toThrow("there is no causeway.sqlite in")
})

test("[B6] [B7] a missing boot record: a fresh epoch, nothing lost", async () => {
  const directory = await filled()
  const { origin } = await inspect(directory)
  rmSync(join(directory, BOOT_FILE))
  const { findings } = await inspect(directory)
  expect(findings).toMatchObject([{ kind: "boot-record", means: "fresh-epoch" }])
  const { renewed } = await repair(directory)
  expect(renewed).toMatchObject({ before: origin, lostCount: 0 })
  expect(await inspect(directory)).toMatchObject({ findings: [] })
})

type Case = readonly [
  what: string,
  key: (origin: typeof foreign) => Buffer,
  value: "gone" | "noise" | Buffer,
  kind: Finding["kind"],
  /** Entries that are lost; "snapshot": what only one held. */
  lost: number | "snapshot",
]

const sealedClient = sealValue(clientKey(testClient(1)), encodeNumber(5))
const place = (origin: typeof foreign) => placeKey(documentKey(first), origin, 120)

const cases: readonly Case[] = [
  ["an entry is damaged", () => entryKey(foreign, 150), "noise", "entry", 1],
  ["an entry is gone", () => entryKey(foreign, 150), "gone", "gap", 1],
  ["the last entry is gone", (origin) => entryKey(origin, 200), "gone", "gap", 1],
  ["an entry is not listed", place, "gone", "document", 0],
  ["one is listed and not there", () => clusterKey(foreign, 7), Buffer.of(), "index", 0],
  [
    "what is said of a document",
    () => documentKeys.shares(documentKey(first)),
    "noise",
    "index",
    0,
  ],
  ["a state", () => documentKeys.state(documentKey(first)), "noise", "snapshot", "snapshot"],
  ["a vector", () => documentKeys.folded(documentKey(first)), "noise", "snapshot", "snapshot"],
  [
    "a state without a vector",
    () => documentKeys.folded(documentKey(first)),
    "gone",
    "snapshot",
    "snapshot",
  ],
  ["a client is told less", () => clientKey(testClient(1)), sealedClient, "client", 0],
  ["a client is not told", () => clientKey(testClient(1)), "gone", "client", 0],
  ["where a log ends", () => headKey(foreign), "noise", "origin", 0],
  ["a note", () => metaKey("note digests"), "noise", "index", 0],
]

test.for(cases)("[B6] [B7] %s: it is named, and repaired", async ([, keyOf, value, kind, lost]) => {
  const directory = await filled()
  const { origin } = await inspect(directory)
  const bytes = value === "noise" ? Buffer.alloc(40, 1) : value === "gone" ? undefined : value
  await write(directory, keyOf(origin ?? foreign), bytes)
  const { findings, lostCount } = await inspect(directory)
  expect(findings.map((finding) => finding.kind)).toContain(kind)
  expect(lostCount).toBe(lost === "snapshot" ? 0 : lost)
  expect(findings.some(({ means }) => means === "lost")).toBe(lost !== 0)
  const { renewed } = await repair(directory)
  expect(renewed?.lostCount).toBe(lostCount)
  expect(await inspect(directory)).toMatchObject({ findings: [] })
})

test("[B6] [B7] damaged tables and logs: what is readable stays, the rest beside it", async () => {
  for (const ending of [".log", ".ldb"]) {
    const directory = await filled()
    const level = join(directory, LEVEL_FOLDER)
    await writeMore(directory)
    const name = readdirSync(level).find((file) => file.endsWith(ending)) ?? ""
    const bytes = readFileSync(join(level, name))
    const middle = Math.floor(bytes.length / 2)
    bytes[middle] = (bytes[middle] ?? 0) ^ 1
    writeFileSync(join(level, name), bytes)
    const before = files(directory)
    expect(await kinds(directory)).toContain("pages")
    expect(files(directory)).toEqual(before)
    const { kept: beside } = await repair(directory)
    expect(existsSync(beside ?? "")).toBe(true)
    expect(await inspect(directory)).toMatchObject({ findings: [] })
  }
})

/** More than one block of LevelDB's log. */
async function writeMore(directory: string): Promise<void> {
  const store = await openHere.level({ directory, node: undefined })
  const body = new Uint8Array(2000)
  for (let count = 0; count < 60; count++) {
    await appended(store, { own: [testRecord({ document: first, body })] })
  }
  await close(store)
}
