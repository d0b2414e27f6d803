/**
 * Frames that break their protocol, at every door: noise, real frames cut, changed or out of
 * turn. No frame makes the core throw, each wrong one closes its own connection with a code of
 * the table, and whoever else is connected goes on as before. Rules [F4] [F7].
 */
import fc from "fast-check"
import { expect, test } from "vitest"
import { documentHash, limits } from "../base/index.ts"
import {
  closeCodes,
  encodeCloseDocument,
  encodeHello,
  encodeLinkHello,
  encodeLinkMembers,
  encodeLinkVector,
  encodeLinkWant,
  encodeOpen,
  encodeUpdate,
  encodeWatch,
  encodeLinkEntries,
  encodeLinkPresence,
  encodeLinkProof,
  encodeClientPresence,
  linkPingFrame,
  linkVersions,
  NONCE_BYTES,
  nativeVersions,
  pingFrame,
} from "../protocol/index.ts"
import {
  encodeYAwareness,
  encodeYStep1,
  encodeYStep2,
  encodeYUpdate,
} from "../protocol/stock/index.ts"
import { genesisHash } from "../log/index.ts"
import { testNode, testOrigin } from "../testing/store-fixtures.ts"
import {
  clientNumbered,
  jsonAfter,
  NativeClient,
  openNative,
  openStock,
  presenceOf,
  StockClient,
  vectorOf,
  YWriter,
} from "./test/clients.ts"
import { documentNamed, must, World } from "./test/harness.ts"
import { headAfter, linked, Peer, recordOf } from "./test/peer.ts"

const notes = documentNamed("notes")
const evil = testOrigin("evil")
const update = new YWriter(66).put("evil", 1)
const records = [recordOf(notes, update)]
const heads = new Map([[evil, headAfter(evil, records)]])
const plan = documentNamed("plan", "automerge")

const nativeFrames = [
  encodeHello({
    type: "hello",
    versions: nativeVersions,
    client: clientNumbered(66),
    firstPending: 1,
    token: "t",
  }),
  encodeOpen({
    type: "open",
    channel: 1,
    document: notes,
    generation: 0,
    resume: { type: "nothing" },
  }),
  encodeOpen({
    type: "open",
    channel: 2,
    document: plan,
    generation: 0,
    resume: { type: "vector", vector: vectorOf([[evil, 3]]) },
  }),
  encodeOpen({
    type: "open",
    channel: 3,
    document: notes,
    generation: 0,
    resume: { type: "summary", summary: Uint8Array.of(1, 1, 1) },
  }),
  encodeUpdate({ type: "update", channel: 1, seq: 1, updates: [update, update] }),
  encodeClientPresence({ type: "presence", channel: 1, entries: [presenceOf(66, 1)] }),
  encodeCloseDocument({ type: "close-document", channel: 1 }),
  pingFrame,
  encodeWatch({ type: "watch", since: vectorOf([[evil, 3]]), hashes: [documentHash(notes), 7] }),
]
const stockFrames = [
  encodeYStep1(Uint8Array.of(0)),
  encodeYStep2(update),
  encodeYUpdate(update),
  encodeYAwareness([presenceOf(66, 1)]),
  Uint8Array.of(3),
]
const linkFrames = [
  encodeLinkHello({
    type: "hello",
    versions: linkVersions,
    cluster: "test",
    node: testNode("evil"),
    origin: evil,
    windowBytes: 1000,
    nonce: new Uint8Array(NONCE_BYTES),
    address: "evil:1",
  }),
  encodeLinkProof({ type: "proof", proof: new Uint8Array() }),
  encodeLinkMembers({
    type: "members",
    addresses: new Map([[testNode("b"), "b"]]),
    retired: heads,
  }),
  encodeLinkVector({ type: "vector", heads }),
  encodeLinkEntries({
    type: "entries",
    run: { origin: evil, firstSeq: 1, records },
    previousHash: genesisHash,
  }),
  encodeLinkWant({ type: "want", origin: evil, fromSeq: 1 }),
  encodeLinkPresence({ type: "presence", document: notes, entries: [presenceOf(66, 1)] }),
  linkPingFrame,
]

/** Real frames, whole or damaged, and noise. */
function frameOf(real: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const one = fc.constantFrom(...real)
  const damaged = fc
    .tuple(one, fc.nat(), fc.nat({ max: 255 }), fc.nat({ max: 3 }))
    .map(([frame, at, value, how]) => {
      const index = at % frame.length
      if (how === 0) return frame.slice(0, index)
      if (how === 1) return Uint8Array.of(...frame, value)
      const copy = frame.slice()
      copy[index] = value
      return copy
    })
  return fc.oneof(
    { arbitrary: one, weight: 3 },
    { arbitrary: damaged, weight: 4 },
    { arbitrary: fc.uint8Array({ maxLength: 40 }), weight: 1 },
  )
}

const doors = fc.oneof(
  fc.tuple(fc.constant("native" as const), fc.array(frameOf(nativeFrames), { maxLength: 8 })),
  fc.tuple(fc.constant("stock" as const), fc.array(frameOf(stockFrames), { maxLength: 8 })),
  fc.tuple(fc.constant("link" as const), fc.array(frameOf(linkFrames), { maxLength: 8 })),
)

test("[F4] hostile frames at any door throw nothing and disturb nobody else", () => {
  const codes: readonly string[] = Object.keys(closeCodes)
  const property = fc.property(fc.array(doors, { minLength: 1, maxLength: 6 }), (attacks) => {
    const world = new World()
    const node = world.node()
    const [writer, stock, peer] = [
      openNative(node, notes, 1_000_003),
      openStock(node, "notes"),
      linked(node),
    ]
    for (const [door, frames] of attacks) {
      const greeted = frames.length % 2 === 0
      const attacker =
        greeted && door === "native"
          ? openNative(node, notes, 66)
          : door === "native"
            ? new NativeClient(node)
            : door === "stock"
              ? new StockClient(node, "notes")
              : greeted
                ? linked(node, "evil")
                : new Peer(node, "evil")
      for (const frame of frames) attacker.sendFrame(frame)
      world.advance(5)
      expect([undefined, ...codes]).toContain(attacker.closed?.reason)
      attacker.sendFrame(new Uint8Array())
      world.settle()
      expect(attacker.closed).toBeDefined()
    }
    // No damaged byte gives the attacker this client's ids.
    writer.update(1, 1, new YWriter(1_000_003).put("good", 1))
    world.advance(100)
    expect([writer.closed, stock.closed, peer.closed]).toEqual([undefined, undefined, undefined])
    expect(writer.acked).toBe(1)
    expect(jsonAfter(stock.of("update").map((message) => message.update))).toMatchObject({
      good: 1,
    })
    expect(jsonAfter([must(openStock(node, "notes").of("step2")[0]).update])).toMatchObject({
      good: 1,
    })
    expect(peer.of("entries").length).toBeGreaterThan(0)
  })
  fc.assert(property, { numRuns: 400 })
})

test("[F7] [F4] a frame over frameBytesMax closes with too-large, also before any greeting", () => {
  const node = new World().node()
  const frame = new Uint8Array(limits.frameBytesMax + 1)
  const all = [
    new NativeClient(node),
    openNative(node, notes, 1),
    openStock(node, "notes"),
    new Peer(node, "p1"),
    linked(node, "p2"),
  ]
  for (const client of all) client.sendFrame(frame)
  node.world.settle()
  expect(all.map(({ closed }) => closed?.reason)).toEqual(all.map(() => "too-large"))
  expect(node.eventsOf("connection-refused")).toHaveLength(all.length)
  const allowed = openStock(node, "notes")
  allowed.sendFrame(new Uint8Array(limits.frameBytesMax))
  node.world.settle()
  expect(allowed.closed?.reason).toBe("malformed")
})

test("[F4] a frame that the transport refused closes its connection, on every endpoint", () => {
  const node = new World().node()
  const all = [openNative(node, notes, 1), openStock(node, "notes"), linked(node)]
  for (const { id } of all) node.input({ type: "bad-frame", connection: id, why: "malformed" })
  node.input({ type: "bad-frame", connection: 999, why: "too-large" })
  node.world.settle()
  expect(all.map(({ closed }) => closed?.reason)).toEqual(all.map(() => "malformed"))
})
