/**
 * The store's thread, whatever keeps its log: a log's calls block or take their time, so they do
 * it here. Requests are served strictly in the order they come, each to its end before the next
 * begins, which is all the order the port asks for.
 */
import type { MessagePort } from "node:worker_threads"
import { DecodeError, InvariantError } from "@causeway/crdt/base"
import type { NodeId, OriginId } from "@causeway/crdt/base"
import type { AppendBatch, ReopenDoubt, StoreFailure } from "@causeway/crdt/ports"
import { asOpenError, errorMessage, isFull, RefusedError, UnreadableError } from "../errors.ts"
import { serveBackup } from "./backup.ts"
import type { BackupRequest, MakeBackup } from "./backup.ts"
import { decodeAppend, encodeAppended, encodeAppendFailure } from "./messages.ts"
import type { Appended, FromWorker, LogRequest, Opened, ReadReply } from "./messages.ts"
import type { ReadRequest, SideReply, SideRequest, ToWorker } from "./messages.ts"

export type WorkerOptions = {
  readonly directory: string
  readonly node: NodeId | undefined
  readonly doubt: ReopenDoubt | undefined
}

/** What opening a folder's log takes. */
export type FolderLogOptions = WorkerOptions & {
  readonly onCorrupt: (origin: OriginId, seq: number) => void
  readonly onTrouble: (message: string) => void
}

/** The log of one data folder, open. Its calls are made one at a time. */
export interface FolderLog {
  readonly opened: Opened
  /** Durable when it is done; when it throws, nothing of the batch is there. */
  append(batch: AppendBatch): Appended | Promise<Appended>
  /** What may happen after an append's result is out. */
  afterAppend(): void | Promise<void>
  read(request: LogRequest): ReadReply | Promise<ReadReply>
  readSide(request: SideRequest): SideReply | Promise<SideReply>
  /** Absent: it can't be copied while it is open. */
  readonly backup?: MakeBackup
  close(): void | Promise<void>
}

type Post = (message: FromWorker) => void

/** Opens the log and serves it over the thread's port until it is closed. */
export async function serveLog(
  open: (options: FolderLogOptions) => FolderLog | Promise<FolderLog>,
  port: MessagePort,
  options: WorkerOptions,
): Promise<void> {
  const post = postTo(port)
  try {
    const log = await open({
      ...options,
      onCorrupt: (origin, seq) => post({ type: "corrupt", origin, seq }),
      onTrouble: (message) => post({ type: "trouble", message }),
    })
    // What fails in a later call ends the thread, so the chain is never left waiting.
    let last: Promise<void> = Promise.resolve()
    port.on("message", (message: ToWorker) => {
      // Beside the chain: everything else goes on while it is made.
      if ("type" in message && message.type === "backup") {
        void serveBackup(message, log.backup)
        return
      }
      last = last.then(() => serve(log, message, port))
    })
    post(log.opened)
  } catch (error) {
    const { code, message } = asOpenError(error, options.directory)
    post({ type: "open-failed", code, message })
    port.close()
  }
}

function postTo(port: MessagePort): Post {
  return (message) => {
    if (!("type" in message)) port.postMessage(message, [message])
    else if ("bytes" in message) port.postMessage(message, [message.bytes])
    else port.postMessage(message)
  }
}

async function serve(
  log: FolderLog,
  message: Exclude<ToWorker, BackupRequest>,
  port: MessagePort,
): Promise<void> {
  const post = postTo(port)
  if (!("type" in message)) await append(log, message, post)
  else if (message.type === "close") {
    await log.close()
    port.close()
  } else post(await read(log, message))
}

async function append(log: FolderLog, buffer: ArrayBuffer, post: Post): Promise<void> {
  try {
    post(encodeAppended(await log.append(decodeAppend(buffer))))
  } catch (error) {
    if (error instanceof InvariantError || error instanceof DecodeError) {
      post({ type: "invariant", message: error.message })
    } else post(encodeAppendFailure(appendFailure(error)))
  }
  await log.afterAppend()
}

function appendFailure(error: unknown): StoreFailure {
  const message = errorMessage(error)
  if (error instanceof RefusedError) return { ok: false, code: "refused", message }
  if (error instanceof UnreadableError) return { ok: false, code: "unreadable", message }
  return { ok: false, code: isFull(error) ? "store-full" : "store-failed", message }
}

async function read(log: FolderLog, request: ReadRequest): Promise<ReadReply> {
  try {
    switch (request.type) {
      case "undocumented":
      case "clients":
      case "leaves":
      case "bucket-sums":
        return await log.readSide(request)
      default:
        return await log.read(request)
    }
  } catch (error) {
    return { type: "failed", code: "store-failed", message: errorMessage(error) }
  }
}
