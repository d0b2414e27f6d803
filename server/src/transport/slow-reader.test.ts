import { afterEach, expect, test } from "vitest"
import { Cleanup } from "../test/cleanup.ts"
import { RawClient } from "../test/raw-client.ts"
import { until } from "../test/wait.ts"
import { TransportStage } from "../test/transport-stage.ts"
import { transportLimits } from "./limits.ts"

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

const MiB = 1024 * 1024

test("[N13] a full socket is reported, and reported again once it is empty", async () => {
  const stage = await new TransportStage(cleanup).start()
  const client = await stage.deafClient()
  const frame = Buffer.alloc(MiB / 4)
  await until("congested", () => {
    stage.transport.send([1], [frame])
    stage.transport.flush()
    return stage.has("congested", 1)
  })
  expect(stage.sockets[0]?.writableLength).toBeLessThan(transportLimits.congestedBytes + MiB)
  expect(stage.has("drained", 1)).toBe(false)
  client.resume()
  await until("drained", () => stage.has("drained", 1))
  expect(stage.sockets[0]?.writableLength).toBe(0)
  expect(stage.inputs.filter(({ type }) => type === "congested").length).toBe(1)
})

test("[N13] many small writes fill a socket too", async () => {
  const stage = await new TransportStage(cleanup).start()
  await stage.deafClient()
  // The kernel takes some; what then waits is counted in writes.
  stage.transport.send([1], [Buffer.alloc(8 * MiB)])
  stage.transport.flush()
  await stage.deafClient()
  const big = Buffer.alloc(MiB / 2)
  await until("bytes wait", () => {
    stage.transport.send([2], [big])
    stage.transport.flush()
    return (stage.sockets[1]?.writableLength ?? 0) > 0
  })
  const waiting = stage.sockets[1]?.writableLength ?? 0
  expect(waiting).toBeLessThanOrEqual(MiB / 2 + 10)
  for (let count = 0; count <= transportLimits.congestedWrites; count++) {
    stage.transport.send([2], [Buffer.of(1)])
    stage.transport.flush()
  }
  expect(stage.has("congested", 2)).toBe(true)
})

test("a socket that never reads is closed at its limit while others go on", async () => {
  const stage = await new TransportStage(cleanup).start()
  await stage.deafClient()
  const reader = await new RawClient(`ws://127.0.0.1:${stage.port}/yjs/a`, cleanup).open()
  await until("both are connected", () => stage.opened() === 2)
  let sent = 0
  let mostBytes = 0
  await until("the silent one is cut off", () => {
    // Waits for the reader, so that only the deaf one falls behind.
    if (reader.frames.length < sent) return false
    stage.transport.send([1, 2], [Buffer.alloc(MiB, sent++ % 251)])
    stage.transport.flush()
    mostBytes = Math.max(mostBytes, stage.sockets[0]?.writableLength ?? 0)
    return stage.cutOff.length > 0
  })
  expect(stage.cutOff).toEqual(["too-slow"])
  expect(mostBytes).toBeLessThanOrEqual(transportLimits.waitingBytesMax + MiB + 10)
  await until("its socket is gone", () => stage.has("closed", 1), transportLimits.closeMs + 3000)
  stage.transport.send([1, 2], [Buffer.of(1, 2, 3)])
  stage.transport.flush()
  await until("the reader has all", () => reader.frames.length === sent + 1)
  for (const [index, frame] of reader.frames.slice(0, -1).entries()) {
    expect(frame[MiB - 1], `frame ${index}`).toBe(index % 251)
  }
  expect(stage.has("closed", 2)).toBe(false)
  expect(stage.has("congested", 2)).toBe(false)
})

test("the frames of one pass leave in order, and in one write", async () => {
  const stage = await new TransportStage(cleanup).start()
  const reader = await new RawClient(`ws://127.0.0.1:${stage.port}/yjs/a`, cleanup).open()
  await until("it is connected", () => stage.opened() === 1)
  const shared = Buffer.of(2)
  stage.transport.send([1], [Buffer.of(1)])
  stage.transport.send([1], [shared])
  stage.transport.send([1, 9], [Buffer.of(3), Buffer.of(4)])
  stage.transport.send([1], [shared])
  expect(stage.sockets[0]?.writableLength).toBe(0)
  stage.transport.close(1, "replaced")
  stage.transport.send([1], [Buffer.of(5)])
  stage.transport.flush()
  expect(await reader.closed).toEqual({ code: 4503, reason: "replaced" })
  expect(reader.frames.map((frame) => frame[0])).toEqual([1, 2, 3, 4, 2])
})
