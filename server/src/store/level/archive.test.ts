/** Backups of LevelDB stores that are written meanwhile: rules [B2] [B4]. */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Store } from "@causeway/crdt/ports"
import { appended, close, testDocument, testOrigin, testRecord } from "@causeway/crdt/testing"
import { afterEach, expect, test } from "vitest"
import { inspectStore } from "../../doctor/inspect-store.ts"
import { Cleanup } from "../../test/cleanup.ts"
import { canBackUp } from "../thread/backup.ts"
import type { Backup, BackupProgress } from "../thread/backup.ts"
import { unpackArchive } from "./archive.ts"
import { openLevelStore } from "./index.ts"

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

const foreign = testOrigin("foreign")
const documents = Array.from({ length: 20 }, (_, index) => testDocument(`d${index}`))

/** Ten own entries and ten of `foreign`, which has `seq` so far. */
function batch(seq: number) {
  const records = documents.slice(0, 10).map((document, index) => {
    return testRecord({ document, author: [1, seq + index + 1], body: new Uint8Array(2000) })
  })
  return { own: records, adopted: [{ origin: foreign, firstSeq: seq + 1, records }] }
}

function begin(store: Store, file: string, onProgress: (now: BackupProgress) => void): Backup {
  if (!canBackUp(store)) throw new TypeError("a LevelDB store makes backups")
  return store.backup(file, onProgress)
}

async function opened(): Promise<Store> {
  const store = await openLevelStore({ directory: cleanup.folder(), node: undefined })
  cleanup.add(() => close(store))
  return store
}

test("[B2] the archive is the log as it was at some moment, whole", async () => {
  const store = await opened()
  let seq = 0
  const write = async () => {
    await appended(store, batch(seq))
    seq += 10
  }
  while (seq < 500) await write()
  const before = seq
  const file = join(cleanup.folder(), "archive")
  let isOver = false
  const steps: BackupProgress[] = []
  const { finished } = begin(store, file, (step) => steps.push(step))
  const over = finished.finally(() => (isOver = true))
  while (!isOver) await write()
  await over
  const directory = cleanup.folder()
  await unpackArchive(file, directory)
  const inspection = await inspectStore(directory, () => {})
  expect(inspection.findings.map(({ kind }) => kind)).toEqual(["boot-record"])
  const own = inspection.vector[store.opened.origin] ?? 0
  expect(own).toBeGreaterThanOrEqual(before)
  expect(own).toBeLessThanOrEqual(seq)
  // Both origins are written in one batch: never one without the other.
  expect(inspection.vector[foreign]).toBe(own)
  expect(steps.length).toBeGreaterThan(2)
  expect(steps.at(-1)?.done).toBe(steps.at(-1)?.total)
})

test("[B2] called off it leaves nothing, and never takes a file that is there", async () => {
  const store = await opened()
  for (let seq = 0; seq < 200; seq += 10) await appended(store, batch(seq))
  const file = join(cleanup.folder(), "archive")
  const calledOff = begin(store, file, () => calledOff.cancel())
  await expect(calledOff.finished).rejects.toThrow("called off")
  expect(existsSync(file)).toBe(false)
  await begin(store, file, () => {}).finished
  const whole = readFileSync(file)
  await expect(begin(store, file, () => {}).finished).rejects.toThrow("EEXIST")
  expect(readFileSync(file).equals(whole)).toBe(true)
})

test("[B4] an archive that is none, too short, or says nonsense becomes no store", async () => {
  const store = await opened()
  await appended(store, batch(0))
  const file = join(cleanup.folder(), "archive")
  await begin(store, file, () => {}).finished
  const whole = readFileSync(file)
  const huge = Buffer.from(whole)
  huge.writeUInt32LE(0xffff_ffff, 21)
  const cases: [Buffer, string][] = [
    [Buffer.alloc(100), "is no archive"],
    [whole.subarray(0, -1), "ends early"],
    [whole.subarray(0, 5), "ends early"],
    [huge, "is damaged"],
  ]
  for (const [bytes, message] of cases) {
    writeFileSync(file, bytes)
    await expect(unpackArchive(file, cleanup.folder())).rejects.toThrow(message)
  }
})
