/**
 * Jobs on their way to the worker thread and back. A document's many parts travel as one
 * transferred buffer: cloned one by one, each would drag along the whole buffer it is a view on.
 */
import type { Job, JobResult } from "@causeway/crdt/node"

export type JobMessage = {
  readonly id: number
  /** The job without its parts. */
  readonly work: Job
  /** All parts, one after the other, and where each ends. */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly ends: Float64Array<ArrayBuffer>
}

export type JobDone = { readonly id: number; readonly result: JobResult }

export function packJob(
  id: number,
  job: Job,
): { message: JobMessage; transfer: readonly ArrayBuffer[] } {
  const ends = new Float64Array(job.parts.length)
  let length = 0
  for (const [index, part] of job.parts.entries()) {
    length += part.length
    ends[index] = length
  }
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const part of job.parts) {
    bytes.set(part, offset)
    offset += part.length
  }
  const message = { id, work: compact({ ...job, parts: [] }), bytes, ends }
  return { message, transfer: [bytes.buffer, ends.buffer] }
}

export function unpackJob({ work, bytes, ends }: JobMessage): Job {
  const parts: Uint8Array[] = []
  let start = 0
  for (const end of ends) {
    parts.push(bytes.subarray(start, end))
    start = end
  }
  return { ...work, parts }
}

/** A job's other bytes, copied out of the frames they are views on. */
function compact(job: Job): Job {
  switch (job.type) {
    case "json":
    case "digest":
    case "compact":
      return job
    case "difference":
      return { ...job, summary: job.summary.slice() }
    case "includes":
      return { ...job, update: job.update.slice() }
  }
}
