/**
 * Real nodes on real data folders that were put back, exchanged or damaged: they come back. How
 * each kind of store opens then is held to the store contract, boot-record.test.ts and the
 * damage tests; what a node makes of it is tried here with the kinds in turn.
 */
import { existsSync } from "node:fs"
import { cp, mkdir, open, readFile, rm, rmdir } from "node:fs/promises"
import { join } from "node:path"
import { parseNodeId } from "@causeway/crdt/base"
import type { NodeOptions, RunningNode } from "./index.ts"
import { pino } from "pino"
import { afterEach, expect, test } from "vitest"
import * as Y from "yjs"
import { BOOT_FILE } from "./store/boot-record.ts"
import { storeKinds } from "./store/index.ts"
import type { StoreKind } from "./store/index.ts"
import { LevelDatabase } from "./store/level/database.ts"
import { LEVEL_FOLDER, rangeOf } from "./store/level/keys.ts"
import { DATABASE_FILE } from "./store/sqlite/schema.ts"
import { serveChild } from "./test/child.ts"
import { Cleanup } from "./test/cleanup.ts"
import { NativeClient } from "./test/native-client.ts"
import { httpUrl, metric, startNode } from "./test/nodes.ts"
import { soon, until } from "./test/wait.ts"

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

/** A node that is stopped and started on one folder, and what it logged. */
class Member {
  readonly #kind: StoreKind
  readonly directory = cleanup.folder()
  readonly lines: { readonly msg: string; readonly level: number; readonly why?: string }[] = []
  readonly #name: string
  #node: RunningNode | undefined

  constructor(kind: StoreKind, name: string) {
    this.#kind = kind
    this.#name = name
  }

  get node(): RunningNode {
    if (this.#node === undefined) throw new Error("not started")
    return this.#node
  }

  async start(...peers: Member[]): Promise<RunningNode> {
    const options: Partial<NodeOptions> = {
      node: parseNodeId(this.#name),
      store: { type: this.#kind, directory: this.directory },
      peers: peers.map(({ node }) => node.url),
      log: pino({}, { write: (line: string) => void this.lines.push(JSON.parse(line)) }),
    }
    this.#node = await startNode(cleanup, options)
    return this.#node
  }

  async stop(): Promise<void> {
    await this.node.close()
  }

  logged(name: string) {
    return this.lines.filter(({ msg }) => msg === name)
  }

  get renewed(): string | undefined {
    return this.node.status().renewed?.why
  }
}

/** Writes these keys, one update each, and waits until they are acked. */
async function write(url: string, keys: readonly string[]): Promise<void> {
  const client = await NativeClient.open(url, "yjs", "notes", cleanup)
  const doc = new Y.Doc()
  let last = 0
  doc.on("update", (update: Uint8Array) => (last = client.update(update)))
  for (const key of keys) doc.getMap("map").set(key, 1)
  await client.acked(last)
}

function keysOf(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `key-${name}-${index + 1}-unmistakable`)
}

async function held(url: string): Promise<string[]> {
  const response = await fetch(`${url.replace("ws://", "http://")}/v1/documents/yjs/notes`)
  if (!response.ok) return []
  // cast: the test's own document.
  const body = (await response.json()) as { map?: Record<string, number> }
  return Object.keys(body.map ?? {}).toSorted()
}

/** Waits until every node holds exactly these keys, and all of them the same entries. */
async function converged(members: readonly Member[], ...keys: string[][]): Promise<void> {
  const expected = keys.flat().toSorted()
  for (const { node } of members) {
    await until("every write is everywhere", async () => {
      const there = await held(node.url)
      return there.length === expected.length && there.every((key, at) => key === expected[at])
    })
  }
  const vectors = () =>
    members.map(({ node }) => {
      const entries = Object.entries(node.status().vector).filter(([, seq]) => seq > 0)
      return entries
        .map((entry) => entry.join(" "))
        .toSorted()
        .join()
    })
  await until("the vectors are equal", () => new Set(vectors()).size === 1)
}

/** What the data folder of each kind keeps its log in. */
const databases = { sqlite: DATABASE_FILE, level: LEVEL_FOLDER } as const

/** Turns a bit of what the folder holds of `text`. */
async function damage(kind: StoreKind, directory: string, text: string): Promise<void> {
  const path = join(directory, databases[kind])
  expect(await (kind === "sqlite" ? damageFile(path, text) : damageEntries(path, text))).toBe(true)
}

async function damageFile(path: string, text: string): Promise<boolean> {
  const content = await readFile(path)
  const file = await open(path, "r+")
  const first = content.indexOf(text)
  for (let at = first; at >= 0; at = content.indexOf(text, at + 1)) {
    await file.write(Uint8Array.of((content[at + 5] ?? 0) ^ 4), 0, 1, at + 5)
  }
  await file.close()
  return first > 0
}

async function damageEntries(path: string, text: string): Promise<boolean> {
  const database = await LevelDatabase.open(path)
  const damaged: [Buffer, Buffer][] = []
  for await (const page of database.pages(rangeOf("e"))) {
    for (const [key, entry] of page) {
      const at = entry.indexOf(text)
      if (at >= 0) damaged.push([key, entry.fill((entry[at + 5] ?? 0) ^ 4, at + 5, at + 6)])
    }
  }
  await database.write(damaged)
  await database.close()
  return damaged.length > 0
}

/** Three nodes; `a` dials the others. `first` is on all of them, then `a` is stopped. */
async function three(kind: StoreKind, first: readonly string[]) {
  const [a, b, c] = [new Member(kind, "a"), new Member(kind, "b"), new Member(kind, "c")]
  await b.start()
  await c.start(b)
  await a.start(b, c)
  await write(a.node.url, first)
  await converged([a, b, c], [...first])
  return { a, b, c, all: [a, b, c] }
}

test.for(["sqlite"] as const)(
  "[X1] [X3] [X5] what a third node adopted of a folder put back is repaired without it: %s",
  { timeout: 30_000 },
  async (kind) => {
    const [first, second, third] = [keysOf("first", 5), keysOf("second", 5), keysOf("third", 3)]
    const { a, b, c, all } = await three(kind, first)
    await a.stop()
    const backup = cleanup.folder()
    await cp(a.directory, backup, { recursive: true })
    await c.stop()
    await a.start(b)
    await write(a.node.url, second)
    await converged([a, b], first, second)
    await a.stop()
    await b.stop()
    await rm(a.directory, { recursive: true })
    await cp(backup, a.directory, { recursive: true })
    await c.start()
    await a.start(c)
    await write(a.node.url, third)
    await converged([a, c], first, third)
    await a.stop()
    // The two hold different writes under one name of a node that is gone.
    await b.start(c)
    await converged([b, c], first, second, third)
    const repaired = [b, c].filter((member) => member.renewed === "fork")
    expect(repaired).toHaveLength(1)
    for (const member of repaired) {
      expect(member.logged("fork-repaired")).toHaveLength(1)
      expect(await metric(member.node, 'causeway_log_renewals_total{why="fork"}')).toBe(1)
    }
    expect([b, c].flatMap((member) => member.logged("fork-detected")).length).toBeGreaterThan(0)
    await until("no fork is open", () =>
      [b, c].every(({ node }) => node.status().forks.length === 0),
    )
    await a.start(b, c)
    await converged(all, first, second, third)
  },
)

test.each([
  ["and each other", true],
  ["alone", false],
] as const)(
  "[X8] two that run on copies of one folder, linked with a third node %s: no write is lost",
  async (_, areLinked) => {
    const [first, second, third] = [keysOf("first", 5), keysOf("second", 3), keysOf("third", 3)]
    const [a, twin, b] = ["a", "a", "b"].map((name) => new Member("sqlite", name))
    if (a === undefined || twin === undefined || b === undefined) return
    await b.start()
    await a.start(b)
    await write(a.node.url, first)
    await converged([a, b], first)
    await a.stop()
    await cp(a.directory, twin.directory, { recursive: true })
    await a.start(b)
    await (areLinked ? twin.start(b, a) : twin.start(b))
    const areApart = () => a.node.status().origin !== twin.node.status().origin
    // Linked, they see it at once; else when one of them has written.
    if (areLinked) await until("told apart", areApart)
    await write(a.node.url, second)
    await until("told apart", areApart)
    await write(twin.node.url, third)
    await converged([a, twin, b], first, second, third)
    const isSaid = () => [a, twin, b].some((member) => member.logged("twin-detected").length > 0)
    await until("somebody says so", isSaid)
    const said = [a, twin, b].flatMap(({ node }) => node.status().twins)
    expect(new Set(said.map(({ node }) => node))).toEqual(new Set(["a"]))
  },
  30_000,
)

test.for(["level"] as const)(
  "[E3] a whole folder put back, used, and linked again: both branches are kept: %s",
  async (kind) => {
    const [first, second, third] = [keysOf("first", 5), keysOf("second", 5), keysOf("third", 3)]
    const { a, b, c, all } = await three(kind, first)
    await a.stop()
    const backup = cleanup.folder()
    await cp(a.directory, backup, { recursive: true })
    await a.start(b, c)
    const origin = a.node.status().origin
    await write(a.node.url, second)
    await converged(all, first, second)
    await a.stop()
    await rm(a.directory, { recursive: true })
    await cp(backup, a.directory, { recursive: true })
    // Alone it can't know, not even when it is started again.
    for (const key of third) {
      await a.start()
      expect([a.node.status().origin, a.renewed]).toEqual([origin, undefined])
      await write(a.node.url, [key])
      await a.stop()
    }
    await a.start(b, c)
    const { url } = a.node
    await converged(all, first, second, third)
    expect(a.renewed).toBe("overtaken")
    expect(a.node.url).toBe(url)
    expect(a.node.status()).toMatchObject({
      vector: { [origin]: 10 },
      renewed: { before: origin, salvaged: 3, lostCount: 0, origin: a.node.status().origin },
    })
    expect(await metric(a.node, 'causeway_log_renewals_total{why="overtaken"}')).toBe(1)
    const status = await (await fetch(`${httpUrl(a.node)}/v1/status`)).json()
    expect(status).toMatchObject({ renewed: { why: "overtaken", salvaged: 3 } })
    expect(a.logged("log-renewed")).toMatchObject([{ why: "overtaken", level: 40 }])
    // And it goes on as any node.
    await write(url, keysOf("fourth", 2))
    await converged(all, first, second, third, keysOf("fourth", 2))
  },
)

test.for(["level"] as const)(
  "[E2] only the database put back: a fresh epoch, the rest comes from peers: %s",
  async (kind) => {
    const [first, second, third] = [keysOf("first", 4), keysOf("second", 4), keysOf("third", 2)]
    const { a, b, c, all } = await three(kind, first)
    await a.stop()
    const backup = cleanup.folder()
    const database = databases[kind]
    await cp(join(a.directory, database), join(backup, database), { recursive: true })
    await a.start(b, c)
    const { origin } = a.node.status()
    await write(a.node.url, second)
    await converged(all, first, second)
    await a.stop()
    await rm(join(a.directory, database), { recursive: true })
    await cp(join(backup, database), join(a.directory, database), { recursive: true })
    await a.start()
    expect(a.node.status().renewed).toMatchObject({ why: "boot-record", before: origin })
    await write(a.node.url, third)
    await a.stop()
    await a.start(b, c)
    await converged(all, first, second, third)
    expect(a.renewed).toBe(undefined)
    expect(a.logged("fork-detected")).toEqual([])
  },
)

test.for(["sqlite"] as const)(
  "[E2] the boot record is gone: a fresh epoch, and all is as it was: %s",
  async (kind) => {
    const first = keysOf("first", 4)
    const { a, b, c, all } = await three(kind, first)
    const { origin } = a.node.status()
    await a.stop()
    await rm(join(a.directory, BOOT_FILE))
    await a.start(b, c)
    expect(a.renewed).toBe("boot-record")
    expect(a.node.status().origin).not.toBe(origin)
    await write(a.node.url, ["later"])
    await converged(all, first, ["later"])
  },
)

test.for(storeKinds)(
  "[E4] [E6] a damaged record: the log is looked through, nothing is lost: %s",
  async (kind) => {
    const [first, second] = [keysOf("first", 6), keysOf("second", 4)]
    const { a, b, c, all } = await three(kind, first)
    await a.stop()
    // What only this node has stands behind the damage.
    await a.start()
    await write(a.node.url, second)
    await a.stop()
    await damage(kind, a.directory, first[2] ?? "")
    await a.start(b, c)
    const { url } = a.node
    await held(url)
    await until("the log is looked through", () => a.renewed === "corrupt")
    await converged(all, first, second)
    expect(a.node.url).toBe(url)
    const { renewed } = a.node.status()
    expect(renewed).toMatchObject({ salvaged: 7, lostCount: 1, lost: [{ seq: 3 }] })
    expect(await metric(a.node, "causeway_entries_lost_total")).toBe(1)
    expect(a.logged("log-renewed")).toMatchObject([{ why: "corrupt", level: 50 }])
    await write(url, ["later"])
    await converged(all, first, second, ["later"])
    expect(a.logged("store-in-doubt")).toHaveLength(1)
  },
)

test.for(storeKinds)(
  "[E4] a damaged record that nobody else has costs itself and no neighbour: %s",
  async (kind) => {
    const keys = keysOf("only", 5)
    const a = new Member(kind, "a")
    await a.start()
    await write(a.node.url, keys)
    await a.stop()
    await damage(kind, a.directory, keys[1] ?? "")
    const b = new Member(kind, "b")
    await b.start()
    await a.start(b)
    const others = [...keys.slice(0, 1), ...keys.slice(2)]
    await held(a.node.url)
    await until("the log is looked through", () => a.renewed === "corrupt")
    // Yjs shows what follows a lost update of the same writer only once that is there again.
    const entries = () => Object.values(b.node.status().vector).reduce((sum, seq) => sum + seq, 0)
    await until("the others are everywhere", () => entries() === others.length)
  },
)

test.for(["level"] as const)(
  "[E6] an opening in doubt that fails is tried again until it works: %s",
  async (kind) => {
    const keys = keysOf("first", 3)
    const a = new Member(kind, "a")
    await a.start()
    await write(a.node.url, keys)
    await a.stop()
    await damage(kind, a.directory, keys[1] ?? "")
    await a.start()
    const inTheWay = join(a.directory, `${BOOT_FILE}.new`)
    await mkdir(inTheWay)
    await held(a.node.url)
    await until("it failed twice", () => a.logged("store-not-opened").length > 1)
    expect((await fetch(`${httpUrl(a.node)}/readyz`)).status).toBe(503)
    await rmdir(inTheWay)
    await until("it is open", () => a.renewed === "corrupt")
    expect((await fetch(`${httpUrl(a.node)}/readyz`)).status).toBe(200)
    await write(a.node.url, ["later"])
  },
)

test.for(["sqlite"] as const)(
  "[E6] a node whose store does not open again can be closed: %s",
  async (kind) => {
    const keys = keysOf("first", 3)
    const a = new Member(kind, "a")
    await a.start()
    await write(a.node.url, keys)
    await a.stop()
    await damage(kind, a.directory, keys[1] ?? "")
    await a.start()
    await mkdir(join(a.directory, `${BOOT_FILE}.new`))
    await held(a.node.url)
    await until("it failed", () => a.logged("store-not-opened").length > 0)
    await soon("it is closed", a.stop())
    const tries = a.logged("store-not-opened").length
    expect(await refused(a.node.url)).toBe(true)
    expect(a.logged("store-not-opened").length).toBeLessThanOrEqual(tries + 1)
    expect(a.renewed).toBe(undefined)
  },
)

async function refused(url: string): Promise<boolean> {
  return fetch(url.replace("ws://", "http://")).then(
    () => false,
    () => true,
  )
}

test.for(["level"] as const)(
  "[E6] the server's process survives an opening in doubt, under the same address: %s",
  async (kind) => {
    const directory = cleanup.folder()
    const keys = keysOf("first", 4)
    const before = serveChild(cleanup, "--data", directory, "--store", kind)
    await write(await before.ready(), keys)
    before.process.kill("SIGTERM")
    await before.ended
    await damage(kind, directory, keys[2] ?? "")
    const child = serveChild(cleanup, "--data", directory, "--store", kind)
    const url = await child.ready()
    await held(url)
    await until("it says what it did", () => child.stderr.includes('"msg":"log-renewed"'))
    await write(url, ["later"])
    expect(child.hasEnded()).toBe(false)
    child.process.kill("SIGTERM")
    expect(await child.ended).toEqual({ code: 0, signal: null })
    expect(existsSync(join(directory, BOOT_FILE))).toBe(true)
  },
)
