/** Whatever a node sends, the core neither throws nor loses what was typed. */
import fc from "fast-check"
import { expect, test } from "vitest"
import { documentHash } from "../base/index.ts"
import { ackTiers, documentCloseCodes, rejectCodes } from "../protocol/index.ts"
import type { AckTier, DocumentCloseCode, NodeMessage, RejectCode } from "../protocol/index.ts"
import { encodeNodeMessage } from "../protocol/test/codecs.ts"
import { Harness, notes, only, origin, other, plans, vector } from "./test/harness.ts"
import { welcomeOf } from "./test/harness.ts"

const small = fc.integer({ min: 0, max: 4 })
const bytes = fc.uint8Array({ maxLength: 4 })
const point = fc.tuple(small, small).map(([one, two]) => vector([origin, one], [other, two]))

function keysOf<K extends string>(table: Readonly<Record<K, unknown>>): fc.Arbitrary<K> {
  // cast: Object.keys widens the keys of a const object to string.
  return fc.constantFrom(...(Object.keys(table) as K[]))
}

const message: fc.Arbitrary<NodeMessage> = fc.oneof(
  small.map((loggedSeq): NodeMessage => welcomeOf({ loggedSeq, windowBytes: 5, version: 1 })),
  fc.record({
    type: fc.constant("opened" as const),
    channel: small,
    handle: small,
    access: fc.constantFrom("read", "write"),
    summary: bytes,
  }),
  fc.record({
    type: fc.constant("generation" as const),
    channel: small,
    generation: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({
    type: fc.constant("ack" as const),
    tier: keysOf<AckTier>(ackTiers),
    seq: small,
    marks: fc.array(fc.record({ channel: small, seq: small }), { maxLength: 3 }),
  }),
  fc.record({
    type: fc.constant("reject" as const),
    seq: small,
    code: keysOf<RejectCode>(rejectCodes),
    message: fc.string(),
  }),
  fc.record({
    type: fc.constant("updates" as const),
    handle: small,
    complete: fc.boolean(),
    resume: point,
    updates: fc.array(bytes, { maxLength: 3 }),
  }),
  fc.record({
    type: fc.constant("document-presence" as const),
    handle: small,
    entries: fc.array(
      fc.record({
        client: small,
        clock: fc.oneof(small, fc.constant(Number.MAX_SAFE_INTEGER)),
        state: fc.constantFrom(Uint8Array.of(0x31), Uint8Array.of(0x6e, 0x75, 0x6c, 0x6c)),
      }),
    ),
  }),
  fc.record({
    type: fc.constant("document-closed" as const),
    channel: small,
    code: keysOf<DocumentCloseCode>(documentCloseCodes),
    message: fc.string(),
  }),
  fc.constant<NodeMessage>({ type: "pong" }),
  fc.constant<NodeMessage>({ type: "freshness", peers: [] }),
  point.map((one): NodeMessage => ({ type: "caught-up", vector: one })),
  fc.record({
    type: fc.constant("woken" as const),
    held: fc.option(point, { nil: undefined }),
    hashes: fc.subarray([documentHash(notes), documentHash(plans), 0]),
  }),
  fc.constant<NodeMessage>({ type: "woken", held: undefined, hashes: undefined }),
)

type Move = (harness: Harness) => void

function framed(frame: Uint8Array): Move {
  return (harness) => harness.input({ type: "frame", socket: harness.socket, bytes: frame })
}

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 6, arbitrary: message.map((said): Move => framed(encodeNodeMessage(said))) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map(framed) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(notes, plans).map((document): Move => {
      return (harness) => harness.type(document, 1, 2)
    }),
  },
  {
    weight: 1,
    arbitrary: fc.nat(20_000).map(
      (ms): Move =>
        (harness) =>
          harness.advance(ms),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Move>(
      (harness) => harness.close(),
      (harness) => harness.input({ type: "close-document", document: notes }),
      (harness) => harness.hold(notes),
      (harness) => harness.input({ type: "connect-now" }),
      (harness) => harness.input({ type: "deliver-failed", document: notes, message: "" }),
      (harness) => {
        const state = Uint8Array.of(0x31)
        harness.input({ type: "local-presence", document: notes, client: 1, state })
      },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(1, 4).map((version): Move => (harness) => {
      if (harness.core.connection.state === "closed") return
      if (harness.core.connection.state !== "connecting") harness.input({ type: "connect-now" })
      harness.input({ type: "socket-opened", socket: harness.socket })
      framed(encodeNodeMessage(welcomeOf({ windowBytes: 4, version })))(harness)
    }),
  },
)

test("[F4] [C1] [C3] hostile frames break nothing: each update is acked, rejected or kept", () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
      const harness = new Harness({ watchMin: 1 })
      harness.hold(notes)
      harness.hold(plans)
      harness.input({ type: "go-online" })
      for (const step of moves) step(harness)
      const { core, effects, writes } = harness
      const typed = writes.filter(({ type }) => type === "outbox-add").length
      const acked = Math.max(
        0,
        ...writes.map((each) => (each.type === "outbox-trim" ? each.seq : 0)),
      )
      const rejected = only(effects, "rejected").map(({ update }) => update.seq)
      expect(new Set(rejected).size).toBe(rejected.length)
      const outlasted = rejected.filter((seq) => seq > acked).length
      expect(core.pending.count).toBe(typed - acked - outlasted)
      // The outbox in storage and the one in memory agree.
      const replayed = new Set<number>()
      for (const write of writes) {
        if (write.type === "outbox-add") replayed.add(write.update.seq)
        if (write.type === "rejected-add") replayed.delete(write.update.seq)
        if (write.type !== "outbox-trim") continue
        for (const seq of replayed) if (seq <= write.seq) replayed.delete(seq)
      }
      expect(replayed.size).toBe(core.pending.count)
    }),
    { numRuns: 2000 },
  )
})
