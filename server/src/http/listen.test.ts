import { afterEach, expect, test } from "vitest"
import { createNode } from "../node.ts"
import { Cleanup } from "../test/cleanup.ts"
import { startNode } from "../test/nodes.ts"
import { RawClient } from "../test/raw-client.ts"
import { createHttpServer, listen } from "./listen.ts"

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

test("before there is a node it is alive, and neither ready nor open", async () => {
  const server = createHttpServer()
  const { port } = await listen(server, { host: "127.0.0.1", port: 0 })
  cleanup.add(() => {
    server.close()
    server.closeAllConnections()
  })
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`)
    return [response.status, await response.text()]
  }
  expect(await get("/healthz")).toEqual([200, "ok\n"])
  expect(await get("/readyz")).toEqual([503, "the node is starting\n"])
  expect(await get("/v1/documents/yjs/a")).toEqual([503, "the node is starting\n"])
  const client = new RawClient(`ws://127.0.0.1:${port}/yjs/a`, cleanup)
  await expect(client.open()).rejects.toThrow("503")
})

test("a node whose store does not open gives its port back", async () => {
  const store = { type: "sqlite", directory: cleanup.folder() } as const
  await startNode(cleanup, { store })
  const probe = await startNode(cleanup)
  const listenOn = { host: "127.0.0.1", port: Number(new URL(probe.url).port) }
  await probe.close()
  const options = { listen: listenOn, cluster: "test", peers: [] }
  await expect(createNode({ ...options, store })).rejects.toThrow("in use by another process")
  const node = await startNode(cleanup, { listen: listenOn })
  expect(node.url).toBe(probe.url)
})
