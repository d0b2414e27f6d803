/**
 * Checks LevelDB's table files, which LevelDB reads without verifying them: on a damaged block its
 * assertions can end the process. A table with damaged blocks gets a new index behind its old one,
 * which names the sound blocks alone; after that LevelDB's repair takes it for what it is. A table
 * whose index is damaged is moved aside whole. Source: LevelDB's doc/table_format.md; blocks are
 * not compressed (database.ts).
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Writer } from "@causeway/crdt/base"
import { errorCode } from "../errors.ts"
import { maskedCrc32c } from "./crc32c.ts"

const FOOTER_BYTES = 48
const MAGIC_BYTES = 8
/** Behind each block: how it is compressed, and its checksum. */
const TRAILER_BYTES = 5
const magic: Buffer = Buffer.from("57fb808b247547db", "hex")

type Handle = { readonly offset: number; readonly size: number }
type IndexEntry = { readonly key: Buffer; readonly handle: Handle }
type Footer = { readonly meta: Handle; readonly index: Handle }

/** Bad blocks of all tables of a folder, mended; what is not sound is not reached any more. */
export function mendTables(path: string): number {
  let damaged = 0
  for (const name of tableNames(path)) {
    const file = join(path, name)
    const bytes = readFileSync(file)
    const entries = readIndex(bytes)
    const sound = entries?.filter(({ handle }) => isBlockSound(bytes, handle)) ?? []
    if (entries !== undefined && sound.length === entries.length && isMetaSound(bytes)) continue
    damaged += Math.max(1, (entries?.length ?? 0) - sound.length)
    if (sound.length === 0) moveAside(path, name)
    else replaceFile(file, Buffer.concat([bytes, newEnd(bytes.length, sound)]))
  }
  return damaged
}

/** Whether any table has a block that is not sound. O(bytes). */
export function hasDamagedTable(path: string): boolean {
  return tableNames(path).some((name) => {
    const bytes = readFileSync(join(path, name))
    const entries = readIndex(bytes)
    return (
      entries?.every(({ handle }) => isBlockSound(bytes, handle)) !== true || !isMetaSound(bytes)
    )
  })
}

function tableNames(path: string): string[] {
  try {
    return readdirSync(path).filter((name) => /\.(?:ldb|sst)$/.test(name))
  } catch (error) {
    if (errorCode(error) === "ENOENT") return []
    throw error
  }
}

function isBlockSound(bytes: Buffer, { offset, size }: Handle): boolean {
  const end = offset + size + TRAILER_BYTES
  if (end > bytes.length - FOOTER_BYTES) return false
  const crc = bytes.readUInt32LE(end - 4)
  // Blocks of no compression are of type 0; others this store does not write.
  return bytes[offset + size] === 0 && maskedCrc32c(bytes.subarray(offset, end - 4)) === crc
}

/** The filter, where there is one, decides what is looked for at all. */
function isMetaSound(bytes: Buffer): boolean {
  const footer = readFooter(bytes)
  if (footer === undefined || !isBlockSound(bytes, footer.meta)) return false
  const filters = readBlock(bytes, footer.meta)
  return filters?.every(({ handle }) => isBlockSound(bytes, handle)) === true
}

/** Undefined if it is damaged. */
function readIndex(bytes: Buffer): IndexEntry[] | undefined {
  const footer = readFooter(bytes)
  if (footer === undefined || !isBlockSound(bytes, footer.index)) return undefined
  return readBlock(bytes, footer.index)
}

function readFooter(bytes: Buffer): Footer | undefined {
  const start = bytes.length - FOOTER_BYTES
  if (start < 0 || !bytes.subarray(-MAGIC_BYTES).equals(magic)) return undefined
  const cursor = new Cursor(bytes, start, bytes.length - MAGIC_BYTES)
  const meta = cursor.handle()
  const index = cursor.handle()
  return cursor.isBroken ? undefined : { meta, index }
}

/** The entries of a block whose values are handles. */
function readBlock(bytes: Buffer, { offset, size }: Handle): IndexEntry[] | undefined {
  const end = offset + size
  if (size < 4) return undefined
  const restartBytes = 4 * (bytes.readUInt32LE(end - 4) + 1)
  const cursor = new Cursor(bytes, offset, end - restartBytes)
  const entries: IndexEntry[] = []
  let previous = Buffer.alloc(0)
  while (!cursor.isBroken && !cursor.isAtEnd) {
    const shared = cursor.varUint()
    const added = cursor.varUint()
    const valueBytes = cursor.varUint()
    previous = Buffer.concat([previous.subarray(0, shared), cursor.take(added)])
    const handle = new Cursor(cursor.take(valueBytes), 0, valueBytes).handle()
    entries.push({ key: previous, handle })
  }
  return cursor.isBroken ? undefined : entries
}

/** An index of these blocks and a footer, to stand at `offset`; no filter. */
function newEnd(offset: number, entries: readonly IndexEntry[]): Buffer {
  const metaBlock = block([])
  const indexBlock = block(entries)
  const writer = new Writer(FOOTER_BYTES)
  writer.varUint(offset).varUint(metaBlock.length - TRAILER_BYTES)
  writer.varUint(offset + metaBlock.length).varUint(indexBlock.length - TRAILER_BYTES)
  const footer = Buffer.alloc(FOOTER_BYTES)
  footer.set(writer.finish())
  footer.set(magic, FOOTER_BYTES - MAGIC_BYTES)
  return Buffer.concat([metaBlock, indexBlock, footer])
}

/** A block with its trailer; every key is whole. */
function block(entries: readonly IndexEntry[]): Buffer {
  const restarts: number[] = []
  const writer = new Writer(1024)
  for (const { key, handle } of entries) {
    restarts.push(writer.length)
    const value = new Writer(16).varUint(handle.offset).varUint(handle.size).finish()
    writer.varUint(0).varUint(key.length).varUint(value.length).raw(key).raw(value)
  }
  if (restarts.length === 0) restarts.push(0)
  const array = Buffer.alloc(4 * (restarts.length + 1))
  for (const [index, restart] of [...restarts, restarts.length].entries()) {
    array.writeUInt32LE(restart, 4 * index)
  }
  const content = Buffer.concat([writer.finish(), array, Buffer.of(0)])
  const crc = Buffer.alloc(4)
  crc.writeUInt32LE(maskedCrc32c(content), 0)
  return Buffer.concat([content, crc])
}

function moveAside(path: string, name: string): void {
  const lost = join(path, "lost")
  mkdirSync(lost, { recursive: true })
  renameSync(join(path, name), join(lost, name))
}

function replaceFile(file: string, content: Buffer): void {
  const staged = `${file}.mended`
  writeFileSync(staged, content, { flush: true })
  renameSync(staged, file)
}

/** Reads without throwing: past the end it is broken, and gives nothing. */
class Cursor {
  readonly #bytes: Buffer
  readonly #end: number
  #at: number
  isBroken = false

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
    this.isBroken = end < start || end > bytes.length
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end
  }

  varUint(): number {
    let value = 0
    for (let factor = 1; factor <= 2 ** 49; factor *= 128) {
      const byte = this.take(1)[0] ?? 0
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
    }
    this.isBroken = true
    return 0
  }

  handle(): Handle {
    return { offset: this.varUint(), size: this.varUint() }
  }

  take(length: number): Buffer {
    if (this.isBroken || this.#at + length > this.#end) {
      this.isBroken = true
      return Buffer.alloc(0)
    }
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }
}
