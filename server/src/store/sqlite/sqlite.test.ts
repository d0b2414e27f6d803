/**
 * SQLite against the store contract, crash cases included. Run by node itself instead of the
 * test runner, this file is the process that appends until it is killed.
 */
import { spawn } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { crashWriter, storeContract } from "@causeway/crdt/testing"
import type { CrashFixture } from "@causeway/crdt/testing"
import { openSqliteStore } from "./index.ts"

const thisFile = fileURLToPath(import.meta.url)
const writerDirectory = process.argv[1] === thisFile ? process.argv[2] : undefined

if (writerDirectory === undefined) {
  storeContract("sqlite", {
    fixture,
    supports: { durable: true, crash: { fixture: crashFixture, rounds: 6 } },
    modelRuns: 5,
  })
} else {
  const store = await openSqliteStore({ directory: writerDirectory, node: undefined })
  await crashWriter(store, (seq) => process.stdout.write(`${seq}\n`))
}

async function fixture() {
  const directory = await mkdtemp(join(tmpdir(), "causeway-store-"))
  return {
    directory,
    open: () => openSqliteStore({ directory, node: undefined }),
    remove: () => rm(directory, { recursive: true, force: true }),
  }
}

async function crashFixture(): Promise<CrashFixture> {
  const made = await fixture()
  return { ...made, crash: (round) => crash(made.directory, round) }
}

/** Kills a writer some milliseconds after its first ack; gives the last seq that it printed. */
async function crash(directory: string, round: number): Promise<number> {
  const writer = spawn(process.execPath, [thisFile, directory], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  let acked = 0
  let killing: Promise<unknown> | undefined
  for await (const line of createInterface({ input: writer.stdout })) {
    acked = Number(line)
    killing ??= sleep((round * 37) % 230).then(() => writer.kill("SIGKILL"))
  }
  await killing
  return acked
}
