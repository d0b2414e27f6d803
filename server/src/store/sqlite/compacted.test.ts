/** Data folders of version 1, and what files take once documents are folded and logs truncated. */
import { mkdtemp, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import Database from "better-sqlite3"
import type { DocumentId } from "@causeway/crdt/base"
import { yjsEngine } from "@causeway/crdt/engines/yjs"
import { VersionVector } from "@causeway/crdt/clock"
import { bodyOf } from "@causeway/crdt/log"
import type { Store } from "@causeway/crdt/ports"
import {
  appended,
  byOrigin,
  close,
  read,
  readClient,
  readDocument,
  readOrigin,
  testClient,
  testDocument,
  testOrigin,
  testRecord,
} from "@causeway/crdt/testing"
import { expect, onTestFinished, test } from "vitest"
import * as Y from "yjs"
import { openHere } from "../test/same-thread.ts"
import { DATABASE_FILE } from "./schema.ts"

const a = testDocument("a")
const foreign = testOrigin("foreign")

async function folder(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "causeway-compacted-"))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

async function opened(directory: string): Promise<Store> {
  const store = await openHere.sqlite({ directory, node: undefined })
  onTestFinished(() => close(store))
  return store
}

/** As version 1 made it. */
const schema1 = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE origins (id INTEGER PRIMARY KEY, origin TEXT NOT NULL UNIQUE);
  CREATE TABLE documents (id INTEGER PRIMARY KEY, document TEXT NOT NULL UNIQUE);
  CREATE TABLE entries (
    id INTEGER PRIMARY KEY, -- origins.id * 2^40 + seq
    document INTEGER NOT NULL,
    entry BLOB NOT NULL -- checksum, hash, record (seal.ts)
  );
  CREATE INDEX entries_by_document ON entries (document);
  CREATE TABLE clients (client BLOB PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
`

/** Puts what a folder's database holds into one that version 1 would have made. */
async function downgrade(directory: string): Promise<void> {
  const path = join(directory, DATABASE_FILE)
  const old = new Database(`${path}.1`)
  old.exec(schema1)
  old.pragma("application_id = 1131640697")
  old.pragma("user_version = 1")
  old.exec(`
    ATTACH '${path}' AS new;
    INSERT INTO meta SELECT * FROM new.meta;
    INSERT INTO origins SELECT id, origin FROM new.origins;
    INSERT INTO documents SELECT * FROM new.documents;
    INSERT INTO entries SELECT * FROM new.entries;
    INSERT INTO clients SELECT client, seq FROM new.clients;
    DETACH new`)
  old.close()
  await rm(path)
  const moved = new Database(`${path}.1`)
  moved.exec(`VACUUM INTO '${path}'`)
  moved.close()
  await rm(`${path}.1`)
}

test("[K1] a folder of version 1 opens as it was, folds and truncates from then on", async () => {
  const directory = await folder()
  const first = await opened(directory)
  const records = [1, 2, 3].map((seq) =>
    testRecord({ document: a, author: [7, seq], body: Uint8Array.of(seq) }),
  )
  const adopted = [{ origin: foreign, firstSeq: 1, records }]
  await appended(first, { own: records, adopted })
  const { origin, heads } = (await close(first), first.opened)
  const before = await opened(directory)
  const entries = byOrigin(await readDocument(before, a))
  await close(before)
  await downgrade(directory)
  const store = await opened(directory)
  expect(store.opened).toMatchObject({ origin, renewed: undefined, floors: [] })
  expect(new Map(store.opened.heads)).toEqual(new Map(before.opened.heads))
  expect(heads).toEqual(first.opened.heads)
  expect(byOrigin(await readDocument(store, a))).toEqual(entries)
  expect(await readClient(store, testClient(7))).toBe(3)
  const folded = new VersionVector([
    [origin, 3],
    [foreign, 3],
  ])
  const snapshots = [{ document: a, state: Uint8Array.of(9), folded }]
  await appended(store, { snapshots, floors: [[origin, 3]] })
  await close(store)
  const again = await opened(directory)
  expect(again.opened.floors.map(([of, { seq }]) => [of, seq])).toEqual([[origin, 3]])
  expect(await read(again, { type: "origin", origin, fromSeq: 1, bytesMax: 1 })).toMatchObject({
    type: "truncated",
  })
  expect((await readOrigin(again, foreign)).run.records).toHaveLength(3)
  expect(await readClient(again, testClient(7))).toBe(3)
})

test("[K12] [K5] a snapshot that is gone is no document without one", async () => {
  const directory = await folder()
  const first = await opened(directory)
  const { origin } = first.opened
  const records = [1, 2, 3].map((seq) => testRecord({ document: a, body: Uint8Array.of(seq) }))
  await appended(first, { own: records })
  const folded = new VersionVector([[origin, 3]])
  await appended(first, { snapshots: [{ document: a, state: Uint8Array.of(9), folded }] })
  await close(first)
  const database = new Database(join(directory, DATABASE_FILE))
  database.exec("DELETE FROM snapshots")
  database.close()
  const store = await opened(directory)
  const since = new VersionVector()
  const corrupt = { type: "failed", code: "corrupt" }
  expect(await read(store, { type: "document", document: a, since })).toMatchObject(corrupt)
  const query = { type: "sound-floors", floors: [[origin, 3]], bytesMax: 1 } as const
  const sound = { type: "sound-floors", floors: [], unreadable: [a] }
  expect(await read(store, query)).toEqual(sound)
  await close(store)
  const again = await openHere.sqlite({ directory, node: undefined, doubt: { why: "corrupt" } })
  onTestFinished(() => close(again))
  expect(again.opened.renewed).toMatchObject({ lostCount: 0, lostDocuments: [] })
  expect((await readDocument(again, a)).map(({ record }) => bodyOf(record)[0])).toEqual([1, 2, 3])
})

const LOG_BYTES_MAX = 400_000

type Written = {
  readonly doc: Y.Doc
  readonly document: DocumentId
  /** Not in the store yet. */
  updates: Uint8Array[]
  tail: number
}

/** Documents as they are written, and a log that is kept within a cap by hand, as the core does. */
class Writing {
  readonly docs: readonly Written[] = Array.from({ length: 20 }, (_, index) => {
    const doc = new Y.Doc()
    doc.clientID = index + 1
    const one: Written = { doc, document: testDocument(`d${index}`), updates: [], tail: 0 }
    doc.on("update", (update: Uint8Array) => one.updates.push(update))
    return one
  })
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  /** 50 edits of one document in one batch. */
  async write(round: number): Promise<void> {
    const one = this.docs[round % this.docs.length]
    if (one === undefined) return
    const { doc, document } = one
    for (let edit = 0; edit < 50; edit++) {
      doc.getMap("map").set(`key ${edit % 10}`, `${round} ${edit} ${"x".repeat(100)}`)
    }
    await appended(this.#store, { own: one.updates.map((body) => testRecord({ document, body })) })
    one.tail += one.updates.length
    one.updates = []
    if (one.tail > 256) await this.fold(one)
  }

  async fold(one: Pick<Written, "document" | "tail">): Promise<void> {
    const { document } = one
    const query = { type: "document", document, since: new VersionVector() } as const
    const result = await read(this.#store, query)
    if (result.type !== "document") throw new Error(JSON.stringify(result))
    const { snapshot, entries } = result
    const folded = snapshot?.folded.clone() ?? new VersionVector()
    for (const { origin, seq } of entries) folded.raise(origin, seq)
    const parts = entries.map(({ record }) => bodyOf(record))
    if (snapshot !== undefined) parts.push(snapshot.state)
    const state = yjsEngine.compact(yjsEngine.merge(parts))
    await appended(this.#store, { snapshots: [{ document, state, folded }] })
    one.tail = 0
  }

  /** Gives what the store says it takes. */
  async truncate(): Promise<{ logBytes: number; snapshotBytes: number }> {
    const { origin } = this.#store.opened
    const upTo = new VersionVector([[origin, 1e9]])
    const result = await read(this.#store, { type: "foldable", upTo, limit: 4 })
    if (result.type !== "foldable") throw new Error(JSON.stringify(result))
    if (result.logBytes > LOG_BYTES_MAX) {
      for (const document of result.documents) await this.fold({ document, tail: 0 })
    }
    await appended(this.#store, { floors: result.floors })
    return result
  }
}

test("[K11] after a long run the file is within 2 × (documents + capped log)", async () => {
  const directory = await folder()
  const store = await opened(directory)
  const writing = new Writing(store)
  let largest = 0
  let written = 0
  for (let round = 0; round < 600; round++) {
    await writing.write(round)
    written += 50 * 130
    if (round % 5 === 4) largest = Math.max(largest, (await writing.truncate()).logBytes)
  }
  for (let round = 0; round < 200; round++) await appended(store, {})
  const sizes = await writing.truncate()
  await close(store)
  const { size } = await stat(join(directory, DATABASE_FILE))
  const compacted = writing.docs.reduce((sum, { doc }) => {
    return sum + yjsEngine.compact(Y.encodeStateAsUpdate(doc)).length
  }, 0)
  expect(written).toBeGreaterThan(4 * (compacted + LOG_BYTES_MAX))
  expect(size).toBeLessThan(2 * (compacted + LOG_BYTES_MAX))
  expect(largest).toBeLessThan(4 * LOG_BYTES_MAX)
  expect(sizes.snapshotBytes).toBeGreaterThan(0)
}, 120_000)
