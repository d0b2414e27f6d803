/** Bytes no client of ours would send, at every door, each with the code it must be closed with. */
import { connect } from "node:net"
import * as fc from "fast-check"
import { afterEach, expect, test } from "vitest"
import { limits, Writer } from "@causeway/crdt/base"
import { closeCodes, nativeTags } from "@causeway/crdt/protocol"
import type { RunningNode } from "./node.ts"
import { Cleanup } from "./test/cleanup.ts"
import { metric, startNode } from "./test/nodes.ts"
import { RawClient } from "./test/raw-client.ts"
import { stockClient, synced } from "./test/stock-client.ts"
import { soon, until } from "./test/wait.ts"
import { transportLimits } from "./transport/limits.ts"

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

type Send = (client: RawClient) => void

const text: Send = (client) => client.socket.send("hello")
const unknownTag: Send = (client) => client.send(0x7f, 1, 2, 3)
const empty: Send = (client) => client.socket.send(Buffer.alloc(0))
const tooLarge: Send = (client) => client.socket.send(Buffer.alloc(limits.frameBytesMax + 1))
const inFragments: Send = (client) => {
  const half = Buffer.alloc(limits.frameBytesMax / 2 + 1)
  client.socket.send(half, { fin: false })
  client.socket.send(half, { fin: true })
}

const malformed = { code: 4400, reason: "malformed" }
const large = { code: 4413, reason: "too-large" }
const invalid = { code: 4422, reason: "invalid-update" }
const badName = { code: 4404, reason: "bad-document-name" }
const helloExpected = { code: 4408, reason: "hello-expected" }

/** An unknown, an endless and a truncated length, and bytes behind the message. */
const yjsFrames: readonly (readonly [string, readonly number[]])[] = [
  ["a message type nobody knows", [9]],
  ["a sync type nobody knows", [0, 9]],
  ["a varint without an end", [0, 2, ...Array<number>(12).fill(0xff)]],
  ["a length beyond the bytes there are", [0, 2, 100, 1, 2]],
  ["bytes behind the message", [0, 0, 1, 0, 77]],
  ["a state vector that is none", [0, 0, 2, 5, 1]],
  ["awareness of a thousand clients in no bytes", [1, 2, 0xe8, 0x07]],
]

async function expectClosed(
  node: RunningNode,
  path: string,
  send: Send,
  expected: { code: number; reason: string },
): Promise<void> {
  const before = (await metric(node, refusedMetric(expected.reason))) ?? 0
  const client = await new RawClient(node.url + path, cleanup).open()
  send(client)
  expect(await soon("the close", client.closed)).toEqual(expected)
  expect(await metric(node, refusedMetric(expected.reason))).toBe(before + 1)
}

function refusedMetric(reason: string): string {
  return `causeway_connections_refused_total{reason="${reason}"}`
}

test("[F4] malformed frames close /yjs with 4400, are counted and disturb nobody", async () => {
  const node = await startNode(cleanup)
  const one = stockClient(node.url, "room", cleanup)
  const other = stockClient(node.url, "room", cleanup)
  await synced(one, other)
  for (const [what, bytes] of yjsFrames) {
    const send: Send = (client) => client.send(...bytes)
    await expectClosed(node, "/yjs/room", send, malformed).catch((error: unknown) => {
      throw new Error(what, { cause: error })
    })
  }
  await expectClosed(node, "/yjs/room", text, malformed)
  await expectClosed(node, "/yjs/room", empty, malformed)
  one.text.insert(0, "undisturbed")
  await until("the update arrives", () => other.text.length === 11)
  expect([one.provider.wsconnected, other.provider.wsconnected]).toEqual([true, true])
})

test("[F4] malformed frames close /sync and /link", async () => {
  const node = await startNode(cleanup)
  await expectClosed(node, "/sync", text, malformed)
  await expectClosed(node, "/sync", unknownTag, malformed)
  await expectClosed(node, "/link", text, malformed)
  await expectClosed(node, "/link", unknownTag, malformed)
  await expectClosed(node, "/link", empty, malformed)
})

test("[F7] a frame over the limit closes with 4413 at every door", async () => {
  const node = await startNode(cleanup)
  for (const path of ["/sync", "/link", "/yjs/room"]) {
    await expectClosed(node, path, tooLarge, large)
    await expectClosed(node, path, inFragments, large)
  }
})

test("[Y7] an update that does not decode closes with 4422, a large one with 4413", async () => {
  const node = await startNode(cleanup)
  const badUpdate: Send = (client) => client.send(0, 2, 3, 1, 2, 3)
  await expectClosed(node, "/yjs/room", badUpdate, invalid)
  const big = new Writer()
    .u8(0)
    .u8(2)
    .bytes(new Uint8Array(limits.updateBytesMax + 1))
    .finish()
  const bigUpdate: Send = (client) => client.send(big)
  await expectClosed(node, "/yjs/room", bigUpdate, large)
})

/** Random bytes, half of them behind the start of a message that exists. */
const anyFrame = fc
  .tuple(fc.constantFrom([], [0, 0], [0, 1], [0, 2], [1], [3], [4], [5]), fc.uint8Array())
  .map(([start, rest]) => Uint8Array.of(...start, ...rest))

test.each(["/yjs/fuzz", "/sync", "/link"])("[F4] random frames at %s", async (path) => {
  const node = await startNode(cleanup)
  const one = stockClient(node.url, "room", cleanup)
  const other = stockClient(node.url, "room", cleanup)
  await synced(one, other)
  const seed = Math.floor(Math.random() * 2 ** 31)
  const known = new Set<number>(Object.values(closeCodes).map(({ code }) => code))
  for (const frames of fc.sample(fc.array(anyFrame, { minLength: 20 }), { seed, numRuns: 30 })) {
    const client = await new RawClient(node.url + path, cleanup).open()
    for (const frame of frames) client.socket.send(frame)
    client.socket.close(1000, "done")
    const { code } = await soon(`the close, seed ${seed}`, client.closed)
    expect(code === 1000 || known.has(code), `code ${code}, seed ${seed}`).toBe(true)
  }
  one.text.insert(0, "undisturbed")
  await until(`the update arrives, seed ${seed}`, () => other.text.length === 11)
  expect([one.provider.wsconnected, other.provider.wsconnected]).toEqual([true, true])
})

test("[Y1] a room that is empty, too long or not UTF-8 closes with 4404", async () => {
  const node = await startNode(cleanup)
  const nothing: Send = () => {}
  await expectClosed(node, "/yjs/", nothing, badName)
  await expectClosed(node, `/yjs/${"x".repeat(513)}`, nothing, badName)
  await expectClosed(node, `/yjs/${"x".repeat(60_000)}`, nothing, badName)
  await expectClosed(node, "/yjs/%ff", nothing, badName)
  const longest = await new RawClient(`${node.url}/yjs/${"x".repeat(512)}`, cleanup).open()
  await until("the longest name is served", () => node.status().sessions === 1)
  longest.socket.close()
})

test("a request's target past the limit of headers is answered 431", async () => {
  const node = await startNode(cleanup)
  const name = "x".repeat(transportLimits.headerBytesMax)
  await expect(new RawClient(`${node.url}/yjs/${name}`, cleanup).open()).rejects.toThrow("431")
})

test("[N1] a message before the hello closes with 4408", async () => {
  const node = await startNode(cleanup)
  await expectClosed(node, "/sync", (client) => client.send(nativeTags.ping), helloExpected)
})

test("[F4] bytes that are no WebSocket frame close with 4400", async () => {
  const node = await startNode(cleanup)
  const { port } = new URL(node.url)
  const socket = connect(Number(port), "127.0.0.1")
  cleanup.add(() => socket.destroy())
  const chunks: Buffer[] = []
  socket.on("data", (chunk) => chunks.push(chunk))
  socket.write(
    "GET /yjs/a HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
  )
  await until("the session is open", () => node.status().sessions === 1)
  // A client's frame must be masked; this one is not.
  socket.write(Buffer.of(0x82, 1, 0))
  await until("the close frame", () => Buffer.concat(chunks).includes("malformed"))
  const close = Buffer.concat(chunks).subarray(-11)
  expect(close.readUInt16BE(0)).toBe(4400)
  await until("the session is over", () => node.status().sessions === 0)
})

test.each([
  ["no such path", "/nowhere", "404"],
  ["no such path below a door", "/sync/x", "404"],
])("an upgrade to %s is refused in HTTP", async (_what, path, status) => {
  const node = await startNode(cleanup)
  const client = new RawClient(node.url + path, cleanup)
  await expect(client.open()).rejects.toThrow(status)
})
