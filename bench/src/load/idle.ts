/**
 * The memory scenario: many documents stay open, each with one client that has written one update
 * and then says nothing. Memory is read after a settling time, in which the server's CPU shows what
 * silent documents cost.
 */
import { setTimeout as delay } from "node:timers/promises"
import { cpuSecondsOf, residentMbOf, residentPeakMbOf } from "../measure/process-usage.ts"
import { DocumentLoad } from "./document-load.ts"
import { readText } from "./inspect.ts"
import type { IdleJob, JobResult } from "./job.ts"
import { runPooled } from "./pool.ts"
import { textAfter } from "./recording.ts"
import { wires } from "./wire.ts"

const opensAtOnce = 40
const documentsCompared = 3

/** Opens `documents` documents, lets them settle, reads the server's memory. */
export async function runIdle(job: IdleJob): Promise<JobResult> {
  const { pid } = job.target
  const ends: string[] = []
  const nothing = (): void => undefined
  const loads = Array.from({ length: job.documents }, (_, number) => {
    return new DocumentLoad({
      number,
      baseUrl: job.target.baseUrl,
      room: `idle-${number}`,
      wire: wires[job.target.wire],
      updates: 1,
      onDelivered: nothing,
      onFrame: nothing,
      onAck: nothing,
      onEnd: (why) => ends.push(why),
    })
  })
  try {
    const residentEmptyMb = residentMbOf(pid)
    const startMs = performance.now()
    await runPooled(loads, opensAtOnce, async (load) => {
      await load.openWriter()
      load.send(0)
    })
    const openSeconds = (performance.now() - startMs) / 1000
    const cpuBefore = cpuSecondsOf(pid)
    await delay(job.settleSeconds * 1000)
    const cpuIdlePercent = ((cpuSecondsOf(pid) - cpuBefore) * 100) / job.settleSeconds
    const residentMb = residentMbOf(pid)
    const measures = {
      residentEmptyMb,
      residentMb,
      residentPeakMb: residentPeakMbOf(pid),
      residentKbPerDocument: ((residentMb - residentEmptyMb) * 1000) / job.documents,
      openSeconds,
      cpuIdlePercent,
      documents: job.documents,
    }
    const failures = ends.length === 0 ? [] : [`${ends.length} sessions ended: ${ends[0]}`]
    if (wires[job.target.wire].joins) failures.push(...(await compare(job, loads)))
    return { measures, failures, rooms: {} }
  } finally {
    for (const load of loads) load.close()
  }
}

async function compare(job: IdleJob, loads: readonly DocumentLoad[]): Promise<string[]> {
  const failures: string[] = []
  for (const load of loads.slice(-documentsCompared)) {
    const text = await readText(job.target, load.room)
    if (text !== textAfter(1)) failures.push(`${load.room}: a newcomer's text differs`)
  }
  return failures
}
