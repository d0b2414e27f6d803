/** The command as an operator meets it: a process, its output, its exit code. */
import { existsSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { afterEach, expect, test } from "vitest"
import { Child, serveChild } from "../test/child.ts"
import { Cleanup } from "../test/cleanup.ts"
import { RawClient } from "../test/raw-client.ts"
import { stockClient, synced } from "../test/stock-client.ts"
import { soon, until } from "../test/wait.ts"

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

/** It ends with code 1 and one line on stderr that contains `message`. */
async function expectRefusal(child: Child, message: string): Promise<void> {
  expect(await soon("it ends", child.ended)).toEqual({ code: 1, signal: null })
  expect(child.stderr).toContain(message)
  expect(child.stderr).toMatch(/^causeway: [^\n]+\n$/)
  expect(child.stdout).toBe("")
}

test("a port that is taken", async () => {
  const other = createServer().listen(0, "127.0.0.1")
  cleanup.add(() => other.close())
  await until("the port is taken", () => other.listening)
  // cast: a listening TCP server has an address with a port.
  const { port } = other.address() as AddressInfo
  const address = `127.0.0.1:${port}`
  const data = join(cleanup.folder(), "data")
  const child = new Child(["serve", "--data", data, "--listen", address], cleanup)
  await expectRefusal(child, `port taken: something listens on ${address} already; stop it or`)
  expect(existsSync(data), "a data folder is left behind").toBe(false)
})

test("an address that is not this machine's", async () => {
  const child = new Child(["serve", "--store", "memory", "--listen", "192.0.2.1:0"], cleanup)
  await expectRefusal(child, "192.0.2.1 is not an address of this machine")
})

test("a data folder that another process has open", async () => {
  const directory = cleanup.folder()
  await serveChild(cleanup, "--data", directory).ready()
  await expectRefusal(serveChild(cleanup, "--data", directory), `${directory} is in use by another`)
})

test("a data folder that can't be written", async () => {
  const file = join(cleanup.folder(), "file")
  writeFileSync(file, "not a folder")
  const child = serveChild(cleanup, "--data", join(file, "data"))
  await expectRefusal(child, "cannot write to the data folder")
})

test("a data folder of another node", async () => {
  const directory = cleanup.folder()
  const first = serveChild(cleanup, "--data", directory, "--node", "first")
  await first.ready()
  first.process.kill("SIGTERM")
  expect(await soon("it ends", first.ended)).toEqual({ code: 0, signal: null })
  const second = serveChild(cleanup, "--data", directory, "--node", "second")
  await expectRefusal(second, "first")
  const unnamed = serveChild(cleanup, "--data", directory)
  const status = await fetch(`${(await unnamed.ready()).replace("ws", "http")}/v1/status`)
  expect(await status.json()).toMatchObject({ node: "first" })
})

test("a bad flag, a bad peer, a bad file", async () => {
  const config = join(cleanup.folder(), "causeway.json")
  writeFileSync(config, '{"lissten": "127.0.0.1:0"}')
  await expectRefusal(serveChild(cleanup, "--peer", "127.0.0.1:1"), "--peer: ")
  await expectRefusal(serveChild(cleanup, "--config", config), 'there is no setting "lissten"')
  const unknown = serveChild(cleanup, "--verbose")
  expect(await soon("it ends", unknown.ended)).toEqual({ code: 1, signal: null })
  expect(unknown.stderr).toContain("causeway: unknown option '--verbose'")
})

test("--help and --version", async () => {
  const help = new Child(["serve", "--help"], cleanup)
  expect(await soon("it ends", help.ended)).toEqual({ code: 0, signal: null })
  for (const flag of [
    "listen",
    "data",
    "node",
    "peer",
    "cluster",
    "store",
    "config",
    "log-bytes-max",
    "log-age-max",
  ]) {
    expect(help.stdout).toContain(`--${flag} <`)
  }
  const version = new Child(["--version"], cleanup)
  await soon("it ends", version.ended)
  expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test("SIGTERM: what was accepted is saved, clients are told to come back", async () => {
  const directory = cleanup.folder()
  const child = serveChild(cleanup, "--data", directory)
  const url = await child.ready()
  const writer = stockClient(url, "room", cleanup)
  await synced(writer)
  writer.provider.shouldConnect = false
  const watchers = ["/yjs/room", "/sync", "/link"].map((path) => new RawClient(url + path, cleanup))
  await Promise.all(watchers.map((watcher) => watcher.open()))
  const [first] = watchers
  first?.send(0, 0, 1, 0)
  await until("it is live", () => (first?.frames.length ?? 0) > 0)
  writer.text.insert(0, "the last words")
  await until("they are shown", () => {
    return first?.frames.some((frame) => Buffer.from(frame).includes("last words")) === true
  })
  const start = performance.now()
  child.process.kill("SIGTERM")
  const told = { code: 1012, reason: "service-restart" }
  for (const watcher of watchers) expect(await soon("a close", watcher.closed)).toEqual(told)
  expect(await soon("it ends", child.ended)).toEqual({ code: 0, signal: null })
  expect(performance.now() - start).toBeLessThan(5000)
  expect(child.stdout).toBe(`ready ${url}\n`)
  for (const line of child.stderr.trim().split("\n")) {
    expect(JSON.parse(line)).toMatchObject({ level: expect.any(String), msg: expect.any(String) })
  }
  const again = serveChild(cleanup, "--data", directory)
  const reader = stockClient(await again.ready(), "room", cleanup)
  await until("the words are there", () => String(reader.text) === "the last words")
})

test("SIGINT with a client that never answers still ends in time", async () => {
  const child = serveChild(cleanup, "--store", "memory")
  const client = await new RawClient(`${await child.ready()}/yjs/room`, cleanup).open()
  client.socket.pause()
  const start = performance.now()
  child.process.kill("SIGINT")
  expect(await soon("it ends", child.ended)).toEqual({ code: 0, signal: null })
  expect(performance.now() - start).toBeLessThan(5000)
})
