/**
 * `causeway backup`: takes a copy of a running node over HTTP, looks through all of it, and only
 * then gives it its name. Rules [B2] [B3].
 */
import { createHash } from "node:crypto"
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { open } from "node:fs/promises"
import type { FileHandle } from "node:fs/promises"
import { join } from "node:path"
import type { Inspection } from "../doctor/findings.ts"
import { errorMessage } from "../store/errors.ts"
import { storeKinds } from "../store/index.ts"
import type { StoreKind } from "../store/index.ts"
import { dataFiles, MANIFEST_FILE, manifestOf, putStore, verified } from "./backup-file.ts"
import type { Manifest } from "./backup-file.ts"
import { CommandError, say } from "./command-error.ts"
import { checkVacant, fillFolder } from "./folders.ts"
import { adminHeaders, httpBase } from "./node-address.ts"

export type BackupOptions = {
  readonly url: string
  readonly to: string
  readonly adminToken?: string
}

/** A line of the answer. Past it: it is none. */
const lineBytesMax = 64 * 1024
const RECEIVED_FILE = "received"

export async function backup({ url, to, adminToken }: BackupOptions): Promise<number> {
  checkVacant(to)
  const target = `${httpBase(url)}/v1/backup`
  const body = await request(target, adminHeaders(adminToken))
  const manifest = await fillFolder(to, async (staged) => {
    const received = join(staged, RECEIVED_FILE)
    const { bytes, sha256, store } = await receive(body, received)
    const data = join(staged, dataFiles[store])
    renameSync(received, data)
    say("looking through the copy")
    const made: Manifest = manifestOf(await looked(data, store, staged), bytes, sha256)
    writeFileSync(join(staged, MANIFEST_FILE), `${JSON.stringify(made, undefined, 2)}\n`)
    return made
  })
  const { node, entries, documents, bytes } = manifest
  process.stdout.write(
    `${to}: ${entries} entries, ${documents} documents, ${megabytes(bytes)} of node ${node}\n`,
  )
  return 0
}

/** An archive is looked through as the store that it becomes. */
async function looked(data: string, store: StoreKind, staged: string): Promise<Inspection> {
  if (store === "sqlite") return verified(staged)
  const unpacked = join(staged, "unpacked")
  mkdirSync(unpacked)
  await putStore(data, store, unpacked)
  const inspection = await verified(unpacked)
  rmSync(unpacked, { recursive: true })
  return inspection
}

async function request(
  target: string,
  headers: Readonly<Record<string, string>>,
): Promise<ReadableStream<Uint8Array>> {
  let response: Response
  try {
    response = await fetch(target, { headers })
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error
    throw new CommandError(`cannot reach ${target}: ${errorMessage(cause)}`)
  }
  if (response.ok && response.body !== null) return response.body
  const text = await response.text()
  throw new CommandError(`${target} answered ${response.status}: ${messageIn(text)}`)
}

function messageIn(text: string): string {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === "object" && value !== null && "error" in value) {
      const { error } = value
      if (typeof error === "object" && error !== null && "message" in error) {
        return String(error.message)
      }
    }
  } catch {
    // Something else answers there.
  }
  return text.slice(0, 200).replaceAll("\n", " ")
}

type Said = {
  readonly making?: { readonly done: number; readonly total: number }
  readonly bytes?: number
  readonly store?: string
  readonly sha256?: string
  readonly error?: { readonly message: string }
}

type Received = { readonly bytes: number; readonly sha256: string; readonly store: StoreKind }

/** Writes the file that comes; gives its size and digest, which the node said too. */
async function receive(body: ReadableStream<Uint8Array>, file: string): Promise<Received> {
  const handle = await open(file, "wx", 0o600)
  const receiver = new Receiver(handle)
  try {
    for await (const chunk of body) await receiver.take(chunk)
    await handle.sync()
  } catch (error) {
    if (error instanceof CommandError) throw error
    throw new CommandError(`the backup broke off: ${errorMessage(error)}`)
  } finally {
    await handle.close()
  }
  return receiver.finish()
}

class Receiver {
  readonly #handle: FileHandle
  readonly #hash = createHash("sha256")
  #line = Buffer.alloc(0)
  /** Bytes of the file that are still to come; undefined before it begins. */
  #left: number | undefined
  #bytes = 0
  #store: StoreKind = "sqlite"
  #sha256: string | undefined
  #saidMs = 0

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  async take(chunk: Uint8Array): Promise<void> {
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
    while (rest.length > 0) {
      if (this.#left !== undefined && this.#left > 0) {
        const part = rest.subarray(0, this.#left)
        rest = rest.subarray(part.length)
        this.#left -= part.length
        this.#hash.update(part)
        await this.#handle.writeFile(part)
        this.#sayProgress(`received ${megabytes(this.#bytes - this.#left)}`)
        continue
      }
      const end = rest.indexOf(0x0a)
      this.#line = Buffer.concat([this.#line, end < 0 ? rest : rest.subarray(0, end)])
      if (this.#line.length > lineBytesMax) throw new CommandError("that is no backup")
      rest = end < 0 ? Buffer.alloc(0) : rest.subarray(end + 1)
      if (end < 0) continue
      this.#onLine(parse(this.#line.toString("utf8")))
      this.#line = Buffer.alloc(0)
    }
  }

  #onLine({ making, bytes, store = "sqlite", sha256, error }: Said): void {
    if (error !== undefined) throw new CommandError(`the node made no backup: ${error.message}`)
    if (making !== undefined && making.total > 0) {
      const percent = Math.floor((making.done / making.total) * 100)
      this.#sayProgress(`the node makes a copy: ${percent} %`)
    }
    if (bytes !== undefined) {
      const kind = storeKinds.find((one) => one === store)
      if (kind === undefined) throw new CommandError("the node is of a newer version; use that one")
      this.#store = kind
      this.#bytes = bytes
      this.#left = bytes
    }
    if (sha256 !== undefined) this.#sha256 = sha256
  }

  #sayProgress(message: string): void {
    if (performance.now() - this.#saidMs < 1000) return
    this.#saidMs = performance.now()
    say(message)
  }

  finish(): Received {
    const sha256 = this.#hash.digest("hex")
    if (this.#left !== 0 || this.#sha256 === undefined) {
      throw new CommandError("the backup broke off: the node ended it early")
    }
    if (this.#sha256 !== sha256) throw new CommandError("the backup was damaged on its way")
    return { bytes: this.#bytes, sha256, store: this.#store }
  }
}

function parse(text: string): Said {
  try {
    const value: unknown = JSON.parse(text)
    // Whatever is in it is only used as what it is said to be, and checked by digest.
    if (typeof value === "object" && value !== null) return value
  } catch {
    // Told below.
  }
  throw new CommandError("that is no backup")
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`
}
