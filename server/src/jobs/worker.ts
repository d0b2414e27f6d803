/** The job thread: one job at a time, in the order they came. `runJob` never throws. */
import { parentPort } from "node:worker_threads"
import { assert } from "@causeway/crdt/base"
import { runJob } from "@causeway/crdt/node"
import { LazyEngines } from "../engines.ts"
import { unpackJob } from "./messages.ts"
import type { JobDone, JobMessage } from "./messages.ts"

const port = parentPort
assert(port !== null, "runs as a worker thread")
const engines = new LazyEngines()
let last = Promise.resolve()

port.on("message", (message: JobMessage) => {
  last = last.then(async () => {
    const job = unpackJob(message)
    if (!engines.has(job.engine)) await engines.load()
    const done: JobDone = { id: message.id, result: runJob(engines.engines, job) }
    port.postMessage(done)
  })
})
