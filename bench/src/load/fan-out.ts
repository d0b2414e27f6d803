/**
 * The CPU and latency scenarios: `documents` writers on one schedule, each with its readers.
 * Order of a run: open everybody, warm up at the same rate, wait until all of that is delivered,
 * measure, wait until all is delivered, wait on for deferred work, compare documents. Server CPU is
 * taken from the first measured send to the last delivery, so that a server that falls behind pays
 * for its backlog, and is divided by what was delivered.
 */
import { setTimeout as delay } from "node:timers/promises"
import {
  cpuSecondsOf,
  cpuSecondsOfMachine,
  residentMbOf,
  residentPeakMbOf,
} from "../measure/process-usage.ts"
import type { Measures } from "../measure/measures.ts"
import { DocumentLoad } from "./document-load.ts"
import { readText } from "./inspect.ts"
import type { FanOutJob, JobResult } from "./job.ts"
import { createMicrosHistogram, pace, percentileMs, recordMs, scheduledMs } from "./pace.ts"
import type { Schedule } from "./pace.ts"
import { runPooled } from "./pool.ts"
import { textAfter, textOf } from "./recording.ts"
import { wires } from "./wire.ts"

/** Without any delivery for this long, what is missing is taken as lost. */
const stallMsMax = 10_000
const drainMsMax = 120_000
const opensAtOnce = 40
const documentsCompared = 3
/** Head start of the schedule, so that the first send is not late by the set-up around it. */
const leadMs = 20

/** Sends on schedule and waits until every reader has everything. */
export async function runFanOut(job: FanOutJob): Promise<JobResult> {
  const run = new FanOutRun(job)
  try {
    await run.open()
    await run.phase(0, run.warmupPerDocument)
    run.startMeasuring()
    const schedule = await run.phase(run.warmupPerDocument, run.measuredPerDocument)
    const measures = await run.stopMeasuring(schedule)
    const failures = [...run.failures(), ...(await run.compare())]
    return { measures, failures, rooms: {} }
  } finally {
    run.close()
  }
}

/** Meter readings at one moment, in CPU seconds. */
type Usage = { server: number; load: number; machine: number; atMs: number }

class FanOutRun {
  readonly warmupPerDocument: number
  readonly measuredPerDocument: number
  readonly #job: FanOutJob
  readonly #loads: readonly DocumentLoad[]
  readonly #latency = createMicrosHistogram()
  readonly #ends: string[] = []
  #lateness = createMicrosHistogram()
  #schedule: Schedule | undefined
  #firstOfPhase = 0
  #measuring = false
  #delivered = 0
  #frames = 0
  #lastDeliveryMs = 0
  #before: Usage | undefined

  constructor(job: FanOutJob) {
    const perSecond = job.updatesPerSecond / job.documents
    this.#job = job
    this.warmupPerDocument = Math.ceil(job.warmupSeconds * perSecond)
    this.measuredPerDocument = Math.ceil(job.seconds * perSecond)
    this.#loads = Array.from({ length: job.documents }, (_, number) => this.#load(number))
  }

  #load(number: number): DocumentLoad {
    return new DocumentLoad({
      number,
      baseUrl: this.#job.target.baseUrl,
      room: `fan-out-${number}`,
      wire: wires[this.#job.target.wire],
      updates: this.warmupPerDocument + this.measuredPerDocument,
      onDelivered: (first, end) => this.#onDelivered(number, first, end),
      onFrame: () => (this.#frames += 1),
      onAck: () => undefined,
      onEnd: (why) => this.#ends.push(why),
    })
  }

  async open(): Promise<void> {
    for (const load of this.#compared()) load.keepNextReader()
    await runPooled(this.#loads, opensAtOnce, async (load) => {
      const readers = Array.from({ length: this.#job.readersPerDocument }, (_, index) => index)
      await runPooled(readers, this.#job.documents === 1 ? opensAtOnce : 1, () => load.openReader())
      await load.openWriter()
    })
  }

  close(): void {
    for (const load of this.#loads) load.close()
  }

  /** Sends updates `first` to `first + count` of every document, waits for their delivery. */
  async phase(first: number, count: number): Promise<Schedule> {
    const { documents, updatesPerSecond: perSecond, readersPerDocument } = this.#job
    const startMs = performance.now() + leadMs
    const schedule: Schedule = { startMs, count: count * documents, perSecond }
    const deliveredBefore = this.#delivered
    this.#schedule = schedule
    this.#firstOfPhase = first
    this.#lateness = await pace(schedule, (index) => {
      this.#loads[index % documents]?.send(first + Math.floor(index / documents))
    })
    await this.#drained(deliveredBefore + count * documents * readersPerDocument)
    return schedule
  }

  startMeasuring(): void {
    this.#measuring = true
    this.#frames = 0
    this.#delivered = 0
    this.#before = this.#usage()
  }

  /** Reads all meters; resolves once deferred work has had its time. */
  async stopMeasuring(schedule: Schedule): Promise<Measures> {
    const before = this.#before
    if (before === undefined) throw new Error("was not measuring")
    const after = this.#usage()
    const { pid } = this.#job.target
    const residentMb = residentMbOf(pid)
    await delay(this.#job.deferredSeconds * 1000)
    const deferredCpu = cpuSecondsOf(pid) - after.server
    const sent = schedule.count
    const lastSendMs = scheduledMs(schedule, sent - 1)
    const endMs = Math.max(lastSendMs, this.#lastDeliveryMs)
    const serverCpu = after.server - before.server
    const loadCpu = after.load - before.load
    const othersCpu = Math.max(0, after.machine - before.machine - serverCpu - loadCpu)
    const percentOf = (cpu: number): number => (cpu * 100_000) / (after.atMs - before.atMs)
    return {
      cpuMicrosPerDelivered: (serverCpu * 1e6) / Math.max(1, this.#delivered),
      cpuMicrosPerSent: (serverCpu * 1e6) / sent,
      cpuMicrosPerSentDeferred: (deferredCpu * 1e6) / sent,
      loadCpuPercent: percentOf(loadCpu),
      othersCpuPercent: percentOf(othersCpu),
      visibleP50Ms: percentileMs(this.#latency, 50),
      visibleP99Ms: percentileMs(this.#latency, 99),
      visibleMaxMs: this.#latency.max / 1000,
      latenessP99Ms: percentileMs(this.#lateness, 99),
      sentPerSecond: (sent * 1000) / (endMs - schedule.startMs),
      drainMs: endMs - lastSendMs,
      updatesPerFrame: this.#delivered / Math.max(1, this.#frames),
      deliveredShare: this.#delivered / (sent * this.#job.readersPerDocument),
      residentMb,
      residentPeakMb: residentPeakMbOf(pid),
    }
  }

  failures(): string[] {
    const expected = this.measuredPerDocument * this.#job.documents * this.#job.readersPerDocument
    const deliveries = this.#loads.flatMap((load) => load.deliveries)
    const gaps = deliveries.reduce((sum, delivery) => sum + delivery.gaps, 0)
    const strangers = deliveries.reduce((sum, delivery) => sum + delivery.strangers, 0)
    const failures: string[] = []
    if (this.#delivered !== expected) failures.push(`delivered ${this.#delivered} of ${expected}`)
    if (gaps > 0) failures.push(`${gaps} updates came before their predecessors`)
    if (strangers > 0) failures.push(`${strangers} ranges of an unknown client`)
    if (this.#ends[0] !== undefined) {
      failures.push(`the server ended ${this.#ends.length} sessions: ${this.#ends[0]}`)
    }
    return failures
  }

  /** Compares a reader's and a newcomer's document with the writer's, in a few documents. */
  async compare(): Promise<string[]> {
    const written = textAfter(this.warmupPerDocument + this.measuredPerDocument)
    const failures: string[] = []
    for (const load of this.#compared()) {
      if (textOf(load.kept) !== written) failures.push(`${load.room}: a reader's text differs`)
      if (!wires[this.#job.target.wire].joins) continue
      const joined = await readText(this.#job.target, load.room)
      if (joined !== written) failures.push(`${load.room}: a newcomer's text differs`)
    }
    return failures
  }

  #compared(): readonly DocumentLoad[] {
    const step = Math.max(1, Math.floor(this.#loads.length / documentsCompared))
    return this.#loads.filter((_, index) => index % step === 0).slice(0, documentsCompared)
  }

  #usage(): Usage {
    const { user, system } = process.cpuUsage()
    return {
      server: cpuSecondsOf(this.#job.target.pid),
      load: (user + system) / 1e6,
      machine: cpuSecondsOfMachine(),
      atMs: performance.now(),
    }
  }

  #onDelivered(document: number, first: number, end: number): void {
    const now = performance.now()
    this.#delivered += end - first
    this.#lastDeliveryMs = now
    if (!this.#measuring || this.#schedule === undefined) return
    for (let update = first; update < end; update += 1) {
      const index = (update - this.#firstOfPhase) * this.#job.documents + document
      recordMs(this.#latency, now - scheduledMs(this.#schedule, index))
    }
  }

  /** Resolves when `expected` is reached, when nothing moves any more, or when time is up. */
  async #drained(expected: number): Promise<void> {
    const startMs = performance.now()
    let movedMs = startMs
    let seen = this.#delivered
    while (this.#delivered < expected) {
      await delay(5)
      const now = performance.now()
      if (this.#delivered !== seen) movedMs = now
      seen = this.#delivered
      if (now - movedMs > stallMsMax || now - startMs > drainMsMax || this.#isHopeless()) return
    }
  }

  /** After a gap or a lost session the rest can never be complete: no use in waiting for it. */
  #isHopeless(): boolean {
    const hasGap = (load: DocumentLoad): boolean => load.deliveries.some(({ gaps }) => gaps > 0)
    return this.#ends.length > 0 || this.#loads.some(hasGap)
  }
}
