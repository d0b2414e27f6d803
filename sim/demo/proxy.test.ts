import { once } from "node:events"
import { connect, createServer } from "node:net"
import type { Server, Socket } from "node:net"
import { expect, onTestFinished, test } from "vitest"
import { Proxy } from "./proxy.ts"
import { until } from "./wait.ts"

test("bytes go through in both directions and are counted", async () => {
  const client = await through(await proxied(echo()))
  expect(await client.says("hello")).toBe("hello")
})

test("a refusing cut resets what is there and what comes; healed, it serves again", async () => {
  const proxy = await proxied(echo())
  const client = await through(proxy)
  expect(await client.says("before")).toBe("before")
  proxy.cut("refuse")
  await until("the connection is reset", () => client.hasEnded)
  const late = await through(proxy)
  await until("a new one is reset too", () => late.hasEnded)
  proxy.heal()
  expect(await (await through(proxy)).says("after")).toBe("after")
  expect(proxy.bytes).toBe(2 * ("before".length + "after".length))
})

test("a stalling cut lets no byte through, and loses none", async () => {
  const target = echo()
  const proxy = await proxied(target)
  const client = await through(proxy)
  expect(await client.says("one ")).toBe("one ")
  proxy.cut("stall")
  client.socket.write("two ")
  const late = await through(proxy)
  late.socket.write("late")
  // What goes round to the target beside the proxy shows that the bytes had time to arrive.
  const beside = await connected(portOf(target))
  expect(await beside.says("ping")).toBe("ping")
  expect([client.text, late.text]).toEqual(["one ", ""])
  proxy.heal()
  await until("all has arrived", () => client.text === "one two " && late.text === "late")
  expect([client.hasEnded, late.hasEnded]).toEqual([false, false])
})

test("a stalled connection can be reset after all", async () => {
  const proxy = await proxied(echo())
  const client = await through(proxy)
  proxy.cut("stall")
  const held = await through(proxy)
  proxy.cut("refuse")
  await until("both are reset", () => client.hasEnded && held.hasEnded)
})

class Client {
  readonly socket: Socket
  text = ""
  hasEnded = false

  constructor(socket: Socket) {
    this.socket = socket
    socket.on("data", (data) => (this.text += String(data)))
    socket.on("error", () => {})
    socket.on("close", () => (this.hasEnded = true))
    onTestFinished(() => {
      socket.destroy()
    })
  }

  /** What came back, once it is as long as what was said. */
  async says(words: string): Promise<string> {
    const from = this.text.length
    this.socket.write(words)
    await until("an answer", () => this.text.length >= from + words.length)
    return this.text.slice(from)
  }
}

function echo(): Server {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on("error", () => {})
    socket.pipe(socket)
  })
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return server
}

async function proxied(target: Server): Promise<Proxy> {
  target.listen(0, "127.0.0.1")
  await once(target, "listening")
  const proxy = await Proxy.listen()
  onTestFinished(() => proxy.close())
  proxy.targetPort = portOf(target)
  return proxy
}

function portOf(server: Server): number {
  const address = server.address()
  return address === null || typeof address === "string" ? 0 : address.port
}

async function through(proxy: Proxy): Promise<Client> {
  return await connected(Number(new URL(proxy.url).port))
}

async function connected(port: number): Promise<Client> {
  const client = new Client(connect(port, "127.0.0.1"))
  await until("it connects or is reset", () => client.hasEnded || !client.socket.connecting)
  return client
}
