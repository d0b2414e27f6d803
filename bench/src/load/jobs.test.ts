import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { serverSpec } from "../servers/catalog.ts"
import { startServer } from "../servers/server-process.ts"
import type { RunningServer } from "../servers/server-process.ts"
import { filledRoom } from "./fill.ts"
import type { Target } from "./job.ts"
import { runJob } from "./load-process.ts"

describe.each(["y-websocket", "hocuspocus-sqlite"] as const)("jobs against %s", (name) => {
  let folder = ""
  let server: RunningServer | undefined

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "causeway-bench-test-"))
    server = await startServer(serverSpec(name), folder)
  })

  afterAll(async () => {
    await server?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  function target(): Target {
    if (server === undefined) throw new Error("not started")
    return { baseUrl: server.baseUrl, wire: server.spec.wire, pid: server.pid }
  }

  test("idle: memory with and without documents", async () => {
    const job = { kind: "idle", target: target(), documents: 100, settleSeconds: 0.5 } as const
    const { failures, measures } = await runJob(job)
    expect(failures).toEqual([])
    expect(measures.residentMb).toBeGreaterThan(measures.residentEmptyMb ?? Infinity)
  })

  test("ack: latencies, and acks where the protocol has them", async () => {
    const { failures, measures } = await runJob({ kind: "ack", target: target(), count: 10 })
    expect(failures).toEqual([])
    expect(measures.visibleP50Ms).toBeGreaterThan(0)
    expect(measures.ackP50Ms === undefined).toBe(name === "y-websocket")
  })

  test("fill and inspect: what was confirmed is there, what was not written is not", async () => {
    const filled = await runJob({ kind: "fill", target: target(), documents: 30 })
    expect(filled.failures).toEqual([])
    const rooms = [filledRoom(0), filledRoom(29), filledRoom(30)]
    const inspected = await runJob({ kind: "inspect", target: target(), rooms })
    expect(inspected).toEqual({ measures: {}, failures: [], rooms: { stored: [1, 1, 0] } })
  })
})

test("a job against a server that is not there fails with its address", async () => {
  const target: Target = { baseUrl: "ws://127.0.0.1:1/", wire: "y-websocket", pid: process.pid }
  const failed = runJob({ kind: "ack", target, count: 1 })
  await expect(failed).rejects.toThrow(/127\.0\.0\.1:1\/ack: .*ECONNREFUSED/)
})
