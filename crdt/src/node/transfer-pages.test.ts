/** What travels in a state transfer, and in which order. Rule [L11]. */
import { expect, test } from "vitest"
import { VersionVector } from "../clock/index.ts"
import { genesisHash } from "../log/index.ts"
import type { TransferDocument } from "../protocol/index.ts"
import { testOrigin } from "../testing/store-fixtures.ts"
import { documentNamed, World } from "./test/harness.ts"
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
