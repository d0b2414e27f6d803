import { afterEach, expect, test } from "vitest"
import * as Automerge from "@automerge/automerge"
import * as Y from "yjs"
import { Cleanup } from "../test/cleanup.ts"
import { httpUrl, metric, startNode } from "../test/nodes.ts"
import { NativeClient } from "../test/native-client.ts"
import { stockClient, synced } from "../test/stock-client.ts"
import { until } from "../test/wait.ts"

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

async function get(url: string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(url)
  return { status: response.status, body: await response.json() }
}

test("alive and ready, and not ready once it stops", async () => {
  const node = await startNode(cleanup)
  const url = httpUrl(node)
  expect(await (await fetch(`${url}/healthz`)).text()).toBe("ok\n")
  expect((await fetch(`${url}/readyz`)).status).toBe(200)
  await node.close()
  await expect(fetch(`${url}/readyz`)).rejects.toThrow("fetch failed")
})

test("the status names the node, its log and its peers", async () => {
  const peer = "ws://127.0.0.1:9"
  const node = await startNode(cleanup, { peers: [peer] })
  const { status, body } = await get(`${httpUrl(node)}/v1/status`)
  expect(status).toBe(200)
  expect(body).toMatchObject({
    node: expect.stringMatching(/^node-/),
    origin: expect.stringMatching(/^node-\w+@[0-9a-f]{16}$/),
    cluster: "test",
    ready: true,
    store: "ok",
    peers: [{ address: peer, behind: 0 }],
    version: "0.1.0",
    protocols: { native: { min: 1 }, link: { min: 2 } },
    members: { active: [expect.stringMatching(/^node-/)], unknown: 1, quorum: 2 },
  })
})

test("documents as JSON, whatever their names", async () => {
  const node = await startNode(cleanup)
  const name = "a/b ü%2F?x"
  const client = stockClient(node.url, encodeURIComponent(name), cleanup)
  client.doc.getMap("map").set("answer", 42)
  client.text.insert(0, "hello")
  await synced(client)
  const url = `${httpUrl(node)}/v1/documents/yjs/${encodeURIComponent(name)}`
  await until("it is logged", async () => (await get(url)).status === 200)
  expect((await get(url)).body).toEqual({ map: { answer: 42 }, text: "hello" })
  const raw = `${httpUrl(node)}/v1/documents/yjs/a/b%20%C3%BC%252F%3Fx?query`
  expect((await get(raw)).body).toEqual({ map: { answer: 42 }, text: "hello" })
})

test("an Automerge document as JSON", async () => {
  const node = await startNode(cleanup)
  const doc = Automerge.change(Automerge.init<{ list: number[] }>(), (draft) => {
    draft.list = [1, 2]
  })
  const change = Automerge.getLastLocalChange(doc)
  if (change === undefined) throw new Error("a change was made")
  const client = await NativeClient.open(node.url, "automerge", "numbers", cleanup)
  await client.acked(client.update(change))
  const { body } = await get(`${httpUrl(node)}/v1/documents/automerge/numbers`)
  expect(body).toEqual({ list: [1, 2] })
})

test("a big document is read beside the main thread", async () => {
  const node = await startNode(cleanup)
  const client = stockClient(node.url, "big", cleanup)
  await synced(client)
  const text = "0123456789".repeat(10_000)
  client.text.insert(0, text)
  const url = `${httpUrl(node)}/v1/documents/yjs/big`
  await until("it is logged", async () => (await get(url)).status === 200)
  expect((await get(url)).body).toEqual({ text })
})

test.each([
  ["/v1/documents/yjs/nobody-wrote-this", 404, "no-such-document"],
  ["/v1/documents/automerge/nobody-wrote-this", 404, "no-such-document"],
  ["/v1/documents/loro/a", 400, "unknown-engine"],
  ["/v1/documents/yjs", 400, "unknown-engine"],
  ["/v1/documents/yjs/", 400, "bad-document-name"],
  ["/v1/documents/yjs/%ff", 400, "bad-document-name"],
  ["/v1/nothing", 404, "not-found"],
  ["/sync", 426, "upgrade-required"],
  ["/yjs/room", 426, "upgrade-required"],
])("%s answers %i %s", async (path, status, code) => {
  const node = await startNode(cleanup)
  expect(await get(httpUrl(node) + path)).toMatchObject({ status, body: { error: { code } } })
})

test("a document name of 512 bytes is one, a longer one is not", async () => {
  const url = `${httpUrl(await startNode(cleanup))}/v1/documents/yjs/`
  expect((await get(url + "x".repeat(512))).status).toBe(404)
  expect((await get(url + "x".repeat(513))).status).toBe(400)
})

test("metrics are Prometheus text and count what happens", async () => {
  const node = await startNode(cleanup)
  const writer = stockClient(node.url, "room", cleanup)
  const reader = stockClient(node.url, "room", cleanup)
  await synced(writer, reader)
  for (let index = 0; index < 10; index++) writer.text.insert(index, "x")
  await until("the reader has all", () => reader.text.length === 10)
  const response = await fetch(`${httpUrl(node)}/metrics`)
  expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/)
  const sample = /^[a-z_]+(\{[a-z_]+="[^"\n]*"(,[a-z_]+="[^"\n]*")*\})? -?[0-9.e+-]+$/
  const lines = (await response.text()).split("\n")
  const samples = lines.filter((line) => line !== "" && !line.startsWith("# "))
  expect(samples.filter((line) => !sample.test(line))).toEqual([])
  expect(await metric(node, "causeway_updates_accepted_total")).toBe(10)
  expect(await metric(node, "causeway_updates_delivered_total")).toBe(10)
  expect(await metric(node, "causeway_log_entries")).toBe(10)
  expect(await metric(node, "causeway_sessions")).toBe(2)
  expect(await metric(node, 'causeway_connections{endpoint="y-websocket"}')).toBe(2)
  expect(await metric(node, "causeway_commit_seconds_count")).toBeGreaterThan(0)
  expect(await metric(node, "causeway_log_written_bytes_total")).toBeGreaterThan(100)
  expect(await metric(node, "process_resident_memory_bytes")).toBeGreaterThan(1e7)
  expect(String(writer.text)).toBe(String(reader.text))
  expect(Y.encodeStateVector(reader.doc)).toEqual(Y.encodeStateVector(writer.doc))
})
