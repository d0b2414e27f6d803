import { once } from "node:events"
import { afterEach, expect, test } from "vitest"
import { WebSocketServer } from "ws"
import { runFanOut } from "./fan-out.ts"
import type { JobResult } from "./job.ts"

let server: WebSocketServer | undefined

afterEach(() => {
  for (const client of server?.clients ?? []) client.terminate()
  server?.close()
})

/** A short run against a relay in this process that hands on `change(frame)`. */
async function runThrough(change: (frame: Buffer) => Buffer | undefined): Promise<JobResult> {
  const relay = new WebSocketServer({ host: "127.0.0.1", port: 0 })
  server = relay
  relay.on("connection", (socket) => {
    socket.on("message", (data) => {
      const changed = Buffer.isBuffer(data) ? change(data) : undefined
      if (changed === undefined) return
      for (const other of relay.clients) if (other !== socket) other.send(changed)
    })
  })
  await once(relay, "listening")
  const address = relay.address()
  if (address === null || typeof address === "string") throw new Error("not listening")
  return runFanOut({
    kind: "fan-out",
    target: { baseUrl: `ws://127.0.0.1:${address.port}/`, wire: "relay", pid: process.pid },
    documents: 1,
    readersPerDocument: 3,
    updatesPerSecond: 200,
    seconds: 1,
    warmupSeconds: 0.2,
    deferredSeconds: 0,
  })
}

test("an honest relay delivers everything", async () => {
  const { failures, measures } = await runThrough((frame) => frame)
  expect(failures).toEqual([])
  expect(measures.deliveredShare).toBe(1)
  expect(measures.updatesPerFrame).toBe(1)
  expect(measures.cpuMicrosPerSent).toBeGreaterThan(0)
})

test("a relay that loses one frame fails", async () => {
  let frames = 0
  const { failures, measures } = await runThrough((frame) => {
    frames += 1
    return frames === 150 ? undefined : frame
  })
  expect(failures.join()).toMatch(/delivered \d+ of 600/)
  expect(measures.deliveredShare).toBeLessThan(1)
})

test("a relay that changes a letter fails, though every clock arrives", async () => {
  const { failures } = await runThrough((frame) => {
    const changed = Buffer.from(frame)
    changed[changed.length - 2] = "X".charCodeAt(0)
    return changed
  })
  expect(failures).toEqual(["fan-out-0: a reader's text differs"])
})
