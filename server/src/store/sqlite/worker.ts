/**
 * The store's thread: SQLite's calls block, so they block here. Requests are served strictly in
 * the order they come, each to its end, which is all the order the port asks for.
 */
import { parentPort, workerData } from "node:worker_threads"
import { assert, DecodeError, InvariantError } from "@causeway/crdt/base"
import type { StoreFailure } from "@causeway/crdt/ports"
import { errorMessage, isFull } from "../errors.ts"
import type { Opening } from "./identity.ts"
import { SqliteLog } from "./log.ts"
import { decodeAppend, encodeAppended, encodeAppendFailure } from "./messages.ts"
import type { FromWorker, ReadReply, ReadRequest, ToWorker } from "./messages.ts"
import { asOpenError } from "./open.ts"

export type WorkerOptions = Pick<Opening, "directory" | "node" | "doubt">

const port = parentPort
assert(port !== null, "runs as a worker thread")

function post(message: FromWorker): void {
  if (!("type" in message)) port?.postMessage(message, [message])
  else if ("bytes" in message) port?.postMessage(message, [message.bytes])
  else port?.postMessage(message)
}

function append(log: SqliteLog, buffer: ArrayBuffer): void {
  try {
    post(encodeAppended(log.append(decodeAppend(buffer))))
  } catch (error) {
    if (error instanceof InvariantError || error instanceof DecodeError) {
      post({ type: "invariant", message: error.message })
    } else post(encodeAppendFailure(appendFailure(error)))
  }
  log.afterAppend()
}

function appendFailure(error: unknown): StoreFailure {
  const code = isFull(error) ? "store-full" : "store-failed"
  return { ok: false, code, message: errorMessage(error) }
}

function read(log: SqliteLog, request: ReadRequest): ReadReply {
  try {
    return log.read(request)
  } catch (error) {
    return { type: "failed", code: "store-failed", message: errorMessage(error) }
  }
}

function serve(log: SqliteLog, message: ToWorker): void {
  if (!("type" in message)) append(log, message)
  else if (message.type === "close") {
    log.close()
    port?.close()
  } else post(read(log, message))
}

function start(options: WorkerOptions): void {
  try {
    const log = new SqliteLog({
      ...options,
      onCorrupt: (origin, seq) => post({ type: "corrupt", origin, seq }),
      onTrouble: (message) => post({ type: "trouble", message }),
    })
    port?.on("message", (message: ToWorker) => serve(log, message))
    post(log.opened)
  } catch (error) {
    const { code, message } = asOpenError(error, options.directory)
    post({ type: "open-failed", code, message })
  }
}

start(workerData)
