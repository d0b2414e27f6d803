/**
 * Entry of the load process: takes one job from its parent, runs it, answers, ends. It also ends
 * when the parent is gone, so that an interrupted benchmark leaves no load behind.
 */
import { runAck } from "./ack.ts"
import { runDrive } from "./drive.ts"
import { runFanOut } from "./fan-out.ts"
import { runFill } from "./fill.ts"
import { runIdle } from "./idle.ts"
import { runInspect } from "./inspect.ts"
import { isJob } from "./job.ts"
import type { Job, JobResult, Reply } from "./job.ts"

function reply(message: Reply): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) resolve()
    else process.send(message, () => resolve())
  })
}

function run(job: Job): Promise<JobResult> {
  switch (job.kind) {
    case "fan-out":
      return runFanOut(job)
    case "idle":
      return runIdle(job)
    case "ack":
      return runAck(job)
    case "fill":
      return runFill(job)
    case "drive":
      return runDrive(job, () => void reply({ kind: "running" }))
    case "inspect":
      return runInspect(job)
  }
}

async function onMessage(message: unknown): Promise<void> {
  if (!isJob(message)) return
  try {
    await reply({ kind: "done", result: await run(message) })
  } catch (error) {
    await reply({ kind: "failed", message: error instanceof Error ? error.message : String(error) })
  }
  process.exit(0)
}

// A terminal's Ctrl-C reaches the whole process group: the parent decides, the load process waits.
process.on("SIGINT", () => undefined)
process.on("disconnect", () => process.exit(0))
process.on("message", (message) => void onMessage(message))
