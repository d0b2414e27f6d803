/**
 * A LevelDB store as one file, for backups: every row as it was at one moment, in order of keys,
 * from an iterator over LevelDB's own snapshot, which keeps no commit waiting. Whether the file is
 * whole its digest says (cli/backup-file.ts), and its end. Rules [B2] [B4].
 *
 *   "causeway level 1\n" | row, row, … | 0 0 (8 bytes) | how many rows (8 bytes)
 *   row: key's length (4 bytes) | value's length (4 bytes) | key | value
 */
import { rmSync } from "node:fs"
import { open } from "node:fs/promises"
import type { FileHandle } from "node:fs/promises"
import { dirname, join } from "node:path"
import { limits } from "@causeway/crdt/base"
import { syncDirectory } from "../directory.ts"
import type { BackupProgress } from "../thread/backup.ts"
import { LevelDatabase } from "./database.ts"
import type { Operation, Row } from "./database.ts"
import { LEVEL_FOLDER } from "./keys.ts"

const magic = Buffer.from("causeway level 1\n")
const HEAD_BYTES = 8
const END_BYTES = HEAD_BYTES + 8
/** Bytes between two syncs of the file; one at a time. */
const syncBytes = 4 * 1024 * 1024
/** Far above any. */
const keyBytesMax = 8192
const valueBytesMax = 2 * limits.documentReadBytesMax
/** A batch of the database that an archive becomes is written when it has so many bytes. */
const batchBytes = 1024 * 1024
const readBytes = 256 * 1024

/** A file that is there already is not touched. */
export async function writeArchive(
  database: LevelDatabase,
  file: string,
  goesOn: (progress: BackupProgress) => boolean,
): Promise<void> {
  const handle = await open(file, "wx", 0o600)
  try {
    await write(database, handle, goesOn)
    await handle.sync()
  } catch (error) {
    rmSync(file, { force: true })
    throw error
  } finally {
    await handle.close()
  }
  syncDirectory(dirname(file))
}

async function write(
  database: LevelDatabase,
  handle: FileHandle,
  goesOn: (progress: BackupProgress) => boolean,
): Promise<void> {
  // First the moment that the archive is of.
  const pages = database.allPages()
  const total = await database.bytes()
  let rows = 0
  let done = magic.length
  let syncedAt = 0
  await handle.writeFile(magic)
  for await (const page of pages) {
    // About how much there is is all that is known.
    if (!goesOn({ done, total: Math.max(done, total) })) throw new Error("called off")
    const bytes = packed(page)
    await handle.writeFile(bytes)
    rows += page.length
    done += bytes.length
    if (done - syncedAt < syncBytes) continue
    syncedAt = done
    await handle.datasync()
  }
  const end = Buffer.alloc(END_BYTES)
  end.writeDoubleLE(rows, HEAD_BYTES)
  await handle.writeFile(end)
  goesOn({ done, total: done })
}

function packed(rows: readonly Row[]): Buffer {
  return Buffer.concat(
    rows.flatMap(([key, value]) => {
      const head = Buffer.alloc(HEAD_BYTES)
      head.writeUInt32LE(key.length, 0)
      head.writeUInt32LE(value.length, 4)
      return [head, key, value]
    }),
  )
}

/** Makes the database of `directory`, which has none, of an archive. @throws Error if it is none */
export async function unpackArchive(file: string, directory: string): Promise<void> {
  const source = await Source.open(file)
  try {
    const database = await LevelDatabase.open(join(directory, LEVEL_FOLDER))
    try {
      await unpack(source, database)
    } finally {
      await database.close()
    }
  } finally {
    await source.close()
  }
}

async function unpack(source: Source, database: LevelDatabase): Promise<void> {
  if (!(await source.take(magic.length)).equals(magic)) throw new Error("it is no archive")
  let rows = 0
  let bytes = 0
  let batch: Operation[] = []
  for (;;) {
    const head = await source.take(HEAD_BYTES)
    const [keyBytes, valueBytes] = [head.readUInt32LE(0), head.readUInt32LE(4)]
    const isEnd = keyBytes === 0
    if (isEnd || bytes >= batchBytes) {
      if (batch.length > 0) await database.write(batch)
      batch = []
      bytes = 0
    }
    if (isEnd) break
    if (keyBytes > keyBytesMax || valueBytes > valueBytesMax) throw new Error("it is damaged")
    const row = await source.take(keyBytes + valueBytes)
    batch.push([row.subarray(0, keyBytes), row.subarray(keyBytes)])
    bytes += row.length
    rows += 1
  }
  if ((await source.take(8)).readDoubleLE(0) !== rows) throw new Error("it is damaged")
}

/** A file's bytes in order. */
class Source {
  readonly #handle: FileHandle
  #buffer = Buffer.alloc(0)

  private constructor(handle: FileHandle) {
    this.#handle = handle
  }

  static async open(file: string): Promise<Source> {
    return new Source(await open(file, "r"))
  }

  /** @throws Error if there are no more so many */
  async take(count: number): Promise<Buffer> {
    while (this.#buffer.length < count) {
      const wanted = Math.max(readBytes, count - this.#buffer.length)
      const { bytesRead, buffer } = await this.#handle.read(Buffer.alloc(wanted), 0, wanted)
      if (bytesRead === 0) throw new Error("it ends early")
      this.#buffer = Buffer.concat([this.#buffer, buffer.subarray(0, bytesRead)])
    }
    const taken = this.#buffer.subarray(0, count)
    this.#buffer = this.#buffer.subarray(count)
    return taken
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}
