/** Backups of running nodes, and what comes up on them: rules [B1]–[B4]. */
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { createHash } from "node:crypto"
import { createServer } from "node:http"
import { dirname, join } from "node:path"
import { parseNodeId } from "@causeway/crdt/base"
import { afterEach, expect, test } from "vitest"
import * as Y from "yjs"
import { backup } from "./cli/backup.ts"
import { dataFiles, MANIFEST_FILE } from "./cli/backup-file.ts"
import { restore } from "./cli/restore.ts"
import { inspectStore } from "./doctor/inspect-store.ts"
import type { NodeOptions, RunningNode } from "./index.ts"
import { storeKinds } from "./store/index.ts"
import type { StoreKind } from "./store/index.ts"
import { Child } from "./test/child.ts"
import { Cleanup } from "./test/cleanup.ts"
import { NativeClient } from "./test/native-client.ts"
import { httpUrl, startNode } from "./test/nodes.ts"
import { soon, until } from "./test/wait.ts"

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

const adminToken = "0123456789abcdef"

/** A writer that goes on until it is told to stop; what is acked is durable. */
class Writer {
  readonly #client: NativeClient
  readonly #doc = new Y.Doc()
  readonly #name: string
  #last = 0
  count = 0

  private constructor(client: NativeClient, name: string) {
    this.#client = client
    this.#name = name
    this.#doc.on("update", (update: Uint8Array) => (this.#last = client.update(update)))
  }

  static async open(node: RunningNode, name: string): Promise<Writer> {
    return new Writer(await NativeClient.open(node.url, "yjs", "notes", cleanup), name)
  }

  /** Gives how long the slowest ack took. */
  async write(count: number): Promise<number> {
    let slowestMs = 0
    for (let index = 0; index < count; index++) {
      this.count += 1
      this.#doc.getMap("map").set(`${this.#name}-${this.count}`, "x".repeat(100))
      const startMs = performance.now()
      await this.#client.acked(this.#last)
      slowestMs = Math.max(slowestMs, performance.now() - startMs)
    }
    return slowestMs
  }

  keys(): string[] {
    return Array.from({ length: this.count }, (_, index) => `${this.#name}-${index + 1}`)
  }
}

async function held(node: RunningNode): Promise<Set<string>> {
  const response = await fetch(`${httpUrl(node)}/v1/documents/yjs/notes`)
  if (!response.ok) return new Set()
  // cast: the test's own document.
  const { map = {} } = (await response.json()) as { map?: Record<string, unknown> }
  return new Set(Object.keys(map))
}

async function holds(node: RunningNode, keys: readonly string[]): Promise<void> {
  await until("every write is there", async () => {
    const there = await held(node)
    return keys.every((key) => there.has(key))
  })
}

function member(
  name: string,
  directory: string,
  peers: RunningNode[],
  type: StoreKind = "sqlite",
): Promise<RunningNode> {
  const options: Partial<NodeOptions> = {
    node: parseNodeId(name),
    store: { type, directory },
    peers: peers.map(({ url }) => url),
    adminToken,
  }
  return startNode(cleanup, options)
}

function vectorOf(node: RunningNode): string {
  const entries = Object.entries(node.status().vector).filter(([, seq]) => seq > 0)
  return JSON.stringify(entries.toSorted(([left], [right]) => (left < right ? -1 : 1)))
}

/** Where it is put: not there yet. */
function place(): string {
  return join(cleanup.folder(), "place")
}

test.for(storeKinds)(
  "[B2] [B3] [B4] backup under load, restored: nothing is lost: %s",
  async (type) => {
    const b = await member("b", cleanup.folder(), [])
    const a = await member("a", cleanup.folder(), [b], type)
    const [first, second] = [await Writer.open(a, "a"), await Writer.open(b, "b")]
    await first.write(50)
    const to = place()
    let isOver = false
    const running = backup({ url: a.url, to, adminToken }).finally(() => (isOver = true))
    while (!isOver) await first.write(5)
    expect(await running).toBe(0)
    expect(readdirSync(to).toSorted((left, right) => (left < right ? -1 : 1))).toEqual([
      MANIFEST_FILE,
      dataFiles[type],
    ])
    const manifest: unknown = JSON.parse(readFileSync(join(to, MANIFEST_FILE), "utf8"))
    const { origin } = a.status()
    expect(manifest).toMatchObject({ format: 1, store: type, node: "a", origin })
    await first.write(20)
    await second.write(20)
    await holds(b, first.keys())
    await a.close()
    const data = place()
    expect(await restore({ from: to, data })).toBe(0)
    const restored = await member("a", data, [b], type)
    expect(restored.status()).toMatchObject({ node: "a", renewed: { why: "boot-record" } })
    expect(restored.status().origin).not.toBe(origin)
    const third = await Writer.open(restored, "c")
    await third.write(10)
    for (const node of [restored, b]) {
      await holds(node, [...first.keys(), ...second.keys(), ...third.keys()])
    }
    // Nothing was given out twice: no fork, and both hold the same.
    await until("level", () => vectorOf(restored) === vectorOf(b))
    expect(restored.status().vector[origin]).toBe(first.count)
    await restored.close()
    await b.close()
    expect((await inspectStore(data, () => {})).findings).toEqual([])
  },
)

test("[B1] without the token, or without one configured, there is no backup", async () => {
  const closed = await startNode(cleanup, { store: { type: "memory" } })
  const open = await member("a", cleanup.folder(), [])
  const ask = (node: RunningNode, headers: Record<string, string>) =>
    fetch(`${httpUrl(node)}/v1/backup`, { headers })
  const wrong = [{}, { authorization: "Bearer wrong" }, { authorization: adminToken }]
  for (const headers of wrong) {
    expect((await ask(open, headers)).status).toBe(401)
    const response = await ask(closed, headers)
    expect(response.status).toBe(403)
    expect(await response.text()).toContain("CAUSEWAY_ADMIN_TOKEN")
  }
  const right = { authorization: `Bearer ${adminToken}` }
  expect((await ask(closed, right)).status).toBe(403)
  const made = await ask(open, right)
  expect(made.status).toBe(200)
  await made.arrayBuffer()
  const memory = await startNode(cleanup, { store: { type: "memory" }, adminToken })
  expect((await ask(memory, right)).status).toBe(501)
  await expect(backup({ url: open.url, to: place(), adminToken: "x".repeat(16) })).rejects.toThrow(
    "answered 401",
  )
})

test.for(storeKinds)(
  "[B2] one at a time; called off it leaves nothing behind: %s",
  async (type) => {
    const directory = cleanup.folder()
    const node = await member("a", directory, [], type)
    await (await Writer.open(node, "a")).write(20)
    const headers = { authorization: `Bearer ${adminToken}` }
    const abort = new AbortController()
    const response = await fetch(`${httpUrl(node)}/v1/backup`, { headers, signal: abort.signal })
    expect((await fetch(`${httpUrl(node)}/v1/backup`, { headers })).status).toBe(503)
    abort.abort()
    await expect(response.text()).rejects.toThrow("aborted")
    await until("it is over", async () => {
      const again = await fetch(`${httpUrl(node)}/v1/backup`, { headers })
      await again.arrayBuffer()
      return again.status === 200
    })
    await until("nothing is left", () => !readdirSync(directory).join().includes("backup-"))
    await node.close()
    writeFileSync(join(directory, "backup-01234567.tmp"), "left by a process that was killed")
    await member("a", directory, [], type)
    expect(readdirSync(directory).join()).not.toContain("backup-")
  },
)

test.for(storeKinds)(
  "[B3] [B4] a damaged backup, what is none, a place that is taken: %s",
  async (type) => {
    const node = await member("a", cleanup.folder(), [], type)
    await (await Writer.open(node, "a")).write(20)
    const [to, data] = [place(), place()]
    await backup({ url: node.url, to, adminToken })
    await expect(backup({ url: node.url, to, adminToken })).rejects.toThrow("is not empty")
    await expect(restore({ from: to, data: to })).rejects.toThrow("is not empty")
    await expect(restore({ from: cleanup.folder(), data })).rejects.toThrow("is no backup")
    const file = join(to, dataFiles[type])
    const whole = readFileSync(file)
    for (const damaged of [whole.subarray(0, -1), Buffer.concat([whole, whole]), flipped(whole)]) {
      writeFileSync(file, damaged)
      await expect(restore({ from: to, data })).rejects.toThrow("is damaged")
      expect(existsSync(data)).toBe(false)
    }
    appendFileSync(join(to, MANIFEST_FILE), "}")
    await expect(restore({ from: to, data })).rejects.toThrow("is no backup")
    await node.close()
    await expect(backup({ url: node.url, to: data, adminToken })).rejects.toThrow("cannot reach")
    await expect(backup({ url: "http://x y", to: data, adminToken })).rejects.toThrow(
      "not a node's",
    )
    expect(existsSync(data)).toBe(false)
  },
)

/** Something that answers for a node, with `body` to whatever it is asked. */
async function answering(body: Buffer): Promise<string> {
  const server = createServer((_, response) => response.end(body))
  cleanup.add(() => server.close())
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve)
  })
  const address = server.address()
  if (address === null || typeof address === "string") throw new TypeError("no port")
  return `http://127.0.0.1:${address.port}`
}

test("[B3] a copy that is not what the node made, or is damaged itself, is none", async () => {
  const node = await member("a", cleanup.folder(), [])
  await (await Writer.open(node, "a")).write(20)
  const headers = { authorization: `Bearer ${adminToken}` }
  const answer = await fetch(`${httpUrl(node)}/v1/backup`, { headers })
  const whole = Buffer.from(await answer.arrayBuffer())
  const begin = whole.indexOf("\n", whole.indexOf('{"bytes"')) + 1
  const end = whole.lastIndexOf('{"sha256"')
  const [before, file] = [whole.subarray(0, begin), whole.subarray(begin, end)]
  const rotten = Buffer.from(file)
  rotten.write("y", rotten.indexOf("xxxxxxxx"))
  const sha256 = createHash("sha256").update(rotten).digest("hex")
  const error = Buffer.from('{"error":{"code":"backup-failed","message":"no luck"}}\n')
  const cases: [string, Buffer][] = [
    ["was damaged on its way", Buffer.concat([before, rotten, whole.subarray(end)])],
    ["the node ended it early", whole.subarray(0, begin + 5000)],
    ["the node ended it early", whole.subarray(0, end)],
    ["the backup is damaged: entries fail", Buffer.concat([before, rotten, line({ sha256 })])],
    ["the node made no backup: no luck", error],
    ["that is no backup", Buffer.from("<html>\n")],
  ]
  for (const [message, body] of cases) {
    const to = place()
    const url = await answering(body)
    await expect(backup({ url, to, adminToken })).rejects.toThrow(message)
    expect(readdirSync(dirname(to))).toEqual([])
  }
  const to = place()
  expect(await backup({ url: await answering(whole), to, adminToken })).toBe(0)
  expect(readdirSync(dirname(to))).toEqual(["place"])
})

function line(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`)
}

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  copy[copy.length - 10] = (copy[copy.length - 10] ?? 0) ^ 1
  return copy
}

test("[B3] [B5] the commands, as an operator types them", async () => {
  const node = await member("a", cleanup.folder(), [])
  await (await Writer.open(node, "a")).write(5)
  const [to, data] = [place(), place()]
  const run = async (...args: string[]) => {
    const child = new Child(args, cleanup)
    const { code } = await soon("the command ends", child.ended, 30_000)
    return { code, stdout: child.stdout, stderr: child.stderr }
  }
  const taken = await run("backup", "--url", node.url, "--to", to, "--admin-token", adminToken)
  expect(taken).toMatchObject({ code: 0, stdout: expect.stringContaining("5 entries") })
  expect(taken.stderr).toContain("looking through the copy")
  const put = await run("restore", "--from", to, "--data", data)
  expect(put).toMatchObject({ code: 0, stdout: expect.stringContaining("of node a") })
  const looked = await run("doctor", "--data", data)
  expect(looked).toMatchObject({ code: 2, stdout: expect.stringContaining("[boot-record]") })
  const repaired = await run("doctor", "--data", data, "--repair", "--json")
  expect(repaired.code).toBe(0)
  expect(JSON.parse(repaired.stdout)).toMatchObject({ verdict: "damaged", exit: 0 })
  expect(await run("doctor", "--data", data)).toMatchObject({ code: 0 })
  const nowhere = await run("doctor", "--data", join(data, "nowhere"))
  expect(nowhere).toMatchObject({ code: 1, stdout: "" })
  expect(nowhere.stderr).toMatch(/^causeway: there is no causeway\.sqlite in /)
})
