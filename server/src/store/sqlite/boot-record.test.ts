/** Openings in doubt of databases that were changed from within. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import Database from "better-sqlite3"
import type { OriginId } from "@causeway/crdt/base"
import type { ReopenDoubt, Store } from "@causeway/crdt/ports"
import {
  appended,
  close,
  readClient,
  readDocument,
  testClient,
  testDocument,
  testRecord,
} from "@causeway/crdt/testing"
import { expect, onTestFinished, test } from "vitest"
import { BOOT_FILE } from "../boot-record.ts"
import { openHere } from "../test/same-thread.ts"
import { DATABASE_FILE } from "./schema.ts"

const document = testDocument("a")
const records = [1, 2, 3, 4].map((body) => testRecord({ document, body: Uint8Array.of(body) }))

async function folder(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "causeway-boot-"))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

async function opened(directory: string, doubt?: ReopenDoubt): Promise<Store> {
  const store = await openHere.sqlite({ directory, node: undefined, doubt })
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
