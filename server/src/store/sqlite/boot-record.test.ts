/** Openings in doubt of real data folders: what was put back, copied, exchanged or cut short. */
import { copyFile, cp, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import Database from "better-sqlite3"
import type { OriginId } from "@causeway/crdt/base"
import { emptyHead } from "@causeway/crdt/log"
import type { ReopenDoubt, Store } from "@causeway/crdt/ports"
import {
  appended,
  close,
  readClient,
  readDocument,
  readOrigin,
  testClient,
  testDocument,
  testRecord,
} from "@causeway/crdt/testing"
import { expect, onTestFinished, test } from "vitest"
import { BOOT_FILE } from "../boot-record.ts"
import { openSqliteStore } from "./index.ts"
import { DATABASE_FILE } from "./schema.ts"

const document = testDocument("a")
const records = [1, 2, 3, 4].map((body) => testRecord({ document, body: Uint8Array.of(body) }))

async function folder(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "causeway-boot-"))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

async function opened(directory: string, doubt?: ReopenDoubt): Promise<Store> {
  const store = await openSqliteStore({ directory, node: undefined, doubt })
  onTestFinished(() => close(store))
  return store
}

/** Opens, appends `records`, closes; gives the own origin. */
async function written(directory: string): Promise<OriginId> {
  const store = await opened(directory)
  await appended(store, { own: records })
  await close(store)
  return store.opened.origin
}

function sql(directory: string, statement: string): number {
  const database = new Database(join(directory, DATABASE_FILE))
  const { changes } = database.prepare(statement).run()
  database.close()
  return changes
}

/** Opens it in doubt for `why`, with nothing lost, and no doubt the next time. */
async function expectRenewed(directory: string, before: OriginId, why: string): Promise<Store> {
  const first = await opened(directory)
  expect(first.opened.renewed).toMatchObject({ why, before, lostCount: 0 })
  expect(first.opened.origin).not.toBe(before)
  const { firstSeq } = await appended(first, { own: records })
  expect(firstSeq).toBe((first.opened.renewed?.salvaged ?? 0) + 1)
  await close(first)
  const again = await opened(directory)
  expect(again.opened.renewed).toBe(undefined)
  expect(again.opened.origin).toBe(first.opened.origin)
  return again
}

const mishaps: [name: string, happen: (directory: string, backup: string) => Promise<void>][] = [
  ["the file is gone", (directory) => rm(join(directory, BOOT_FILE))],
  ["the file is no record", (directory) => writeFile(join(directory, BOOT_FILE), "{}")],
  ["the file is cut short", (directory) => writeFile(join(directory, BOOT_FILE), '{"boot":')],
  [
    "the database is an older one",
    (directory, backup) => copyFile(join(backup, DATABASE_FILE), join(directory, DATABASE_FILE)),
  ],
  [
    "the file is an older one",
    (directory, backup) => copyFile(join(backup, BOOT_FILE), join(directory, BOOT_FILE)),
  ],
]

test.each(mishaps)("[E2] %s: a fresh epoch, and nothing is reused or lost", async (_, happen) => {
  const directory = await folder()
  const backup = await folder()
  const before = await written(directory)
  await cp(directory, backup, { recursive: true })
  await written(directory)
  await happen(directory, backup)
  const store = await expectRenewed(directory, before, "boot-record")
  const held = (await readOrigin(store, before)).run.records
  expect([records, [...records, ...records]]).toContainEqual(
    held.map((record) => new Uint8Array(record)),
  )
})

test("[E2] an older database without any entry is in doubt: it had some since", async () => {
  const directory = await folder()
  const backup = await folder()
  const store = await opened(directory)
  await close(store)
  await cp(directory, backup, { recursive: true })
  const before = await written(directory)
  await copyFile(join(backup, DATABASE_FILE), join(directory, DATABASE_FILE))
  const again = await expectRenewed(directory, before, "boot-record")
  expect(new Map(again.opened.heads).has(before)).toBe(false)
})

test("[E1] a folder put back whole agrees with itself: only peers can tell", async () => {
  const directory = await folder()
  const backup = await folder()
  const origin = await written(directory)
  await cp(directory, backup, { recursive: true })
  await written(directory)
  const store = await opened(backup)
  expect(store.opened).toMatchObject({ origin, renewed: undefined })
})

test("[E1] a crash while the boot record changes leaves no doubt", async () => {
  const directory = await folder()
  const origin = await written(directory)
  const boot = join(directory, BOOT_FILE)
  // Before the commit: a staged file that matches nothing.
  await writeFile(`${boot}.new`, '{"boot":"00","origin":"x@0000000000000001","openedSeq":9}')
  await close(await opened(directory))
  // After it: the staged file matches, the old one does not.
  await copyFile(boot, join(directory, "kept"))
  await close(await opened(directory))
  await rename(boot, `${boot}.new`)
  await rename(join(directory, "kept"), boot)
  const store = await opened(directory)
  expect(store.opened).toMatchObject({ origin, renewed: undefined })
  expect(await readdir(directory)).not.toContain(`${BOOT_FILE}.new`)
})

test("[E2] an own log that ends before where it was opened last has lost its tail", async () => {
  const directory = await folder()
  const before = await written(directory)
  await close(await opened(directory))
  expect(sql(directory, "DELETE FROM entries WHERE id = (1 << 40) + 4")).toBe(1)
  const store = await expectRenewed(directory, before, "tail")
  expect(new Map(store.opened.heads).get(before)?.seq).toBe(3)
})

test("[E2] a store without a boot record, as older versions made it, is in doubt", async () => {
  const directory = await folder()
  const before = await written(directory)
  await rm(join(directory, BOOT_FILE))
  expect(sql(directory, "DELETE FROM meta WHERE key = 'boot'")).toBe(1)
  await expectRenewed(directory, before, "boot-record")
})

test("[E4] looking through the log puts documents and client numbers right", async () => {
  const directory = await folder()
  const store = await opened(directory)
  const other = testDocument("b")
  const own = [...records, testRecord({ document: other, author: [1, 7] })]
  await appended(store, { own })
  const expected = await readDocument(store, document)
  await close(store)
  // Two entries under the wrong document, and a number that no entry has.
  expect(
    sql(directory, "UPDATE entries SET document = 2 WHERE id IN ((1 << 40) + 1, (1 << 40) + 3)"),
  ).toBe(2)
  expect(sql(directory, "UPDATE clients SET seq = 70")).toBe(1)
  const again = await opened(directory, { why: "corrupt" })
  expect(again.opened.renewed).toMatchObject({ salvaged: 0, lostCount: 0 })
  expect(await readDocument(again, document)).toEqual(expected)
  expect((await readDocument(again, other)).map(({ seq }) => seq)).toEqual([5])
  expect(await readClient(again, testClient(1))).toBe(7)
})

test("[E1] an origin that was never written under is not kept", async () => {
  const directory = await folder()
  const store = await opened(directory)
  await close(store)
  await rm(join(directory, BOOT_FILE))
  const again = await opened(directory)
  expect(again.opened.heads).toEqual([[again.opened.origin, emptyHead]])
})
