import { once } from "node:events"
import { connect, createServer } from "node:net"
import type { AddressInfo, Socket } from "node:net"
import { afterEach, expect, test } from "vitest"
import { Cables } from "./cables.ts"
import { happens } from "./wait.ts"

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step()
})

/** Answers every byte with itself. */
async function echo(): Promise<number> {
  const server = createServer((socket) => socket.on("error", () => undefined).pipe(socket))
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  undo.push(() => server.close())
  // cast: a listening TCP server has an address with a port.
  return (server.address() as AddressInfo).port
}

async function through(url: string | undefined): Promise<string> {
  const socket: Socket = connect(Number(new URL(url ?? "").port), "127.0.0.1")
  undo.push(() => socket.destroy())
  let answer = ""
  socket.on("data", (data) => (answer += String(data)))
  socket.on("error", () => (answer = "reset"))
  socket.on("close", () => (answer = "reset"))
  socket.write("hello")
  await happens(() => answer !== "", 5000)
  return answer
}

test("cables carry bytes, reset when cut, and carry them again when healed", async () => {
  const cables = await Cables.lay(3)
  undo.push(() => cables.close())
  expect(cables.urlsOf(0)).toHaveLength(2)
  cables.connect(1, await echo())
  const [toSecond, toThird] = cables.urlsOf(0)
  expect(await through(toSecond)).toBe("hello")
  expect(await through(toThird), "nobody listens there yet").toBe("reset")
  await cables.cut()
  expect(await through(toSecond)).toBe("reset")
  await cables.heal()
  expect(await through(toSecond)).toBe("hello")
})
