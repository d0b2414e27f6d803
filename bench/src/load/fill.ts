/**
 * Fills a server's store from outside: one update into each document, each confirmed before its
 * session ends. A protocol with acks is confirmed by the ack; y-websocket has none, so the writer
 * joins again until the answer holds its update. A native protocol takes many documents a socket.
 */
import { setTimeout as delay } from "node:timers/promises"
import { Delivery } from "./delivery.ts"
import type { FillJob, JobResult, Target } from "./job.ts"
import { NativeClient } from "./native-client.ts"
import { runPooled } from "./pool.ts"
import { record, writerOf } from "./recording.ts"
import { Session } from "./session.ts"
import { UpdateScanner } from "./update-scanner.ts"
import { joinFrame, updateFrame, wires } from "./wire.ts"

const fillsAtOnce = 100
const confirmMsMax = 10_000
const retryMs = 20
/** Documents that are open at once on a native connection. */
const nativeBatch = 1000

const scanner = new UpdateScanner()

/** The room that document number `number` is filled into. */
export function filledRoom(number: number): string {
  return `filled-${number}`
}

/** Writes one update into each of `documents` documents. */
export async function runFill(job: FillJob): Promise<JobResult> {
  const startMs = performance.now()
  const { nativeUrl, documents } = job
  const missing =
    nativeUrl === undefined
      ? await fillThroughSessions(job.target, documents)
      : await fillNatively(nativeUrl, documents)
  const fillSeconds = (performance.now() - startMs) / 1000
  const failures = missing === 0 ? [] : [`${missing} documents were not confirmed`]
  return { measures: { fillSeconds, documents }, failures, rooms: {} }
}

/** Gives how many documents were not confirmed. */
async function fillThroughSessions(target: Target, documents: number): Promise<number> {
  const numbers = Array.from({ length: documents }, (_, number) => number)
  const confirmed = await runPooled(numbers, fillsAtOnce, (number) => fillOne(target, number))
  return confirmed.filter((ok) => !ok).length
}

/** Every document or none is confirmed. @throws Error if the node refuses or does not ack. */
async function fillNatively(url: string, documents: number): Promise<number> {
  const client = await NativeClient.connect(url)
  for (let first = 0; first < documents; first += nativeBatch) {
    const end = Math.min(first + nativeBatch, documents)
    for (let number = first; number < end; number += 1) {
      client.open(number, filledRoom(number))
      for (const update of record(number, 1).updates) client.send(number, update)
    }
    await client.acked()
    for (let number = first; number < end; number += 1) client.closeDocument(number)
  }
  client.close()
  return 0
}

async function fillOne(target: Target, number: number): Promise<boolean> {
  const wire = wires[target.wire]
  const room = filledRoom(number)
  let confirmed = false
  const delivery = new Delivery(writerOf(number), () => (confirmed = true))
  const cover = (client: number, start: number, end: number): void =>
    delivery.cover(client, start, end)
  const session = await Session.open({
    url: `${target.baseUrl}${room}`,
    wire,
    room,
    onContent: (frame, updateAt) => scanner.scan(frame, updateAt, cover),
    onAck: () => (confirmed = true),
  })
  for (const update of record(number, 1).updates) session.send(updateFrame(wire, room, update))
  const deadlineMs = performance.now() + confirmMsMax
  while (!confirmed && performance.now() < deadlineMs && session.isOpen) {
    if (!wire.acks) session.send(joinFrame(wire, room))
    await delay(retryMs)
  }
  session.close()
  return confirmed
}
