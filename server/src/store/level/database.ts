/**
 * LevelDB as this store uses it: whole batches, each synced, and reads of single keys and ranges.
 * After a write that failed LevelDB's log is in an unknown state: the batch may be in it or not,
 * and what is written behind half a batch may not be read again. So nothing is written until the
 * batch was cut off and the database opened again; reads go on meanwhile, from what was there.
 */
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from "node:fs"
import { readdir, stat } from "node:fs/promises"
import { join } from "node:path"
import { Level } from "level"
import { asLevelError, isDamage } from "./failures.ts"
import type { KeyRange } from "./keys.ts"
import { LogEnd } from "./log-end.ts"

/** A put, or without a value a deletion. */
export type Operation = readonly [key: Buffer, value: Buffer | undefined]

export type Row = readonly [key: Buffer, value: Buffer]

/** What LevelDB holds in memory before it writes a table, twice at most, and its cache. */
const WRITE_BUFFER_BYTES = 4 * 1024 * 1024
const CACHE_BYTES = 8 * 1024 * 1024
/** Opening writes what the log holds into a table, and little else. */
const MARGIN_BYTES = 128 * 1024
const PAGE_ROWS = 512
const PAGE_BYTES = 256 * 1024

const options = {
  keyEncoding: "buffer",
  valueEncoding: "buffer",
  writeBufferSize: WRITE_BUFFER_BYTES,
  cacheSize: CACHE_BYTES,
  // Blocks as they are can be checked, and read, without LevelDB (tables.ts).
  compression: false,
} as const

export class LevelDatabase {
  readonly #path: string
  #level: Level<Buffer, Buffer>
  #end: LogEnd
  #isBroken = false

  private constructor(path: string, level: Level<Buffer, Buffer>) {
    this.#path = path
    this.#level = level
    this.#end = new LogEnd(path)
  }

  /** Makes the folder if it is not there. @throws LevelError */
  static async open(path: string): Promise<LevelDatabase> {
    return new LevelDatabase(path, await openLevel(path))
  }

  get(key: Buffer): Buffer | undefined {
    try {
      return this.#level.getSync(key)
    } catch (error) {
      throw asLevelError(error)
    }
  }

  /** Undefined also where LevelDB can't read the key for damage. */
  getReadable(key: Buffer): Buffer | undefined {
    try {
      return this.get(key)
    } catch (error) {
      if (isDamage(error)) return undefined
      throw error
    }
  }

  /** The rows of a range in pages, in order of their keys. */
  pages(range: KeyRange): AsyncGenerator<readonly Row[]> {
    return pagesOf(this.#level.iterator({ ...range, highWaterMarkBytes: PAGE_BYTES }))
  }

  /** Every row as it is now, whatever is written meanwhile. */
  allPages(): AsyncGenerator<readonly Row[]> {
    return this.pages(everything)
  }

  /** About how many there are. */
  async bytes(): Promise<number> {
    const files = await readdir(this.#path, { withFileTypes: true })
    const sizes = files.map(async (file) => {
      // LevelDB deletes what it needs no more at any time.
      const path = join(this.#path, file.name)
      return file.isFile() ? ((await stat(path).catch(() => undefined))?.size ?? 0) : 0
    })
    return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
  }

  /** What can be read of a range: it may end early. */
  async *readablePages(range: KeyRange): AsyncGenerator<readonly Row[]> {
    try {
      yield* this.pages(range)
    } catch (error) {
      if (!isDamage(error)) throw error
    }
  }

  /** The keys alone of a range. */
  keyPages(range: KeyRange): AsyncGenerator<readonly Buffer[]> {
    return pagesOf(this.#level.keys({ ...range, highWaterMarkBytes: PAGE_BYTES }))
  }

  /** All or nothing, and durable when it is done. @throws LevelError */
  async write(operations: readonly Operation[]): Promise<void> {
    if (this.#isBroken) await this.mend()
    try {
      await this.#level.batch(operations.map(asBatchOperation), { sync: true })
      this.#end.note()
    } catch (error) {
      this.#isBroken = true
      throw asLevelError(error)
    }
  }

  /** After a write that failed: makes the database one that can be written again. */
  async mend(): Promise<void> {
    if (!this.#isBroken) return
    this.#end.cut()
    probeSpace(this.#path, this.#end.bytes + MARGIN_BYTES)
    await this.close()
    // Closing may have written what was kept back.
    this.#end.cut()
    this.#level = await openLevel(this.#path)
    this.#end = new LogEnd(this.#path)
    this.#isBroken = false
  }

  async close(): Promise<void> {
    try {
      await this.#level.close()
    } catch (error) {
      throw asLevelError(error)
    }
  }
}

const everything: KeyRange = { gte: Buffer.of(0), lt: Buffer.of(0xff) }

type Pages<Item> = { nextv(size: number): Promise<Item[]>; close(): Promise<void> }

async function* pagesOf<Item>(iterator: Pages<Item>): AsyncGenerator<readonly Item[]> {
  try {
    for (;;) {
      const page = await iterator.nextv(PAGE_ROWS)
      if (page.length === 0) return
      yield page
    }
  } catch (error) {
    throw asLevelError(error)
  } finally {
    await iterator.close()
  }
}

function asBatchOperation([key, value]: Operation) {
  return value === undefined
    ? ({ type: "del", key } as const)
    : ({ type: "put", key, value } as const)
}

async function openLevel(path: string): Promise<Level<Buffer, Buffer>> {
  const level = new Level<Buffer, Buffer>(path, options)
  try {
    await level.open()
    return level
  } catch (error) {
    throw asLevelError(error)
  }
}

/** Throws the operating system's error where there is less space. */
function probeSpace(path: string, bytes: number): void {
  const probe = join(path, "space-probe")
  const descriptor = openSync(probe, "w", 0o600)
  try {
    const zeros = Buffer.alloc(bytes)
    for (let at = 0; at < zeros.length;) at += writeSync(descriptor, zeros, at)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
    rmSync(probe, { force: true })
  }
}
