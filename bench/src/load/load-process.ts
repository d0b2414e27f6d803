/**
 * The parent's side of the load process: starts it, hands it one job, waits for the answer. Like
 * servers, load processes are tracked until they have exited, and none outlives the benchmark.
 */
import { fork } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { fileURLToPath } from "node:url"
import { isReply } from "./job.ts"
import type { Job, JobResult } from "./job.ts"

/** No job takes longer; filling a slow store with 100,000 documents comes closest. */
const jobMsMax = 900_000

const workerPath = fileURLToPath(new URL("worker.ts", import.meta.url))
const running = new Set<ChildProcess>()

/** SIGKILL to every load process that still runs. */
export function killAllLoads(): void {
  for (const child of running) child.kill("SIGKILL")
}

/** Runs `job` in a process of its own; @throws Error when the job or its process fails. */
export function runJob(job: Job, onRunning: () => void = () => undefined): Promise<JobResult> {
  const child = fork(workerPath, { stdio: ["ignore", "inherit", "inherit", "ipc"] })
  running.add(child)
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), jobMsMax)
    let result: JobResult | undefined
    let failure = "the load process ended without an answer"
    child.on("message", (message: unknown) => {
      if (!isReply(message)) return
      if (message.kind === "running") onRunning()
      else if (message.kind === "done") result = message.result
      else failure = message.message
    })
    child.once("error", reject)
    child.once("exit", () => {
      clearTimeout(timer)
      running.delete(child)
      if (result === undefined) reject(new Error(failure))
      else resolve(result)
    })
    child.send(job)
  })
}
