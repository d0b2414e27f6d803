/**
 * Every message of every protocol survives its codec, whatever its fields hold within the limits,
 * and its bytes are canonical: what was decoded is encoded to the same bytes.
 */
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { engineNames, generationOf, limits, utf8Encode } from "../base/index.ts"
import type { OriginId } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import { HASH_BYTES } from "../log/index.ts"
import type { Head } from "../log/index.ts"
import {
  ackTiers,
  decodeClientMessage,
  decodeLinkMessage,
  decodeNodeMessage,
  documentCloseCodes,
  presenceGone,
  rejectCodes,
  NONCE_BYTES,
  PROOF_BYTES,
} from "./index.ts"
import type { ClientMessage, LinkMessage, NodeMessage, PresenceEntry } from "./index.ts"
import { decodeYMessage } from "./stock/index.ts"
import type { YMessage } from "./stock/index.ts"
import {
  encodeClientMessage,
  encodeLinkMessage,
  encodeNodeMessage,
  encodeYMessage,
} from "./test/codecs.ts"
import { describeMessage } from "./test/describe.ts"
import { clientId, documentId, nodeId, originId } from "./test/samples.ts"

const numRuns = 100

const uint = fc.oneof(
  fc.nat(300),
  fc.maxSafeNat(),
  fc.constantFrom(0, 127, 128, 16_383, 16_384, 2 ** 32, Number.MAX_SAFE_INTEGER),
)
const positive = uint.map((value) => Math.max(1, value))
/** A first number that leaves room for the rest of a frame. */
const firstSeq = positive.map((value) => Math.min(value, Number.MAX_SAFE_INTEGER - 10))
const bytes = fc.uint8Array({ maxLength: 200 })
/** Any text but lone surrogates, which have no UTF-8. */
const text = fc.string({ unit: "binary", maxLength: 60 })
const names = fc
  .tuple(
    fc.constantFrom(...engineNames),
    fc.string({ unit: "binary", minLength: 1, maxLength: 60 }),
  )
  .map(([engine, name]) => documentId(engine, name))
const generations = fc.integer({ min: 1, max: limits.generationMax })
const documents = fc
  .tuple(names, generations)
  .map(([name, generation]) => generationOf(name, generation))
const nodes = fc.stringMatching(/^[A-Za-z0-9_.-]{1,64}$/).map(nodeId)
const epochs = fc.stringMatching(/^[0-9a-f]{16}$/)
const origins = fc.tuple(nodes, epochs).map(([node, epoch]) => originId(`${node}@${epoch}`))
const clients = fc.stringMatching(/^[0-9a-f]{32}$/).map(clientId)
const hashes = fc.uint8Array({ minLength: HASH_BYTES, maxLength: HASH_BYTES })
const versions = fc
  .tuple(positive, positive)
  .map(([one, other]) => ({ min: Math.min(one, other), max: Math.max(one, other) }))
const vectors = fc
  .array(fc.tuple(origins, positive), { maxLength: 6 })
  .map((entries) => new VersionVector(entries))
const heads = fc
  .array(fc.tuple(origins, fc.record({ seq: uint, hash: hashes })), { maxLength: 6 })
  .map((entries) => new Map<OriginId, Head>(entries))
const presence: fc.Arbitrary<PresenceEntry[]> = fc.array(
  fc.record({
    client: uint,
    clock: uint,
    state: fc.oneof(fc.constant(presenceGone), fc.json().map(utf8Encode)),
  }),
  { maxLength: 6 },
)

function type<const Name extends string>(name: Name): fc.Arbitrary<Name> {
  return fc.constant(name)
}

function keys<Key extends string>(table: Readonly<Record<Key, unknown>>): fc.Arbitrary<Key> {
  // cast: Object.keys widens the keys of a const object to string.
  return fc.constantFrom(...(Object.keys(table) as Key[]))
}

const client: Readonly<Record<ClientMessage["type"], fc.Arbitrary<ClientMessage>>> = {
  hello: fc.record({
    type: type("hello"),
    versions,
    client: clients,
    firstPending: positive,
    token: text,
  }),
  open: fc.record({
    type: type("open"),
    channel: uint,
    document: names,
    generation: fc.nat(limits.generationMax),
    resume: fc.oneof(
      fc.record({ type: type("nothing") }),
      fc.record({ type: type("vector"), vector: vectors }),
      fc.record({ type: type("summary"), summary: bytes }),
    ),
  }),
  update: fc.record({
    type: type("update"),
    channel: uint,
    seq: firstSeq,
    updates: fc.array(bytes, { minLength: 1, maxLength: 6 }),
  }),
  presence: fc.record({ type: type("presence"), channel: uint, entries: presence }),
  "close-document": fc.record({ type: type("close-document"), channel: uint }),
  ping: fc.record({ type: type("ping") }),
  "want-tier": fc.record({
    type: type("want-tier"),
    tier: keys(ackTiers),
    fromSeq: uint,
    marks: fc
      .uniqueArray(fc.record({ toSeq: uint, heads }), {
        maxLength: 4,
        selector: ({ toSeq }) => toSeq,
      })
      .map((marks) => marks.toSorted((one, two) => one.toSeq - two.toSeq)),
  }),
  token: fc.record({ type: type("token"), token: text }),
  watch: fc.record({ type: type("watch"), since: vectors, hashes: fc.array(uint) }),
}

const node: Readonly<Record<NodeMessage["type"], fc.Arbitrary<NodeMessage>>> = {
  welcome: fc.record({
    type: type("welcome"),
    version: positive,
    session: text,
    origin: origins,
    loggedSeq: uint,
    updateBytesMax: positive,
    windowBytes: positive,
    heartbeatMs: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  }),
  opened: fc.record({
    type: type("opened"),
    channel: uint,
    handle: uint,
    access: fc.constantFrom("read" as const, "write" as const),
    summary: bytes,
  }),
  generation: fc.record({
    type: type("generation"),
    channel: uint,
    generation: generations,
  }),
  ack: fc.record({
    type: type("ack"),
    tier: keys(ackTiers),
    seq: uint,
    marks: fc.array(fc.record({ channel: uint, seq: uint }), { maxLength: 6 }),
  }),
  reject: fc.record({ type: type("reject"), seq: uint, code: keys(rejectCodes), message: text }),
  updates: fc.record({
    type: type("updates"),
    handle: uint,
    complete: fc.boolean(),
    resume: vectors,
    updates: fc.array(bytes, { maxLength: 6 }),
  }),
  "document-presence": fc.record({
    type: type("document-presence"),
    handle: uint,
    entries: presence,
  }),
  "document-closed": fc.record({
    type: type("document-closed"),
    channel: uint,
    code: keys(documentCloseCodes),
    message: text,
  }),
  pong: fc.record({ type: type("pong") }),
  freshness: fc.record({
    type: type("freshness"),
    peers: fc.array(fc.record({ node: nodes, linked: fc.boolean(), behind: uint }), {
      maxLength: 6,
    }),
  }),
  logged: fc.record({ type: type("logged"), heads }),
  "tier-status": fc.record({
    type: type("tier-status"),
    tier: keys(ackTiers),
    seq: uint,
    missing: fc.array(fc.record({ member: text, linked: fc.boolean(), forMs: uint }), {
      maxLength: 4,
    }),
    lostTo: uint,
  }),
  "caught-up": fc.record({ type: type("caught-up"), vector: vectors }),
  woken: fc.oneof(
    fc.record({
      type: type("woken"),
      held: fc.option(vectors, { nil: undefined }),
      hashes: fc.array(uint),
    }),
    fc.constant({ type: "woken" as const, held: undefined, hashes: undefined }),
  ),
  "token-valid": fc.record({ type: type("token-valid"), forMs: uint }),
}

const piece = fc.uint8Array({ minLength: 1, maxLength: 50 })
const places = fc.oneof(
  fc.record({
    phase: fc.constant("documents" as const),
    after: fc.option(documents, { nil: undefined }),
  }),
  fc.record({
    phase: fc.constant("clients" as const),
    after: fc.option(clients, { nil: undefined }),
  }),
  fc.record({
    phase: fc.constant("records" as const),
    after: fc.option(fc.record({ origin: origins, seq: uint }), { nil: undefined }),
  }),
)

const link: Readonly<Record<LinkMessage["type"], fc.Arbitrary<LinkMessage>>> = {
  hello: fc
    .record({
      versions: fc.integer({ min: 2, max: 300 }).map((max) => ({ min: 2, max })),
      cluster: text,
      node: nodes,
      epoch: epochs,
      windowBytes: uint,
      nonce: fc.uint8Array({ minLength: NONCE_BYTES, maxLength: NONCE_BYTES }),
      address: fc.string({ maxLength: 60 }).filter((address) => address.isWellFormed()),
    })
    .map(({ epoch, ...rest }) => {
      return { type: "hello", ...rest, origin: originId(`${rest.node}@${epoch}`) }
    }),
  entries: fc.record({
    type: type("entries"),
    run: fc.record({
      origin: origins,
      firstSeq,
      records: fc.array(bytes, { minLength: 1, maxLength: 6 }),
    }),
    previousHash: hashes,
  }),
  vector: fc.record({ type: type("vector"), heads }),
  want: fc.record({ type: type("want"), origin: origins, fromSeq: positive }),
  presence: fc.record({ type: type("presence"), document: documents, entries: presence }),
  truncated: fc.record({ type: type("truncated"), origin: origins, floorSeq: positive }),
  "transfer-want": fc.record({ type: type("transfer-want"), since: vectors, place: places }),
  document: fc
    .record({ document: documents, vector: vectors, piece, offset: fc.nat(1000), more: fc.nat(9) })
    .map(({ more, ...rest }) => {
      return { type: "document", ...rest, total: rest.offset + rest.piece.length + more }
    }),
  "transfer-page": fc.record({
    type: type("transfer-page"),
    heads,
    records: fc.array(fc.record({ origin: origins, seq: uint, record: bytes }), { maxLength: 4 }),
    clients: fc.array(fc.tuple(clients, uint), { maxLength: 4 }),
    next: fc.option(places, { nil: undefined }),
  }),
  "transfer-failed": fc.record({
    type: type("transfer-failed"),
    code: fc.constantFrom(
      "store-failed" as const,
      "document-too-large" as const,
      "corrupt" as const,
    ),
  }),
  digests: fc.oneof(
    fc.record({ type: type("digests"), part: fc.constant("root" as const), sum: hashes }),
    fc
      .record({
        level: fc.nat(3),
        at: fc.nat(),
        sum: fc.uint8Array({ minLength: 8, maxLength: 8 }),
      })
      .map(({ level, at, sum }): LinkMessage => {
        const sums = Array.from({ length: 16 }, () => sum)
        return { type: "digests", part: "sums", level, index: at % 16 ** level, sums }
      }),
    fc.record({
      type: type("digests"),
      part: fc.constant("leaves" as const),
      bucket: fc.nat(65_535),
      isAnswer: fc.boolean(),
      leaves: fc.array(fc.record({ document: documents, vector: hashes, content: hashes }), {
        maxLength: 4,
      }),
    }),
  ),
  ping: fc.record({ type: type("ping") }),
  pong: fc.record({ type: type("pong") }),
  proof: fc.record({
    type: type("proof"),
    proof: fc.oneof(
      fc.constant(new Uint8Array()),
      fc.uint8Array({ minLength: PROOF_BYTES, maxLength: PROOF_BYTES }),
    ),
  }),
  members: fc.record({
    type: type("members"),
    addresses: fc
      .array(fc.tuple(nodes, fc.webUrl()), { maxLength: 6 })
      .map((entries) => new Map(entries)),
    retired: heads,
  }),
}

const stock: Readonly<Record<YMessage["type"], fc.Arbitrary<YMessage>>> = {
  step1: fc.record({ type: type("step1"), summary: bytes }),
  step2: fc.record({ type: type("step2"), update: bytes }),
  update: fc.record({ type: type("update"), update: bytes }),
  awareness: fc.record({ type: type("awareness"), entries: presence }),
  "query-awareness": fc.record({ type: type("query-awareness") }),
}

function survives<Message extends object>(
  messages: fc.Arbitrary<Message>,
  encode: (message: Message) => Uint8Array,
  decode: (frame: Uint8Array) => Message,
): void {
  fc.assert(
    fc.property(messages, (message) => {
      const frame = encode(message)
      const decoded = decode(frame)
      expect(describeMessage(decoded)).toEqual(describeMessage(message))
      expect(encode(decoded)).toEqual(frame)
    }),
    { numRuns },
  )
}

describe("native, from a client", () => {
  test.each(Object.entries(client))("[F1] [F2] %s survives its codec", (_, messages) => {
    survives(messages, encodeClientMessage, decodeClientMessage)
  })
})

describe("native, from a node", () => {
  test.each(Object.entries(node))("[F1] [F2] %s survives its codec", (_, messages) => {
    survives(messages, encodeNodeMessage, decodeNodeMessage)
  })
})

describe("link", () => {
  test.each(Object.entries(link))("[F1] [F2] %s survives its codec", (_, messages) => {
    survives(messages, encodeLinkMessage, decodeLinkMessage)
  })
})

describe("y-websocket", () => {
  test.each(Object.entries(stock))("[F1] [F2] %s survives its codec", (_, messages) => {
    survives(messages, encodeYMessage, decodeYMessage)
  })
})

describe("the order in which something was put together", () => {
  test("[F2] is no part of a vector's bytes", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(origins, positive), { maxLength: 6 }), (entries) => {
        const frame = (pairs: typeof entries): Uint8Array => {
          const vector = new VersionVector(pairs)
          const document = documentId("yjs", "a")
          return encodeClientMessage({
            type: "open",
            channel: 1,
            document,
            generation: 0,
            resume: { type: "vector", vector },
          })
        }
        const once = [...new Map(entries)]
        expect(frame(once)).toEqual(frame(once.toReversed()))
      }),
      { numRuns },
    )
  })

  test("[F2] is no part of heads' bytes", () => {
    fc.assert(
      fc.property(heads, (map) => {
        const reversed = new Map([...map].toReversed())
        const frame = encodeLinkMessage({ type: "vector", heads: map })
        expect(encodeLinkMessage({ type: "vector", heads: reversed })).toEqual(frame)
      }),
      { numRuns },
    )
  })
})

describe("an explanation of any length", () => {
  test("[F3] is cut at a character, so that its reader takes it", () => {
    const sizes = { minLength: limits.textBytesMax - 20, maxLength: limits.textBytesMax + 20 }
    const long = fc.string({ unit: fc.constantFrom("a", "ä", "€", "😀"), ...sizes })
    fc.assert(
      fc.property(long, (message) => {
        const reject = decodeNodeMessage(
          encodeNodeMessage({ type: "reject", seq: 1, code: "overloaded", message }),
        )
        const closed = decodeNodeMessage(
          encodeNodeMessage({ type: "document-closed", channel: 1, code: "too-many", message }),
        )
        for (const decoded of [reject, closed]) {
          const said = "message" in decoded ? decoded.message : ""
          expect(message.startsWith(said)).toBe(true)
          const length = utf8Encode(said).length
          const whole = utf8Encode(message).length
          expect(length).toBeLessThanOrEqual(limits.textBytesMax)
          expect(length).toBeGreaterThan(Math.min(whole, limits.textBytesMax) - 4)
        }
      }),
      { numRuns: 20 },
    )
  })
})
