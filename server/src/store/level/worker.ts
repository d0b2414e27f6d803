/** The LevelDB store's thread. */
import { parentPort, workerData } from "node:worker_threads"
import { assert } from "@causeway/crdt/base"
import { serveLog } from "../thread/serve.ts"
import { openLevelLog } from "./open.ts"

assert(parentPort !== null, "runs as a worker thread")
await serveLog(openLevelLog, parentPort, workerData)
