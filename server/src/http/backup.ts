/**
 * `GET /v1/backup`: a copy of the whole log as it is between two commits. The body is lines of
 * JSON, and behind the line that says how many bytes the file has, those bytes: first
 * `{"making": {"done", "total"}}` about once a second, then `{"bytes", "store"}`, the file,
 * `{"sha256"}`; or `{"error": {"code", "message"}}` if it fails. The copy is made in the data
 * folder, by the store's thread, and gone when the answer ends, however that is. Rule [B2].
 */
import { createHash, randomBytes } from "node:crypto"
import { readdirSync, rmSync } from "node:fs"
import { open, readdir, stat, statfs } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type { Store } from "@causeway/crdt/ports"
import type { FolderChoice, StoreChoice } from "../open-store.ts"
import { errorMessage } from "../store/errors.ts"
import { storeEntry } from "../store/kinds.ts"
import type { StoreKind } from "../store/index.ts"
import { canBackUp, noBackups } from "../store/thread/backup.ts"
import type { Backup, BackupProgress, BackupStore } from "../store/thread/backup.ts"
import { failure } from "./documents.ts"
import type { Answer } from "./documents.ts"

const backupLimits = {
  progressMs: 1000,
  chunkBytes: 256 * 1024,
  /** What must be left on the disk beside the copy. */
  spareBytes: 64 * 1024 * 1024,
} as const

const stagedName = /^backup-[0-9a-f]{8}\.tmp/

export type BackupsOptions = {
  readonly store: () => Store
  readonly choice: StoreChoice
}

export class Backups {
  readonly #options: BackupsOptions
  #isBusy = false

  /** What a process left behind that ended while it made one is removed. */
  constructor(options: BackupsOptions) {
    this.#options = options
    const { choice } = options
    if (choice.type === "memory") return
    for (const name of readdirSync(choice.directory)) {
      if (stagedName.test(name)) rmSync(join(choice.directory, name))
    }
  }

  /** The body, or why there is none. */
  async start(): Promise<ReadableStream<Uint8Array> | Answer> {
    const { choice } = this.#options
    const store = this.#options.store()
    if (choice.type === "memory" || !canBackUp(store)) {
      return failure(501, "no-backup", noBackups)
    }
    if (this.#isBusy) return failure(503, "overloaded", "another backup is being made; try later")
    this.#isBusy = true
    try {
      if (await hasRoom(choice)) return streamOf(this.#body(store, choice))
    } catch (error) {
      this.#isBusy = false
      return failure(503, "backup-failed", errorMessage(error))
    }
    this.#isBusy = false
    return failure(507, "store-full", "a backup is made beside the data, and there is no room")
  }

  async *#body(store: BackupStore, { type, directory }: FolderChoice): AsyncGenerator<Uint8Array> {
    const file = join(directory, `backup-${randomBytes(4).toString("hex")}.tmp`)
    let progress: BackupProgress = { done: 0, total: 0 }
    const backup = store.backup(file, (latest) => (progress = latest))
    const end = settled(backup)
    try {
      for (;;) {
        const over = await Promise.race([end, sleep(backupLimits.progressMs)])
        yield line({ making: progress })
        if (over?.failed !== undefined) {
          yield line({ error: { code: "backup-failed", message: over.failed } })
          return
        }
        if (over !== undefined) break
      }
      yield* fileBody(file, type)
    } finally {
      backup.cancel()
      await end
      for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(file + suffix, { force: true })
      this.#isBusy = false
    }
  }
}

/** Ends with whoever reads it, so that what is staged is removed in any case. */
function streamOf(body: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await body.next()
      if (done === true) controller.close()
      else controller.enqueue(value)
    },
    async cancel() {
      await body.return(undefined)
    },
  })
}

/** Once it is made, or why it is not. */
async function settled({ finished }: Backup): Promise<{ readonly failed: string | undefined }> {
  try {
    await finished
    return { failed: undefined }
  } catch (error) {
    return { failed: errorMessage(error) }
  }
}

async function* fileBody(file: string, store: StoreKind): AsyncGenerator<Uint8Array> {
  const handle = await open(file, "r")
  try {
    const { size } = await handle.stat()
    yield line({ bytes: size, store })
    const hash = createHash("sha256")
    const { chunkBytes: highWaterMark } = backupLimits
    const options = { highWaterMark, start: 0, end: Math.max(0, size - 1), autoClose: false }
    for await (const chunk of handle.createReadStream(options)) {
      if (!(chunk instanceof Uint8Array)) continue
      hash.update(chunk)
      yield chunk
    }
    yield line({ sha256: hash.digest("hex") })
  } finally {
    await handle.close()
  }
}

function line(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value)}\n`)
}

async function hasRoom({ type, directory }: FolderChoice): Promise<boolean> {
  const { bavail, bsize } = await statfs(directory)
  return bavail * bsize >= (await storedBytes(type, directory)) + backupLimits.spareBytes
}

async function storedBytes(type: StoreKind, directory: string): Promise<number> {
  const path = join(directory, storeEntry(type))
  if (type === "sqlite") return (await stat(path)).size
  let bytes = 0
  for (const name of await readdir(path)) {
    // LevelDB deletes what it needs no more at any time.
    bytes += (await stat(join(path, name)).catch(() => undefined))?.size ?? 0
  }
  return bytes
}
