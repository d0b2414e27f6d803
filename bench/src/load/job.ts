/**
 * What the parent asks of the load process, and what it answers. A load process does one job and
 * ends, so that no run inherits the heap, the sockets or the compiled code of another. Messages
 * travel over Node's own channel between parent and child.
 */
import type { Measures } from "../measure/measures.ts"
import type { WireName } from "./wire.ts"

/** Where the server is and how it is spoken to; `baseUrl` + room is a document's address. */
export type Target = {
  readonly baseUrl: string
  readonly wire: WireName
  readonly pid: number
}

/** Writers on a schedule, readers counting: the CPU and latency scenarios. */
export type FanOutJob = {
  readonly kind: "fan-out"
  readonly target: Target
  readonly documents: number
  readonly readersPerDocument: number
  readonly updatesPerSecond: number
  readonly seconds: number
  readonly warmupSeconds: number
  /** How long after the last delivery deferred work is still charged (separately). */
  readonly deferredSeconds: number
}

/** Many documents with one silent client each: the memory scenario. */
export type IdleJob = {
  readonly kind: "idle"
  readonly target: Target
  readonly documents: number
  readonly settleSeconds: number
}

/** One update at a time, each after the one before was seen: latency at light load. */
export type AckJob = {
  readonly kind: "ack"
  readonly target: Target
  /** Where the server's native protocol is spoken, if it has one. */
  readonly nativeUrl?: string | undefined
  readonly count: number
}

/** One update into each of many documents, each confirmed by the server. */
export type FillJob = {
  readonly kind: "fill"
  readonly target: Target
  /** Where the server's native protocol is spoken, if it has one: much the quicker way. */
  readonly nativeUrl?: string | undefined
  readonly documents: number
}

/** Writers and readers until the server dies: reports what readers saw and writers got acked. */
export type DriveJob = {
  readonly kind: "drive"
  readonly target: Target
  readonly rooms: readonly string[]
  readonly updatesPerSecond: number
  readonly secondsMax: number
}

/** Joins each room and counts the recorded updates that are in it. */
export type InspectJob = {
  readonly kind: "inspect"
  readonly target: Target
  readonly rooms: readonly string[]
}

export type Job = FanOutJob | IdleJob | AckJob | FillJob | DriveJob | InspectJob

/** Updates per room, in the order of the job's rooms. */
type RoomCounts = {
  readonly seen?: readonly number[]
  readonly acked?: readonly number[]
  readonly stored?: readonly number[]
}

export type JobResult = {
  readonly measures: Measures
  /** What turned out wrong; empty when everything sent was delivered and is equal. */
  readonly failures: readonly string[]
  readonly rooms: RoomCounts
}

export type Reply =
  | { readonly kind: "running" }
  | { readonly kind: "done"; readonly result: JobResult }
  | { readonly kind: "failed"; readonly message: string }

const jobKinds: readonly unknown[] = ["fan-out", "idle", "ack", "fill", "drive", "inspect"]
const replyKinds: readonly unknown[] = ["running", "done", "failed"]

/** Whether a message from the parent is a job: both ends are this program, the kind suffices. */
export function isJob(value: unknown): value is Job {
  return hasKindIn(value, jobKinds)
}

/** Whether a message from the load process is a reply. */
export function isReply(value: unknown): value is Reply {
  return hasKindIn(value, replyKinds)
}

function hasKindIn(value: unknown, kinds: readonly unknown[]): boolean {
  return (
    typeof value === "object" && value !== null && "kind" in value && kinds.includes(value.kind)
  )
}
