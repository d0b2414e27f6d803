/** The SQLite store's thread. */
import { parentPort, workerData } from "node:worker_threads"
import { assert } from "@causeway/crdt/base"
import { serveLog } from "../thread/serve.ts"
import { SqliteLog } from "./log.ts"

assert(parentPort !== null, "runs as a worker thread")
await serveLog((options) => new SqliteLog(options), parentPort, workerData)
