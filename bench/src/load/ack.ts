/**
 * Latency at light load: one document, one update at a time, each sent when the one before has been
 * seen and a short pause is over, so nothing queues anywhere. Times are from the actual send.
 *
 * A stock client measures until a reader sees the update and, where its protocol has acks, until
 * its ack. Where there is a native protocol too, its acks are measured afterwards, the same way.
 */
import { setTimeout as delay } from "node:timers/promises"
import { DocumentLoad } from "./document-load.ts"
import type { AckJob, JobResult, Target } from "./job.ts"
import { NativeClient } from "./native-client.ts"
import { createMicrosHistogram, percentileMs, recordMs } from "./pace.ts"
import { record } from "./recording.ts"
import { wires } from "./wire.ts"

const warmupWrites = 50
const answerMsMax = 10_000
/** Pauses of 5 to 15 ms, drifting, so that sends do not fall in step with a server's timers. */
const pauseMsMin = 5
const pauseSteps = 11
const nativeChannel = 1

/** What became of one update, in milliseconds after it was sent. */
type WriteOutcome = { readonly visibleMs: number; readonly ackMs: number | undefined }

/** A writer that learns what became of each update, one at a time. */
type WritePath = {
  write(index: number): Promise<WriteOutcome>
  close(): void
}

/** Writes `count` updates one after the other. */
export async function runAck(job: AckJob): Promise<JobResult> {
  const updates = warmupWrites + job.count
  const path = await openStockPath(job.target, updates)
  const visible = createMicrosHistogram()
  const acked = createMicrosHistogram()
  try {
    for (let index = 0; index < warmupWrites + job.count; index += 1) {
      const outcome = await path.write(index)
      if (index >= warmupWrites) {
        recordMs(visible, outcome.visibleMs)
        if (outcome.ackMs !== undefined) recordMs(acked, outcome.ackMs)
      }
      await delay(pauseMsMin + (index % pauseSteps))
    }
  } finally {
    path.close()
  }
  if (job.nativeUrl !== undefined) await runNative(job.nativeUrl, updates, acked)
  const ackMeasures =
    acked.count === 0
      ? {}
      : { ackP50Ms: percentileMs(acked, 50), ackP99Ms: percentileMs(acked, 99) }
  const measures = {
    visibleP50Ms: percentileMs(visible, 50),
    visibleP99Ms: percentileMs(visible, 99),
    visibleMaxMs: visible.max / 1000,
    ...ackMeasures,
  }
  return { measures, failures: [], rooms: {} }
}

type Histogram = ReturnType<typeof createMicrosHistogram>

async function runNative(url: string, updates: number, acked: Histogram): Promise<void> {
  const client = await NativeClient.connect(url)
  client.open(nativeChannel, "native-ack")
  for (const [index, update] of record(0, updates).updates.entries()) {
    const sentAt = performance.now()
    client.send(nativeChannel, update)
    await client.acked()
    if (index >= warmupWrites) recordMs(acked, performance.now() - sentAt)
    await delay(pauseMsMin + (index % pauseSteps))
  }
  client.close()
}

async function openStockPath(target: Target, updates: number): Promise<WritePath> {
  const { acks } = wires[target.wire]
  let visibleAt: number | undefined
  let ackAt: number | undefined
  let notify: (failure?: Error) => void = () => undefined
  const load = new DocumentLoad({
    number: 0,
    baseUrl: target.baseUrl,
    room: "ack",
    wire: wires[target.wire],
    updates,
    onDelivered: () => {
      visibleAt = performance.now()
      notify()
    },
    onFrame: () => undefined,
    onAck: () => {
      ackAt = performance.now()
      notify()
    },
    onEnd: (why) => notify(new Error(`the server ended a session: ${why}`)),
  })
  await load.openReader()
  await load.openWriter()

  const write = (index: number): Promise<WriteOutcome> =>
    new Promise((resolve, reject) => {
      visibleAt = undefined
      ackAt = undefined
      const late = new Error(`update ${index} was not answered within ${answerMsMax} ms`)
      const timer = setTimeout(() => notify(late), answerMsMax)
      const sentAt = performance.now()
      notify = (failure) => {
        if (failure === undefined && (visibleAt === undefined || (acks && !ackAt))) return
        clearTimeout(timer)
        notify = () => undefined
        if (failure !== undefined || visibleAt === undefined) reject(failure)
        else resolve({ visibleMs: visibleAt - sentAt, ackMs: ackAt && ackAt - sentAt })
      }
      load.send(index)
    })
  return { write, close: () => load.close() }
}
