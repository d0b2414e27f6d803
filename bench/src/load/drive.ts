/**
 * Load until the server dies: one writer and two readers per room. When the last session has ended
 * nothing can arrive any more, so what the readers have counted then is what users had seen, and
 * what the writers counted is what they were told is safe.
 */
import { setTimeout as delay } from "node:timers/promises"
import { DocumentLoad } from "./document-load.ts"
import type { DriveJob, JobResult } from "./job.ts"
import { pace } from "./pace.ts"
import { runPooled } from "./pool.ts"
import { wires } from "./wire.ts"

const readersPerRoom = 2
const opensAtOnce = 20
const endMsMax = 15_000

/** Writes into `rooms` until every session has ended; calls `onRunning` when the load begins. */
export async function runDrive(job: DriveJob, onRunning: () => void): Promise<JobResult> {
  const sessions = job.rooms.length * (readersPerRoom + 1)
  const updates = Math.ceil((job.updatesPerSecond * job.secondsMax) / job.rooms.length)
  const acked = job.rooms.map(() => 0)
  let ended = 0
  const loads = job.rooms.map(
    (room, number) =>
      new DocumentLoad({
        number,
        baseUrl: job.target.baseUrl,
        room,
        wire: wires[job.target.wire],
        updates,
        onDelivered: () => undefined,
        onFrame: () => undefined,
        onAck: () => (acked[number] = (acked[number] ?? 0) + 1),
        onEnd: () => (ended += 1),
      }),
  )
  await runPooled(loads, opensAtOnce, async (load) => {
    for (let reader = 0; reader < readersPerRoom; reader += 1) await load.openReader()
    await load.openWriter()
  })
  onRunning()
  const count = updates * loads.length
  const schedule = { startMs: performance.now(), count, perSecond: job.updatesPerSecond }
  const send = (index: number): void =>
    loads[index % loads.length]?.send(Math.floor(index / loads.length))
  await pace(schedule, send, () => ended > 0)
  const deadlineMs = performance.now() + endMsMax
  while (ended < sessions && performance.now() < deadlineMs) await delay(10)
  for (const load of loads) load.close()
  const seen = loads.map((load) => Math.max(...load.deliveries.map(({ updates: n }) => n)))
  const failures = ended === sessions ? [] : ["the server was not killed in time"]
  return { measures: {}, failures, rooms: { seen, acked } }
}
