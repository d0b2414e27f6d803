/**
 * Whole nodes over real sockets: the cluster's secret, one address to join by, nodes that are
 * retired and come back. Rules [L12]–[L14], [M3], [M5], [M6].
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseNodeId } from "@causeway/crdt/base"
import { secretOf } from "@causeway/crdt/node"
import { afterEach, describe, expect, test } from "vitest"
import * as Y from "yjs"
import type { NodeOptions, RunningNode } from "./index.ts"
import { Child, serveChild } from "./test/child.ts"
import { Cleanup } from "./test/cleanup.ts"
import { freePort } from "./test/free-port.ts"
import { NativeClient } from "./test/native-client.ts"
import { httpUrl, metric, startNode } from "./test/nodes.ts"
import { soon, until } from "./test/wait.ts"

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

const secret = secretOf("what only this cluster knows")
const adminToken = "0123456789abcdef"

async function folder(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "causeway-members-"))
  cleanup.add(() => rm(directory, { recursive: true, force: true }))
  return directory
}

async function started(name: string, options: Partial<NodeOptions> = {}): Promise<RunningNode> {
  return await startNode(cleanup, { node: parseNodeId(name), secret, adminToken, ...options })
}

/** A node that tells peers where it is. */
async function advertised(
  name: string,
  options: Partial<NodeOptions> = {},
): Promise<RunningNode & { readonly address: string }> {
  const port = await freePort()
  const address = `ws://127.0.0.1:${port}`
  const listen = { host: "127.0.0.1", port }
  const node = await started(name, { listen, advertise: address, ...options })
  return Object.assign(node, { address })
}

function linkedWith(node: RunningNode): string[] {
  const linked = node.status().peers.filter(({ state }) => state === "linked")
  return linked.flatMap((peer) => peer.node ?? []).sort((left, right) => (left < right ? -1 : 1))
}

let lastKey = 0

/** Writes and waits for the ack: it is durable there. */
async function write(node: RunningNode, count = 1): Promise<void> {
  const client = await NativeClient.open(node.url, "yjs", "notes", cleanup)
  const doc = new Y.Doc()
  let last = 0
  doc.on("update", (update: Uint8Array) => (last = client.update(update)))
  for (let index = 0; index < count; index++) doc.getMap("map").set(`k${++lastKey}`, lastKey)
  await client.acked(last)
}

async function keysOn(node: RunningNode): Promise<number> {
  const response = await fetch(`${httpUrl(node)}/v1/documents/yjs/notes`)
  if (response.status !== 200) return 0
  const { map = {} }: { map?: object } = JSON.parse(await response.text())
  return Object.keys(map).length
}

async function retire(node: RunningNode, name: string, token = adminToken) {
  const response = await fetch(`${httpUrl(node)}/v1/members/retire`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ node: name }),
  })
  const body: unknown = JSON.parse(await response.text())
  return { status: response.status, body }
}

describe("the cluster's secret", () => {
  test("[L12] who shares it links; others are refused, and counted", async () => {
    const a = await started("a")
    const b = await started("b", { peers: [a.url] })
    await write(a)
    await until("a and b are linked", () => linkedWith(b).includes("a"))
    const wrong = await started("wrong", { peers: [a.url], secret: secretOf("something else") })
    const none = await started("none", { peers: [a.url], secret: undefined })
    const failures = (cause: string) =>
      metric(a, `causeway_link_auth_failures_total{cause="${cause}"}`)
    await until("both were refused", async () => {
      return ((await failures("wrong")) ?? 0) > 0 && ((await failures("missing")) ?? 0) > 0
    })
    expect([linkedWith(wrong), linkedWith(none)]).toEqual([[], []])
    for (const outsider of [wrong, none]) expect(await keysOn(outsider)).toBe(0)
    await until("b has what a has", async () => (await keysOn(b)) === 1)
    expect(a.status().members).toEqual({ active: ["a", "b"], unknown: 0, quorum: 2 })
    // Since it was refused first it waits linkBackoffMsMax at least.
    const before = await failures("wrong")
    await until("b has heard more", async () => (await write(a).then(() => keysOn(b))) > 1)
    expect((await failures("wrong")) ?? 0).toBeLessThanOrEqual((before ?? 0) + 1)
  })

  test("[L12] processes get it by a file or the environment, and log none of it", async () => {
    const directory = await folder()
    const file = join(directory, "secret")
    await writeFile(file, "  what only this cluster knows\n", { mode: 0o600 })
    const named = (name: string) => ["--store", "memory", "--node", name, "--cluster", "test"]
    const a = serveChild(cleanup, ...named("a"), "--secret-file", file)
    const url = await a.ready()
    const env = { ...process.env, CAUSEWAY_SECRET: "what only this cluster knows" }
    const args = ["serve", "--listen", "127.0.0.1:0", ...named("b"), "--peer", url]
    const b = new Child(args, cleanup, undefined, env)
    await b.ready()
    await until(
      "they are linked",
      () => a.stderr.includes("link-up") && b.stderr.includes("link-up"),
    )
    for (const child of [a, b]) {
      expect(child.stdout + child.stderr).not.toContain("what only this cluster")
    }
  })

  test("[L12] a secret that is too short, or not there, is told in one line", async () => {
    const directory = await folder()
    const file = join(directory, "secret")
    await writeFile(file, "short\n")
    for (const [path, says] of [
      [file, "must have 16 to 4096 bytes, and has 5"],
      [join(directory, "none"), "cannot read the secret"],
    ] as const) {
      const child = serveChild(cleanup, "--store", "memory", "--secret-file", path)
      expect(await soon("it ends", child.ended)).toMatchObject({ code: 1 })
      expect(child.stderr).toContain(says)
      expect(child.stderr).not.toContain("short\n")
      expect(child.stderr.trimEnd().split("\n")).toHaveLength(1)
    }
  })
})

describe("joining", () => {
  test("[L13] [M3] who is given one address finds all others, and gets all there is", async () => {
    const seed = await advertised("seed")
    const a = await advertised("a", { peers: [seed.address] })
    const b = await advertised("b", { peers: [seed.address] })
    await write(a, 3)
    await until("a and b found each other", () => linkedWith(a).join() === "b,seed", 15_000)
    const late = await advertised("late", { peers: [seed.address] })
    await until("late has all", async () => (await keysOn(late)) === 3)
    await until("late found all", () => linkedWith(late).join() === "a,b,seed", 15_000)
    for (const node of [seed, a, b, late]) {
      await until("all are members", () => {
        const { active, unknown } = node.status().members
        return active.join() === "a,b,late,seed" && unknown === 0
      })
    }
    await seed.close()
    await write(b)
    await until("they do without the seed", async () => (await keysOn(late)) === 4)
  })
})

describe("retiring", () => {
  test("[M6] [B1] wants the admin token, and a member that is away", async () => {
    const a = await started("a")
    const b = await started("b", { peers: [a.url] })
    await until("they are linked", () => linkedWith(a).includes("b"))
    expect(await retire(a, "b", "wrong-token-of-16")).toMatchObject({ status: 401 })
    const open = await started("open", { adminToken: undefined })
    expect(await retire(open, "b")).toMatchObject({ status: 403 })
    expect(await retire(a, "b")).toMatchObject({ status: 409, body: { error: { code: "linked" } } })
    expect(await retire(a, "a")).toMatchObject({ status: 409, body: { error: { code: "self" } } })
    expect(await retire(a, "x")).toMatchObject({ status: 404 })
    expect(await retire(a, "no name")).toMatchObject({ status: 400 })
    expect(await retire(a, "x".repeat(5000))).toMatchObject({ status: 413 })
    await b.close()
    await until("b is away", () => linkedWith(a).length === 0)
    expect(await retire(a, "b")).toMatchObject({ status: 200, body: { node: "b" } })
    expect(a.status().members).toEqual({ active: ["a"], unknown: 0, quorum: 1 })
  })

  test("[M5] [M6] by the command; who comes back with writes of its own loses none", async () => {
    const directory = await folder()
    const store = { type: "sqlite", directory } as const
    const a = await advertised("a")
    const b = await advertised("b", { peers: [a.address] })
    let c = await started("c", { peers: [a.address, b.address], store })
    await until("all are linked", () => linkedWith(c).join() === "a,b")
    await write(c, 2)
    await until("all have it", async () => (await keysOn(a)) + (await keysOn(b)) === 4)
    await c.close()
    // Alone with its disk, it takes writes that nobody else has.
    c = await started("c", { store })
    const before = c.status().origin
    await write(c, 3)
    await c.close()
    await write(a)
    await until("c is away", () => !linkedWith(a).includes("c") && !linkedWith(b).includes("c"))
    const token = ["--admin-token", adminToken]
    const command = new Child(["retire", "c", "--url", httpUrl(b), ...token], cleanup)
    expect(await soon("the command ends", command.ended)).toMatchObject({ code: 0 })
    expect(command.stdout).toContain(`c is retired: ${before}`)
    await until("a knows", () => a.status().members.active.join() === "a,b")
    const again = new Child(["retire", "c", "--url", httpUrl(b), ...token], cleanup)
    expect(await soon("the command ends", again.ended)).toMatchObject({ code: 1 })
    expect(again.stderr).toContain("no member is called c")

    c = await started("c", { peers: [a.address, b.address], store })
    await until("it is back", () => linkedWith(c).join() === "a,b", 20_000)
    expect(c.status().origin).not.toBe(before)
    expect(c.status().renewed).toMatchObject({ why: "retired", before })
    for (const node of [a, b, c]) {
      await until("it has every write", async () => (await keysOn(node)) === 6)
      await until("c is a member again", () => node.status().members.active.join() === "a,b,c")
    }
    expect(Object.keys(a.status().vector)).toContain(c.status().origin)
  })
})
