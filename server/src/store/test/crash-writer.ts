/** A process that appends until it is killed, for the crash cases of the store contract. */
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { setTimeout as sleep } from "node:timers/promises"
import type { CrashFixture } from "@causeway/crdt/testing"

type FolderFixture = Omit<CrashFixture, "crash"> & { readonly directory: string }

/** `file`: run by node with a folder, it opens the store there and runs `crashWriter`. */
export async function crashFixture(
  file: string,
  fixture: () => Promise<FolderFixture>,
): Promise<CrashFixture> {
  const made = await fixture()
  return { ...made, crash: (round) => crash(file, made.directory, round) }
}

/** Kills a writer some milliseconds after its first ack; gives the last seq that it printed. */
async function crash(file: string, directory: string, round: number): Promise<number> {
  const writer = spawn(process.execPath, [file, directory], {
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
