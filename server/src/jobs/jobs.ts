/**
 * Runs the core's CPU-heavy work. What is small runs at once, since handing it over would cost
 * more; the rest in one worker thread that is started when needed and ended when idle, for its
 * memory. How many jobs are under way is bounded by the core.
 */
import { Worker } from "node:worker_threads"
import { runJob } from "@causeway/crdt/node"
import type { Job, JobResult } from "@causeway/crdt/node"
import type { LazyEngines } from "../engines.ts"
import { packJob } from "./messages.ts"
import type { JobDone } from "./messages.ts"

export const jobLimits = {
  /** Work on at most this many bytes in this many parts runs on the main thread. */
  inlineBytesMax: 16 * 1024,
  inlinePartsMax: 64,
  /** The worker thread ends when it had nothing to do for this long. */
  idleMs: 60_000,
} as const

export class Jobs {
  readonly #engines: LazyEngines
  readonly #pending = new Map<number, (result: JobResult) => void>()
  #worker: Worker | undefined
  #idle: NodeJS.Timeout | undefined
  #lastId = 0

  constructor(engines: LazyEngines) {
    this.#engines = engines
  }

  /** `done` may be called before `run` returns. */
  run(work: Job, done: (result: JobResult) => void): void {
    if (isSmall(work) && this.#engines.has(work.engine)) {
      done(runJob(this.#engines.engines, work))
      return
    }
    const id = ++this.#lastId
    this.#pending.set(id, done)
    clearTimeout(this.#idle)
    this.#worker ??= this.#start()
    const { message, transfer } = packJob(id, work)
    this.#worker.postMessage(message, transfer)
  }

  #start(): Worker {
    // Compiled, this file and its worker end in .js; in the repository they run as they are.
    const file = import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js"
    const worker = new Worker(new URL(file, import.meta.url), { name: "jobs" })
    worker.on("message", ({ id, result }: JobDone) => this.#onDone(id, result))
    worker.on("error", (error) => this.#onEnd(worker, error.message))
    worker.on("exit", (code) => this.#onEnd(worker, `exit code ${code}`))
    return worker
  }

  #onDone(id: number, result: JobResult): void {
    const done = this.#pending.get(id)
    this.#pending.delete(id)
    if (this.#pending.size === 0) {
      this.#idle = setTimeout(() => this.end(), jobLimits.idleMs).unref()
    }
    done?.(result)
  }

  /** The thread is gone, out of memory for one: its jobs fail, the next job starts another. */
  #onEnd(worker: Worker, why: string): void {
    if (worker !== this.#worker) return
    this.#worker = undefined
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    const message = `the job thread ended: ${why}`
    for (const done of pending) done({ type: "failed", message })
  }

  /** Ends the thread; jobs under way fail. */
  end(): void {
    clearTimeout(this.#idle)
    const worker = this.#worker
    if (worker === undefined) return
    this.#onEnd(worker, "the node is stopping")
    void worker.terminate()
  }
}

function isSmall({ parts }: Job): boolean {
  if (parts.length > jobLimits.inlinePartsMax) return false
  let bytes = 0
  for (const part of parts) bytes += part.length
  return bytes <= jobLimits.inlineBytesMax
}
