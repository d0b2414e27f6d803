/** A backup of a store that is written, folded and truncated meanwhile: rule [B2]. */
import { existsSync } from "node:fs"
import { join } from "node:path"
import Database from "better-sqlite3"
import { VersionVector } from "@causeway/crdt/clock"
import type { Store } from "@causeway/crdt/ports"
import { appended, close, testDocument, testOrigin, testRecord } from "@causeway/crdt/testing"
import { afterEach, expect, test } from "vitest"
import { inspectFolder } from "../../doctor/inspect.ts"
import { Cleanup } from "../../test/cleanup.ts"
import { canBackUp } from "../thread/backup.ts"
import type { Backup, BackupProgress } from "../thread/backup.ts"
import { backupDatabase } from "./backup.ts"
import { openSqliteStore } from "./index.ts"
import { DATABASE_FILE } from "./schema.ts"

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

const foreign = testOrigin("foreign")
const documents = Array.from({ length: 20 }, (_, index) => testDocument(`d${index}`))

/** A batch of ten own entries and ten of `foreign`, which has `seq` so far. */
function batch(seq: number) {
  const record = (index: number) => {
    const document = documents[(seq + index) % documents.length] ?? testDocument("d")
    return testRecord({ document, author: [1, seq + index], body: new Uint8Array(2000).fill(seq) })
  }
  const records = Array.from({ length: 10 }, (_, index) => record(index + 1))
  return { own: records, adopted: [{ origin: foreign, firstSeq: seq + 1, records }] }
}

/** Everything up to `seq` goes into snapshots, and out of the log. */
async function fold(store: Store, seq: number): Promise<void> {
  const { origin } = store.opened
  const folded = new VersionVector([
    [origin, seq],
    [foreign, seq],
  ])
  const state = new Uint8Array(500).fill(seq)
  await appended(store, {
    snapshots: documents.map((document) => ({ document, state, folded })),
  })
  await appended(store, {
    floors: [
      [origin, seq],
      [foreign, seq],
    ],
  })
}

function begin(store: Store, file: string, onProgress: (now: BackupProgress) => void): Backup {
  if (!canBackUp(store)) throw new TypeError("an SQLite store makes backups")
  return store.backup(file, onProgress)
}

test("[B2] the copy is the log as it was at some moment, whole", async () => {
  const store = await openSqliteStore({ directory: cleanup.folder(), node: undefined })
  cleanup.add(() => close(store))
  let seq = 0
  const write = async () => {
    await appended(store, batch(seq))
    seq += 10
    if (seq % 200 === 0) await fold(store, seq - 100)
  }
  while (seq < 1000) await write()
  const before = seq
  const directory = cleanup.folder()
  let isOver = false
  const steps: BackupProgress[] = []
  const backup = begin(store, join(directory, DATABASE_FILE), (step) => steps.push(step))
  const finished = backup.finished.finally(() => (isOver = true))
  while (!isOver) await write()
  await finished
  const inspection = inspectFolder(directory, () => {})
  expect(inspection.findings.map(({ kind }) => kind)).toEqual(["boot-record"])
  const own = inspection.vector[store.opened.origin] ?? 0
  expect(own).toBeGreaterThanOrEqual(before)
  expect(own).toBeLessThanOrEqual(seq)
  // Both origins are written in one batch: never one without the other.
  expect(inspection.vector[foreign]).toBe(own)
  expect(steps.length).toBeGreaterThan(2)
}, 60_000)

test("[B2] called off it leaves nothing, and never takes a file that is there", async () => {
  const directory = cleanup.folder()
  const store = await openSqliteStore({ directory, node: undefined })
  for (let seq = 0; seq < 500; seq += 10) await appended(store, batch(seq))
  await close(store)
  const database = new Database(join(directory, DATABASE_FILE))
  cleanup.add(() => database.close())
  const file = join(directory, "copy")
  await expect(backupDatabase(database, file, () => false)).rejects.toThrow("called off")
  expect(existsSync(file)).toBe(false)
  await backupDatabase(database, file, () => true)
  await expect(backupDatabase(database, file, () => true)).rejects.toThrow("EEXIST")
  expect(existsSync(file)).toBe(true)
})

test("[B2] a store that is closed meanwhile leaves a whole copy or none", async () => {
  const store = await openSqliteStore({ directory: cleanup.folder(), node: undefined })
  for (let seq = 0; seq < 500; seq += 10) await appended(store, batch(seq))
  const file = join(cleanup.folder(), DATABASE_FILE)
  const [ended] = await Promise.allSettled([begin(store, file, () => {}).finished, close(store)])
  expect(existsSync(file)).toBe(ended.status === "fulfilled")
}, 60_000)
