/** Jobs under way and what to do with their results. Whoever starts one bounds how many he has. */
import { assert } from "../base/index.ts"
import type { Job, JobResult } from "./job.ts"
import type { Turn } from "./turn.ts"

type OnJob = (turn: Turn, result: JobResult) => void

export class Jobs {
  readonly #underWay = new Map<number, OnJob>()
  #next = 1

  start(turn: Turn, work: Job, onJob: OnJob): void {
    const job = this.#next++
    this.#underWay.set(job, onJob)
    turn.push({ type: "job", job, work })
  }

  onDone(turn: Turn, job: number, result: JobResult): void {
    const onJob = this.#underWay.get(job)
    assert(onJob !== undefined, () => `unknown job ${job}`)
    this.#underWay.delete(job)
    onJob(turn, result)
  }
}
