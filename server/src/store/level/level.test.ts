/**
 * LevelDB against the store contract, crash cases included. Run by node itself instead of the test
 * runner, this file is the process that appends until it is killed.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { DocumentId } from "@causeway/crdt/base"
import type { Dot } from "@causeway/crdt/clock"
import type { ReopenDoubt } from "@causeway/crdt/ports"
import { crashWriter, storeBasics, storeContract } from "@causeway/crdt/testing"
import { crashFixture } from "../test/crash-writer.ts"
import { openHere } from "../test/same-thread.ts"
import { openLevelStore } from "./index.ts"
import { LevelDatabase } from "./database.ts"
import { documentKey, documentKeys, entryKey, LEVEL_FOLDER } from "./keys.ts"

const thisFile = fileURLToPath(import.meta.url)
const writerDirectory = process.argv[1] === thisFile ? process.argv[2] : undefined

if (writerDirectory === undefined) {
  const threaded = () => fixture(openLevelStore)
  const crash = { fixture: () => crashFixture(thisFile, threaded), rounds: 6 }
  const supports = { durable: true, damage: true, crash }
  storeContract("level", { fixture: () => fixture(openHere.level), supports, modelRuns: 5 })
  storeBasics("level in its thread", { fixture: threaded, supports, modelRuns: 5 })
} else {
  const store = await openLevelStore({ directory: writerDirectory, node: undefined })
  await crashWriter(store, (seq) => process.stdout.write(`${seq}\n`))
}

async function fixture(openStore: typeof openLevelStore) {
  const directory = await mkdtemp(join(tmpdir(), "causeway-level-"))
  return {
    directory,
    open: (doubt?: ReopenDoubt) => openStore({ directory, node: undefined, doubt }),
    damage: (dots: readonly Dot[]) => {
      return turnBits(
        directory,
        dots.map(({ origin, seq }) => entryKey(origin, seq)),
      )
    },
    damageSnapshots: (documents: readonly DocumentId[]) => {
      return turnBits(
        directory,
        documents.map((document) => documentKeys.state(documentKey(document))),
      )
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  }
}

/** Turns one bit of the value under each key. */
async function turnBits(directory: string, keys: readonly Buffer[]): Promise<void> {
  const database = await LevelDatabase.open(join(directory, LEVEL_FOLDER))
  for (const key of keys) {
    const bytes = Buffer.from(database.get(key) ?? Buffer.alloc(0))
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
    await database.write([[key, bytes]])
  }
  await database.close()
}
