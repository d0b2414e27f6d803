/**
 * The price of durability on this disk, without any server: append or overwrite 4 KB and
 * `fdatasync`, again and again. Overwriting is what a write-ahead log does once it has its size,
 * and is the cheaper of the two. Between writes it rests as long as the measured clients do: a disk
 * and a processor that have gone to sleep answer later, whoever asks.
 */
import { closeSync, fdatasyncSync, fsyncSync, openSync, rmSync, writeSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { percentile } from "./statistics.ts"

const blockBytes = 4096
const blocks = 200

export type DiskSync = { readonly p50Ms: number; readonly p99Ms: number }

/** Times 200 synced 4 KB writes to a scratch file in `folder`, 5 to 15 ms apart. */
export async function measureDiskSync(
  folder: string,
  kind: "append" | "overwrite",
): Promise<DiskSync> {
  const path = join(folder, "disk-sync.scratch")
  const block = Buffer.alloc(blockBytes, 1)
  const file = openSync(path, "w")
  try {
    if (kind === "overwrite") {
      for (let index = 0; index < blocks; index += 1) writeSync(file, block)
      fsyncSync(file)
    }
    const times: number[] = []
    for (let index = 0; index < blocks; index += 1) {
      const startMs = performance.now()
      writeSync(file, block, 0, blockBytes, index * blockBytes)
      fdatasyncSync(file)
      times.push(performance.now() - startMs)
      await delay(5 + (index % 11))
    }
    return { p50Ms: percentile(times, 50), p99Ms: percentile(times, 99) }
  } finally {
    closeSync(file)
    rmSync(path, { force: true })
  }
}
