/** What travels in a state transfer, and in which order. Rule [L11]. */
import { expect, test } from "vitest"
import { limits } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import { encodeRecord, genesisHash, readLog } from "../log/index.ts"
import { encodeParts } from "../protocol/index.ts"
import type { TransferDocument } from "../protocol/index.ts"
import { testOrigin } from "../testing/store-fixtures.ts"
import { YWriter } from "./test/clients.ts"
import { documentNamed, must, World } from "./test/harness.ts"
import { linked, recordsOf } from "./test/peer.ts"

const [notes, plans] = [documentNamed("notes"), documentNamed("plans")]
const lost = testOrigin("lost")
const heads = new Map([[lost, { seq: 5, hash: genesisHash }]])
const vector = new VersionVector([[lost, 5]])
const page = { type: "transfer-page", heads, records: [], clients: [], next: undefined } as const

function pieceOf(fields: Partial<TransferDocument>): TransferDocument {
  const piece = new Uint8Array(10)
  return { type: "document", document: notes, vector, total: 30, offset: 0, piece, ...fields }
}

test("[L11] a second want during a page is ignored, and one after it is not", () => {
  const world = new World()
  const node = world.node()
  for (const document of [notes, plans]) node.store.log.appendOwn(recordsOf(document, 2))
  node.crash()
  const peer = linked(node)
  const place = { phase: "documents", after: undefined } as const
  const want = { type: "transfer-want", since: new VersionVector(), place } as const
  for (const count of [1, 2]) {
    node.store.held = true
    peer.send(want)
    peer.send(want)
    world.settle()
    node.store.held = false
    world.settle()
    expect(peer.of("document")).toHaveLength(2 * count)
    expect(peer.of("transfer-page")).toHaveLength(count)
  }
})

test.each([
  ["a piece that leaves some out", pieceOf({ offset: 15 })],
  ["a piece that was there already", pieceOf({})],
  ["a piece of another document", pieceOf({ document: plans, offset: 10 })],
  ["a page in the middle of a document", page],
])("[L11] %s is malformed", (_, message) => {
  const world = new World()
  const node = world.node()
  const peer = linked(node, "peer", { heads })
  peer.send({ type: "truncated", origin: lost, floorSeq: 5 })
  world.settle()
  expect(peer.of("transfer-want")).toHaveLength(1)
  peer.send(pieceOf({}))
  world.settle()
  expect(peer.closed).toBe(undefined)
  peer.send(message)
  world.settle()
  expect(peer.closed?.reason).toBe("malformed")
})

/** A node that is taking a transfer from `peer`, up to the page of entries of no document. */
function takingRecords() {
  const world = new World()
  const node = world.node()
  const peer = linked(node, "peer", { heads })
  peer.send({ type: "truncated", origin: lost, floorSeq: 5 })
  world.settle()
  peer.send({ ...page, next: { phase: "clients", after: undefined } })
  world.settle()
  peer.send({ ...page, next: { phase: "records", after: undefined } })
  world.settle()
  expect(peer.of("transfer-want").map(({ place }) => place.phase)).toEqual([
    "documents",
    "clients",
    "records",
  ])
  return { world, node, peer }
}

const member = encodeRecord({ kind: "member", atMs: 1, address: "ws://lost:1" })

test.each([
  ["is none", Uint8Array.of(1, 3, 255)],
  ["belongs to a document", must(recordsOf(notes, 1)[0])],
])("[L11] a page with a record of no document that %s is malformed, and not kept", (_, record) => {
  const { world, node, peer } = takingRecords()
  const records = [
    { origin: lost, seq: 1, record: member },
    { origin: lost, seq: 2, record },
  ]
  peer.send({ ...page, records })
  world.settle()
  expect(peer.closed?.reason).toBe("malformed")
  expect(node.store.log.head(lost).seq).toBe(0)
  node.crash()
  expect(node.core.status().members.active).toEqual(["n1"])
})

test("[L11] [K8] a page with a head that no log has is malformed", () => {
  const { world, node, peer } = takingRecords()
  peer.send({ ...page, heads: new Map([[lost, { seq: 2 ** 40, hash: genesisHash }]]) })
  world.settle()
  expect(peer.closed?.reason).toBe("malformed")
  expect(node.store.log.head(lost).seq).toBe(0)
})

test("[K8] no document counts as holding what this node has yet to write itself", () => {
  const world = new World()
  const node = world.node()
  node.store.log.appendOwn(recordsOf(plans, 2))
  node.crash()
  const peer = linked(node, "peer", { heads })
  peer.send({ type: "truncated", origin: lost, floorSeq: 5 })
  world.settle()
  const claims = new VersionVector([
    [lost, 5],
    [node.origin, 1000],
  ])
  const piece = encodeParts([new YWriter(9).put("k", 1)])
  peer.send(pieceOf({ vector: claims, total: piece.length, piece }))
  world.settle()
  node.store.log.appendOwn(recordsOf(notes, 3))
  const query = { type: "document", document: notes, since: new VersionVector() } as const
  const read = readLog(node.store.log, query)
  expect(read).toMatchObject({ type: "document", entries: { length: 3 } })
})

test("[K8] documents that name more origins than a vector has are malformed", () => {
  const world = new World()
  const node = world.node()
  const peer = linked(node, "peer", { heads })
  peer.send({ type: "truncated", origin: lost, floorSeq: 5 })
  world.settle()
  const named = (name: string, count: number) => {
    const origins = Array.from({ length: count }, (_, index) => testOrigin(`${name}${index}`))
    return new VersionVector(origins.map((origin) => [origin, 1]))
  }
  const send = (name: string, count: number) => {
    const piece = encodeParts([new YWriter(9).put(name, 1)])
    const document = documentNamed(name)
    peer.send(pieceOf({ document, vector: named(name, count), total: piece.length, piece }))
    world.settle()
  }
  send("a", limits.originsMax - 3)
  send("a", limits.originsMax - 3)
  expect(peer.closed).toBe(undefined)
  send("b", 2)
  expect(peer.closed?.reason).toBe("malformed")
})
