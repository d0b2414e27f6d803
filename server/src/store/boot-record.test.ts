/** Openings in doubt of real data folders: what was put back, copied or exchanged. */
import { cp, copyFile, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { OriginId } from "@causeway/crdt/base"
import { emptyHead } from "@causeway/crdt/log"
import type { Store } from "@causeway/crdt/ports"
import { appended, close, readOrigin, testDocument, testRecord } from "@causeway/crdt/testing"
import { describe, expect, onTestFinished, test } from "vitest"
import { BOOT_FILE } from "./boot-record.ts"
import { storeKinds } from "./index.ts"
import type { StoreKind } from "./index.ts"
import { LEVEL_FOLDER } from "./level/keys.ts"
import { DATABASE_FILE } from "./sqlite/schema.ts"
import { openHere } from "./test/same-thread.ts"

const databases = { sqlite: DATABASE_FILE, level: LEVEL_FOLDER } as const

const document = testDocument("a")
const records = [1, 2, 3, 4].map((body) => testRecord({ document, body: Uint8Array.of(body) }))

for (const kind of storeKinds) {
  describe(`boot records: ${kind}`, () => {
    bootRules(kind)
  })
}

async function folder(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "causeway-boot-"))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

async function openStore(kind: StoreKind, directory: string): Promise<Store> {
  const store = await openHere[kind]({ directory, node: undefined })
  onTestFinished(() => close(store))
  return store
}

/** Opens, appends `records`, closes; gives the own origin. */
async function written(kind: StoreKind, directory: string): Promise<OriginId> {
  const store = await openStore(kind, directory)
  await appended(store, { own: records })
  await close(store)
  return store.opened.origin
}

/** The database of `backup` takes the place of the folder's. */
async function putBack(kind: StoreKind, directory: string, backup: string): Promise<void> {
  const path = join(directory, databases[kind])
  await rm(path, { recursive: true })
  await cp(join(backup, databases[kind]), path, { recursive: true })
}

/** Opens it in doubt, with nothing lost, and no doubt the next time. */
async function expectRenewed(kind: StoreKind, directory: string, before: OriginId): Promise<Store> {
  const first = await openStore(kind, directory)
  expect(first.opened.renewed).toMatchObject({
    why: "boot-record",
    before,
    lostCount: 0,
  })
  expect(first.opened.origin).not.toBe(before)
  const { firstSeq } = await appended(first, { own: records })
  expect(firstSeq).toBe((first.opened.renewed?.salvaged ?? 0) + 1)
  await close(first)
  const again = await openStore(kind, directory)
  expect(again.opened.renewed).toBe(undefined)
  expect(again.opened.origin).toBe(first.opened.origin)
  return again
}

const mishaps: [
  name: string,
  happen: (directory: string, backup: string, kind: StoreKind) => Promise<void>,
][] = [
  ["the file is gone", (directory) => rm(join(directory, BOOT_FILE))],
  ["the file is no record", (directory) => writeFile(join(directory, BOOT_FILE), "{}")],
  ["the file is cut short", (directory) => writeFile(join(directory, BOOT_FILE), '{"boot":')],
  ["the database is an older one", (directory, backup, kind) => putBack(kind, directory, backup)],
  [
    "the file is an older one",
    (directory, backup) => copyFile(join(backup, BOOT_FILE), join(directory, BOOT_FILE)),
  ],
]

function bootRules(kind: StoreKind): void {
  test.each(mishaps)("[E2] %s: a fresh epoch, and nothing is reused or lost", async (_, happen) => {
    const directory = await folder()
    const backup = await folder()
    const before = await written(kind, directory)
    await cp(directory, backup, { recursive: true })
    await written(kind, directory)
    await happen(directory, backup, kind)
    const store = await expectRenewed(kind, directory, before)
    const held = (await readOrigin(store, before)).run.records
    expect([records, [...records, ...records]]).toContainEqual(
      held.map((record) => new Uint8Array(record)),
    )
  })

  test("[E2] an older database without any entry is in doubt: it had some since", async () => {
    const directory = await folder()
    const backup = await folder()
    const store = await openStore(kind, directory)
    await close(store)
    await cp(directory, backup, { recursive: true })
    const before = await written(kind, directory)
    await putBack(kind, directory, backup)
    const again = await expectRenewed(kind, directory, before)
    expect(new Map(again.opened.heads).has(before)).toBe(false)
  })

  test("[E1] a folder put back whole agrees with itself: only peers can tell", async () => {
    const directory = await folder()
    const backup = await folder()
    const origin = await written(kind, directory)
    await cp(directory, backup, { recursive: true })
    await written(kind, directory)
    const store = await openStore(kind, backup)
    expect(store.opened).toMatchObject({ origin, renewed: undefined })
  })

  test("[E1] a crash while the boot record changes leaves no doubt", async () => {
    const directory = await folder()
    const origin = await written(kind, directory)
    const boot = join(directory, BOOT_FILE)
    // Before the commit: a staged file that matches nothing.
    await writeFile(`${boot}.new`, '{"boot":"00","origin":"x@0000000000000001","openedSeq":9}')
    await close(await openStore(kind, directory))
    // After it: the staged file matches, the old one does not.
    await copyFile(boot, join(directory, "kept"))
    await close(await openStore(kind, directory))
    await rename(boot, `${boot}.new`)
    await rename(join(directory, "kept"), boot)
    const store = await openStore(kind, directory)
    expect(store.opened).toMatchObject({ origin, renewed: undefined })
    expect(await readdir(directory)).not.toContain(`${BOOT_FILE}.new`)
  })

  test("[E1] an origin that was never written under is not kept", async () => {
    const directory = await folder()
    const store = await openStore(kind, directory)
    await close(store)
    await rm(join(directory, BOOT_FILE))
    const again = await openStore(kind, directory)
    expect(again.opened.heads).toEqual([[again.opened.origin, emptyHead]])
  })
}
