/**
 * The store's thread: SQLite's calls block, so they block here. Requests are served strictly in
 * the order they come, each to its end, which is all the order the port asks for.
 */
import { parentPort, workerData } from "node:worker_threads"
import type { Database } from "better-sqlite3"
import { assert, DecodeError, InvariantError } from "@causeway/crdt/base"
import type { NodeId } from "@causeway/crdt/base"
import type { StoreFailure } from "@causeway/crdt/ports"
import { errorCode, errorMessage } from "../errors.ts"
import { Appender } from "./appender.ts"
import { Checkpoints } from "./checkpoints.ts"
import { DocumentRows } from "./documents.ts"
import { HeldOrigins } from "./heads.ts"
import { identify } from "./identity.ts"
import { decodeAppend, encodeAppended, encodeAppendFailure } from "./messages.ts"
import type { FromWorker, Opened, ReadReply, ReadRequest, ToWorker } from "./messages.ts"
import { asOpenError, openDatabase } from "./open.ts"
import { LogReader } from "./reader.ts"

export type WorkerOptions = { readonly directory: string; readonly node: NodeId | undefined }

type Serving = {
  readonly database: Database
  readonly appender: Appender
  readonly reader: LogReader
  readonly checkpoints: Checkpoints
}

const port = parentPort
assert(port !== null, "runs as a worker thread")

function post(message: FromWorker): void {
  if (!("type" in message)) port?.postMessage(message, [message])
  else if ("bytes" in message) port?.postMessage(message, [message.bytes])
  else port?.postMessage(message)
}

/** @throws StoreOpenError */
function open({ directory, node }: WorkerOptions): { opened: Opened; serving: Serving } {
  const database = openDatabase(directory)
  try {
    const parts = { origins: new HeldOrigins(database), documents: new DocumentRows(database) }
    const reader = new LogReader(database, parts, (origin, seq) =>
      post({ type: "corrupt", origin, seq }),
    )
    const identity = identify(database, directory, node, { origins: parts.origins, reader })
    const appender = new Appender(database, identity.origin, parts)
    const checkpoints = new Checkpoints(database, (message) => post({ type: "trouble", message }))
    const heads = parts.origins.all().map(({ origin, head }) => [origin, head] as const)
    return {
      opened: { type: "opened", ...identity, heads },
      serving: { database, appender, reader, checkpoints },
    }
  } catch (error) {
    database.close()
    throw asOpenError(error, directory)
  }
}

function append({ appender, checkpoints }: Serving, buffer: ArrayBuffer): void {
  try {
    post(encodeAppended(appender.append(decodeAppend(buffer))))
  } catch (error) {
    if (error instanceof InvariantError || error instanceof DecodeError) {
      post({ type: "invariant", message: error.message })
    } else {
      post(encodeAppendFailure(appendFailure(error)))
    }
  }
  checkpoints.runIfDue()
}

function appendFailure(error: unknown): StoreFailure {
  const code = errorCode(error)
  const full = code === "SQLITE_FULL" || code === "ENOSPC"
  return { ok: false, code: full ? "store-full" : "store-failed", message: errorMessage(error) }
}

function read({ reader }: Serving, request: ReadRequest): ReadReply {
  try {
    return reader.read(request)
  } catch (error) {
    return { type: "failed", code: "store-failed", message: errorMessage(error) }
  }
}

function serve(serving: Serving, message: ToWorker): void {
  if (!("type" in message)) append(serving, message)
  else if (message.type === "close") {
    serving.database.close()
    port?.close()
  } else post(read(serving, message))
}

function start(options: WorkerOptions): void {
  try {
    const { opened, serving } = open(options)
    port?.on("message", (message: ToWorker) => serve(serving, message))
    post(opened)
  } catch (error) {
    const { code, message } = asOpenError(error, options.directory)
    post({ type: "open-failed", code, message })
  }
}

start(workerData)
