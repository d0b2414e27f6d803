/**
 * SQLite against the store contract, crash cases included. Run by node itself instead of the
 * test runner, this file is the process that appends until it is killed.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import Database from "better-sqlite3"
import type { DocumentId } from "@causeway/crdt/base"
import type { Dot } from "@causeway/crdt/clock"
import type { ReopenDoubt } from "@causeway/crdt/ports"
import { crashWriter, storeBasics, storeContract } from "@causeway/crdt/testing"
import { crashFixture } from "../test/crash-writer.ts"
import { openHere } from "../test/same-thread.ts"
import { openSqliteStore } from "./index.ts"
import { DATABASE_FILE, entryId } from "./schema.ts"

const thisFile = fileURLToPath(import.meta.url)
const writerDirectory = process.argv[1] === thisFile ? process.argv[2] : undefined

if (writerDirectory === undefined) {
  const threaded = () => fixture(openSqliteStore)
  const crash = { fixture: () => crashFixture(thisFile, threaded), rounds: 6 }
  const supports = { durable: true, damage: true, crash }
  storeContract("sqlite", { fixture: () => fixture(openHere.sqlite), supports, modelRuns: 5 })
  storeBasics("sqlite in its thread", { fixture: threaded, supports, modelRuns: 5 })
} else {
  const store = await openSqliteStore({ directory: writerDirectory, node: undefined })
  await crashWriter(store, (seq) => process.stdout.write(`${seq}\n`))
}

async function fixture(openStore: typeof openSqliteStore) {
  const directory = await mkdtemp(join(tmpdir(), "causeway-store-"))
  return {
    directory,
    open: (doubt?: ReopenDoubt) => openStore({ directory, node: undefined, doubt }),
    damage: async (dots: readonly Dot[]) => damage(directory, dots),
    damageSnapshots: async (documents: readonly DocumentId[]) => {
      damageSnapshots(directory, documents)
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  }
}

/** Turns one bit of each snapshot's state. */
function damageSnapshots(directory: string, documents: readonly DocumentId[]): void {
  const database = new Database(join(directory, DATABASE_FILE))
  const where = "WHERE document = (SELECT id FROM documents WHERE document = ?)"
  const state = database.prepare<[string], { state: Buffer }>(
    `SELECT state FROM snapshots ${where}`,
  )
  const put = database.prepare(`UPDATE snapshots SET state = ? ${where}`)
  for (const document of documents) {
    const bytes = state.get(document)?.state ?? Buffer.alloc(0)
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
    put.run(bytes, document)
  }
  database.close()
}

/** Turns one bit of each entry. */
function damage(directory: string, dots: readonly Dot[]): void {
  const database = new Database(join(directory, DATABASE_FILE))
  const row = database.prepare<[string], { id: number }>("SELECT id FROM origins WHERE origin = ?")
  const entry = database.prepare<[number], { entry: Buffer }>(
    "SELECT entry FROM entries WHERE id = ?",
  )
  const put = database.prepare("UPDATE entries SET entry = ? WHERE id = ?")
  for (const { origin, seq } of dots) {
    const id = entryId(row.get(origin)?.id ?? 0, seq)
    const bytes = entry.get(id)?.entry ?? Buffer.alloc(0)
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
    put.run(bytes, id)
  }
  database.close()
}
