/**
 * Whole nodes over real sockets and disks: a document is deleted on one, gone on all, also after a
 * restart; what was away brings nothing back. Rules [R3]–[R6] [R8].
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseNodeId } from "@causeway/crdt/base"
import { afterEach, describe, expect, test } from "vitest"
import * as Y from "yjs"
import type { NodeOptions, RunningNode } from "./index.ts"
import { Child } from "./test/child.ts"
import { Cleanup } from "./test/cleanup.ts"
import { NativeClient } from "./test/native-client.ts"
import { httpUrl, startNode } from "./test/nodes.ts"
import { soon, until } from "./test/wait.ts"

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

const adminToken = "0123456789abcdef"

async function folder(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "causeway-deletion-"))
  cleanup.add(() => rm(directory, { recursive: true, force: true }))
  return directory
}

async function started(name: string, options: Partial<NodeOptions> = {}): Promise<RunningNode> {
  return await startNode(cleanup, { node: parseNodeId(name), adminToken, ...options })
}

async function ask(
  node: RunningNode,
  method: "GET" | "PUT" | "DELETE",
  name = "notes",
  token = adminToken,
) {
  const response = await fetch(`${httpUrl(node)}/v1/documents/yjs/${encodeURIComponent(name)}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
  })
  const body: unknown = JSON.parse(await response.text())
  return { status: response.status, body }
}

async function open(node: RunningNode): Promise<NativeClient> {
  return await NativeClient.open(node.url, "yjs", "notes", cleanup)
}

async function write(node: RunningNode, key: string): Promise<NativeClient> {
  const client = await open(node)
  const doc = new Y.Doc()
  doc.getMap("map").set(key, 1)
  await client.acked(client.update(Y.encodeStateAsUpdate(doc)))
  return client
}

async function has(node: RunningNode, ...keys: string[]): Promise<boolean> {
  const { status, body } = await ask(node, "GET")
  const shown = JSON.stringify(Object.fromEntries(keys.toSorted().map((key) => [key, 1])))
  return status === 200 && JSON.stringify(body) === `{"map":${shown}}`
}

const gone = { status: 410, body: { error: { code: "document-deleted" } } }

describe("a document that is deleted", () => {
  test("[R4] [R5] is gone on every node, and its name can be used again", async () => {
    const a = await started("a")
    const b = await started("b", { peers: [a.url] })
    const here = await write(a, "first")
    await until("b has it", () => has(b, "first"))
    const there = await open(b)
    expect(await ask(a, "DELETE")).toEqual({ status: 200, body: { generation: 1 } })
    for (const client of [here, there]) await client.closedDocument("document-deleted")
    expect(await ask(a, "GET")).toMatchObject(gone)
    expect(await ask(b, "GET")).toMatchObject(gone)
    expect(await ask(b, "DELETE")).toMatchObject(gone)
    expect(await ask(b, "PUT")).toEqual({ status: 200, body: { generation: 2 } })
    expect(await ask(b, "PUT")).toMatchObject({ status: 409, body: { error: { code: "alive" } } })
    expect(await ask(b, "GET")).toMatchObject({ status: 404 })
    await write(b, "second")
    await until("a has the second life", () => has(a, "second"))
  })

  test("[R4] [B1] wants the admin token, and a name", async () => {
    const node = await started("a")
    for (const method of ["PUT", "DELETE"] as const) {
      expect(await ask(node, method, "notes", "wrong-token-of-16")).toMatchObject({ status: 401 })
      expect(await ask(node, method, "x".repeat(513))).toMatchObject({ status: 400 })
    }
    const tokenless = await started("tokenless", { adminToken: undefined })
    expect(await ask(tokenless, "DELETE")).toMatchObject({ status: 403 })
  })

  test.each(["sqlite", "level"] as const)(
    "[R2] [R3] stays so when a node is stopped and one comes back that was away (%s)",
    async (type) => {
      const ofA = { store: { type, directory: await folder() } }
      const ofB = { store: { type, directory: await folder() } }
      let a = await started("a", ofA)
      let b = await started("b", { peers: [a.url], ...ofB })
      await write(a, "first")
      await until("b has it", () => has(b, "first"))
      await b.close()
      const command = (...args: string[]) =>
        new Child([...args, "--url", httpUrl(a), "--admin-token", adminToken], cleanup)
      const remove = command("delete", "yjs", "notes")
      expect(await soon("it ends", remove.ended)).toMatchObject({ code: 0 })
      expect(remove.stdout).toContain("yjs document notes is deleted (generation 1)")
      const again = command("delete", "yjs", "notes")
      expect(await soon("it ends", again.ended)).toMatchObject({ code: 1 })
      expect(again.stderr).toContain("deleted already")
      const create = command("recreate", "yjs", "notes")
      expect(await soon("it ends", create.ended)).toMatchObject({ code: 0 })
      await write(a, "second")
      await a.close()
      a = await started("a", ofA)
      expect(await has(a, "second")).toBe(true)
      // It knows nothing yet, and takes writes of the first life.
      b = await started("b", ofB)
      await write(b, "zombie")
      expect(await has(b, "first", "zombie")).toBe(true)
      await b.close()
      b = await started("b", { peers: [a.url], ...ofB })
      await until("b has the second life alone", () => has(b, "second"))
      expect(await has(a, "second")).toBe(true)
    },
  )
})
