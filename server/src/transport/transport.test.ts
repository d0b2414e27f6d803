import { connect } from "node:net"
import { afterEach, expect, test } from "vitest"
import { TokenChecks } from "../auth/authenticate.ts"
import { Cleanup } from "../test/cleanup.ts"
import { RawClient } from "../test/raw-client.ts"
import { TransportStage } from "../test/transport-stage.ts"
import { until } from "../test/wait.ts"

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

test("past the limit of connections an upgrade is answered 503, until one leaves", async () => {
  const stage = await new TransportStage(cleanup, { connectionsMax: 2 }).start()
  const url = `ws://127.0.0.1:${stage.port}/sync`
  const first = await new RawClient(url, cleanup).open()
  await new RawClient(url, cleanup).open()
  await expect(new RawClient(url, cleanup).open()).rejects.toThrow("503")
  expect(stage.cutOff).toEqual(["overloaded"])
  first.socket.close()
  await until("it has left", () => stage.has("closed", 1))
  await new RawClient(url, cleanup).open()
  expect(stage.transport.counts()).toMatchObject({ native: 2, "y-websocket": 0 })
})

test("[Y9] those whose token is being checked count as connections", async () => {
  const answers: (() => void)[] = []
  const tokens = new TokenChecks(async () => {
    await new Promise<void>((resolve) => answers.push(resolve))
    return { user: "ada" }
  })
  const stage = await new TransportStage(cleanup, { connectionsMax: 2 }, tokens).start()
  const open = () => new RawClient(`ws://127.0.0.1:${stage.port}/yjs/a`, cleanup).open()
  const opening = [open(), open()]
  await until("two are being checked", () => answers.length === 2)
  await expect(open()).rejects.toThrow("503")
  for (const answer of answers) answer()
  await Promise.all(opening)
  expect(stage.transport.counts()).toMatchObject({ "y-websocket": 2 })
})

test("a peer that does not answer pings is cut off, one that does stays", async () => {
  const stage = await new TransportStage(cleanup, { pingMs: 300 }).start()
  const client = await new RawClient(`ws://127.0.0.1:${stage.port}/sync`, cleanup).open()
  await stage.deafClient()
  let pings = 0
  client.socket.on("ping", () => pings++)
  await until("the silent one is gone", () => stage.has("closed", 2))
  await until("more pings", () => pings > 4)
  expect(stage.cutOff).toEqual(["silent"])
  expect(stage.has("closed", 1)).toBe(false)
})

test("a socket ends soon after the close frame, whatever the peer does", async () => {
  const stage = await new TransportStage(cleanup).start()
  await stage.deafClient()
  const start = performance.now()
  stage.transport.close(1, "service-restart")
  await until("it is gone", () => stage.has("closed", 1))
  expect(performance.now() - start).toBeLessThan(4000)
  expect(stage.inputs.filter(({ type }) => type === "closed").length).toBe(1)
})

test("nothing is heard of a connection after it was told to close", async () => {
  const stage = await new TransportStage(cleanup).start()
  const client = await new RawClient(`ws://127.0.0.1:${stage.port}/sync`, cleanup).open()
  await until("it is open", () => stage.opened() === 1)
  client.send(1)
  await until("the first frame", () => stage.has("frame", 1))
  stage.transport.close(1, "replaced")
  client.send(2)
  client.socket.send("text")
  expect(await client.closed).toEqual({ code: 4503, reason: "replaced" })
  await until("closed", () => stage.has("closed", 1))
  expect(stage.inputs.map(({ type }) => type)).toEqual(["opened", "frame", "closed"])
})

test("[L8] a dial leads to a link, or fails once", async () => {
  const far = await new TransportStage(cleanup).start()
  const near = await new TransportStage(cleanup).start()
  const address = `ws://127.0.0.1:${far.port}`
  near.transport.dial(`${address}/`)
  near.transport.dial("ws://127.0.0.1:9")
  near.transport.dial(`${address}/no/such/path`)
  await until("all have ended", () => near.inputs.length === 3 && far.inputs.length === 1)
  expect(near.inputs).toContainEqual({
    type: "opened",
    connection: 1,
    endpoint: { type: "link-dialled", address: `${address}/` },
  })
  expect(near.inputs).toContainEqual({ type: "dial-failed", address: "ws://127.0.0.1:9" })
  expect(near.inputs).toContainEqual({ type: "dial-failed", address: `${address}/no/such/path` })
  const frames = [Buffer.of(1), Buffer.alloc(70_000, 2), Buffer.of()]
  near.transport.send([1], frames)
  near.transport.flush()
  far.transport.send([1], frames)
  far.transport.flush()
  for (const { inputs } of [near, far]) {
    const got = () => inputs.flatMap((input) => (input.type === "frame" ? [input.frame] : []))
    await until("the frames", () => got().length === 3)
    expect(got().map((frame) => Buffer.from(frame).toString("hex"))).toEqual(
      frames.map((frame) => frame.toString("hex")),
    )
  }
})

test("a handshake that never ends is given up", async () => {
  const near = await new TransportStage(cleanup).start()
  const silent = await new TransportStage(cleanup).start()
  // It takes the connection and says nothing.
  silent.transport.upgrade = () => {}
  near.transport.dial(`ws://127.0.0.1:${silent.port}`)
  await until("the dial fails", () => near.has("dial-failed", 0) || near.inputs.length === 1)
  expect(near.inputs.map(({ type }) => type)).toEqual(["dial-failed"])
})

test("a half-open or broken upgrade leaves nothing behind", async () => {
  const stage = await new TransportStage(cleanup).start()
  for (const request of [
    "GET /sync HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    "POST /sync HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    "GET /sync HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
  ]) {
    const socket = connect(stage.port, "127.0.0.1")
    cleanup.add(() => socket.destroy())
    let answer = ""
    socket.on("data", (data) => (answer += String(data)))
    socket.write(request)
    await until("an answer", () => answer.startsWith("HTTP/1.1 4"))
  }
  const sockets = stage.sockets.length
  const leaving = connect(stage.port, "127.0.0.1")
  leaving.write("GET /sync HTTP/1.1\r\nHo")
  await until("it has come", () => stage.sockets.length > sockets)
  leaving.destroy()
  await until("it has gone", () => stage.sockets.every((socket) => socket.destroyed))
  expect(stage.inputs).toEqual([])
})
