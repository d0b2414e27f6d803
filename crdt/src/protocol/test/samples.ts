/**
 * One message or more of every type and variant, as the golden files hold them. Deterministic:
 * the same samples always make the same bytes. A new message gets a sample here.
 */
import {
  assert,
  documentHash,
  documentIdOf,
  generationOf,
  limits,
  parseClientId,
  parseNodeId,
  parseOriginId,
} from "../../base/index.ts"
import type { ClientId, DocumentId, EngineName, NodeId, OriginId } from "../../base/index.ts"
import { utf8Encode } from "../../base/index.ts"
import { VersionVector } from "../../clock/index.ts"
import { HASH_BYTES } from "../../log/index.ts"
import type { Head } from "../../log/index.ts"
import { documentCloseCodes, presenceGone, PROOF_BYTES, rejectCodes } from "../index.ts"
import type { ClientMessage, LinkMessage, NodeMessage, PresenceEntry } from "../index.ts"
import type { DocumentCloseCode, RejectCode } from "../index.ts"
import { encodeClientMessage, encodeLinkMessage, encodeNodeMessage } from "./codecs.ts"
import { describeMessage } from "./describe.ts"
import type { Description } from "./describe.ts"

export type Sample = {
  readonly name: string
  readonly from: "client" | "node" | "peer"
  readonly message: Description
  readonly frame: Uint8Array
}

function known<Value>(value: Value | undefined): Value {
  assert(value !== undefined, "a sample is malformed")
  return value
}

export function nodeId(text: string): NodeId {
  return known(parseNodeId(text))
}
export function originId(text: string): OriginId {
  return known(parseOriginId(text))
}
export function clientId(text: string): ClientId {
  return known(parseClientId(text))
}
export function documentId(engine: EngineName, name: string, generation = 1): DocumentId {
  return generationOf(known(documentIdOf(engine, name)), generation)
}

const clientA = clientId("00112233445566778899aabbccddeeff")
const originA = originId("a@0000000000000001")
const originB = originId("b.eu-1@fedcba9876543210")
const notes = documentId("yjs", "notes/42")
const plan = documentId("automerge", "Plän €😀")
const seqMax = Number.MAX_SAFE_INTEGER
const vector = new VersionVector([
  [originB, seqMax],
  [originA, 1],
])

function hashOf(first: number): Uint8Array {
  return Uint8Array.from({ length: HASH_BYTES }, (_, index) => first + index)
}

const heads = new Map<OriginId, Head>([
  [originB, { seq: seqMax, hash: hashOf(0xf0) }],
  [originA, { seq: 0, hash: new Uint8Array(HASH_BYTES) }],
])

const presence: readonly PresenceEntry[] = [
  { client: 1, clock: 0, state: utf8Encode('{"name":"Zoë"}') },
  { client: seqMax, clock: 300, state: presenceGone },
]

const clientMessages: readonly (readonly [string, ClientMessage])[] = [
  [
    "hello",
    {
      type: "hello",
      versions: { min: 1, max: 300 },
      client: clientId("00112233445566778899aabbccddeeff"),
      firstPending: 1,
      token: "tökén",
    },
  ],
  [
    "open, nothing",
    { type: "open", channel: 0, document: notes, generation: 0, resume: { type: "nothing" } },
  ],
  [
    "open, vector",
    { type: "open", channel: 1, document: plan, generation: 1, resume: { type: "vector", vector } },
  ],
  [
    "open, summary",
    {
      type: "open",
      channel: 128,
      document: notes,
      generation: limits.generationMax,
      resume: { type: "summary", summary: Uint8Array.of(1, 2, 3) },
    },
  ],
  [
    "update",
    { type: "update", channel: 1, seq: 16_384, updates: [Uint8Array.of(0, 0), Uint8Array.of(255)] },
  ],
  ["presence", { type: "presence", channel: 2, entries: presence }],
  ["close-document", { type: "close-document", channel: 3 }],
  ["ping", { type: "ping" }],
  ["want-tier, node", { type: "want-tier", tier: "node", fromSeq: 1, marks: [] }],
  [
    "want-tier, quorum",
    {
      type: "want-tier",
      tier: "quorum",
      fromSeq: 3,
      marks: [
        { toSeq: 7, heads },
        { toSeq: seqMax, heads: new Map() },
      ],
    },
  ],
  ["watch", { type: "watch", since: vector, hashes: [0, 0xeedbeef, 0xfffffff] }],
  ["watch, nothing", { type: "watch", since: new VersionVector(), hashes: [] }],
  ["token", { type: "token", token: "tökén" }],
  ["token, empty", { type: "token", token: "" }],
]

const nodeMessages: readonly (readonly [string, NodeMessage])[] = [
  [
    "welcome",
    {
      type: "welcome",
      version: 1,
      session: "s-1",
      origin: originA,
      loggedSeq: 0,
      updateBytesMax: 8_388_608,
      windowBytes: 4_194_304,
      heartbeatMs: 5000,
    },
  ],
  ["opened, read", { type: "opened", channel: 1, handle: 7, access: "read", summary: hashOf(1) }],
  [
    "opened, write",
    {
      type: "opened",
      channel: 2,
      handle: 0,
      access: "write",
      summary: new Uint8Array(),
    },
  ],
  ["ack, node", { type: "ack", tier: "node", seq: 9, marks: [{ channel: 1, seq: 4 }] }],
  ["ack, quorum", { type: "ack", tier: "quorum", seq: 0, marks: [] }],
  ["ack, all", { type: "ack", tier: "all", seq: seqMax, marks: [{ channel: 300, seq: seqMax }] }],
  [
    "updates, live",
    {
      type: "updates",
      handle: 7,
      complete: false,
      resume: vector,
      updates: [Uint8Array.of(1), new Uint8Array(), Uint8Array.of(2, 3)],
    },
  ],
  [
    "updates, complete",
    { type: "updates", handle: 7, complete: true, resume: new VersionVector(), updates: [] },
  ],
  ["document-presence", { type: "document-presence", handle: 7, entries: presence }],
  ["pong", { type: "pong" }],
  [
    "freshness",
    {
      type: "freshness",
      peers: [
        { node: nodeId("a"), linked: true, behind: 0 },
        { node: nodeId("b.eu-1"), linked: false, behind: 1_000_000 },
      ],
    },
  ],
  ["logged", { type: "logged", heads }],
  ["generation", { type: "generation", channel: 1, generation: 300 }],
  ["logged, nothing", { type: "logged", heads: new Map() }],
  [
    "tier-status",
    {
      type: "tier-status",
      tier: "all",
      seq: 12,
      missing: [
        { member: "n3", linked: false, forMs: 61_000 },
        { member: "wss://eu.example/link", linked: true, forMs: 0 },
      ],
      lostTo: 11,
    },
  ],
  [
    "tier-status, nothing missing",
    { type: "tier-status", tier: "quorum", seq: seqMax, missing: [], lostTo: 0 },
  ],
  ["caught-up", { type: "caught-up", vector }],
  ["woken", { type: "woken", held: undefined, hashes: [documentHash(notes)] }],
  ["woken, answer", { type: "woken", held: vector, hashes: [documentHash(plan), 7] }],
  ["woken, all", { type: "woken", held: undefined, hashes: undefined }],
  ["token-valid", { type: "token-valid", forMs: 3_600_000 }],
]

const linkMessages: readonly (readonly [string, LinkMessage])[] = [
  [
    "hello",
    {
      type: "hello",
      versions: { min: 2, max: 2 },
      cluster: "main",
      node: nodeId("a"),
      origin: originA,
      windowBytes: 4_194_304,
      nonce: hashOf(0x10),
      address: "a.example:4000",
    },
  ],
  ["proof, none", { type: "proof", proof: new Uint8Array() }],
  ["proof", { type: "proof", proof: new Uint8Array(PROOF_BYTES).fill(0xab) }],
  [
    "members",
    {
      type: "members",
      addresses: new Map([
        [nodeId("b.eu-1"), "[::1]:4000"],
        [nodeId("a"), ""],
      ]),
      retired: heads,
    },
  ],
  [
    "entries",
    {
      type: "entries",
      run: { origin: originB, firstSeq: 130, records: [Uint8Array.of(9), hashOf(3)] },
      previousHash: hashOf(0x40),
    },
  ],
  ["vector", { type: "vector", heads }],
  ["vector, empty", { type: "vector", heads: new Map() }],
  ["want", { type: "want", origin: originB, fromSeq: seqMax }],
  ["presence", { type: "presence", document: plan, entries: presence }],
  ["presence, empty", { type: "presence", document: notes, entries: [] }],
  [
    "presence, of a later generation",
    { type: "presence", document: documentId("yjs", "notes/42", 300), entries: [] },
  ],
  ["truncated", { type: "truncated", origin: originB, floorSeq: seqMax }],
  [
    "transfer-want, first",
    { type: "transfer-want", since: vector, place: { phase: "documents", after: undefined } },
  ],
  [
    "transfer-want, documents",
    {
      type: "transfer-want",
      since: new VersionVector(),
      place: { phase: "documents", after: plan },
    },
  ],
  [
    "transfer-want, clients",
    { type: "transfer-want", since: vector, place: { phase: "clients", after: clientA } },
  ],
  [
    "transfer-want, records",
    {
      type: "transfer-want",
      since: vector,
      place: { phase: "records", after: { origin: originB, seq: seqMax } },
    },
  ],
  [
    "document",
    {
      type: "document",
      document: plan,
      vector,
      total: 300,
      offset: 256,
      piece: Uint8Array.of(1, 2),
    },
  ],
  [
    "transfer-page",
    {
      type: "transfer-page",
      heads,
      records: [{ origin: originA, seq: 3, record: Uint8Array.of(1, 4) }],
      clients: [[clientA, seqMax]],
      next: { phase: "records", after: undefined },
    },
  ],
  [
    "transfer-page, last",
    { type: "transfer-page", heads: new Map(), records: [], clients: [], next: undefined },
  ],
  ["transfer-failed", { type: "transfer-failed", code: "corrupt" }],
  ["digests, root", { type: "digests", part: "root", sum: hashOf(0x10) }],
  [
    "digests, sums",
    {
      type: "digests",
      part: "sums",
      level: 3,
      index: 4095,
      sums: Array.from({ length: 16 }, (_, child) => hashOf(child).subarray(0, 8)),
    },
  ],
  [
    "digests, leaves",
    {
      type: "digests",
      part: "leaves",
      bucket: 65_535,
      isAnswer: true,
      leaves: [{ document: plan, vector: hashOf(1), content: hashOf(2) }],
    },
  ],
  ["ping", { type: "ping" }],
  ["pong", { type: "pong" }],
]

/** One sample per code, so that every number is on the wire once. */
function refusals(): (readonly [string, NodeMessage])[] {
  // cast: Object.keys widens the keys of a const object to string.
  const rejects = Object.keys(rejectCodes) as RejectCode[]
  // cast: as above.
  const closes = Object.keys(documentCloseCodes) as DocumentCloseCode[]
  return [
    ...rejects.map((code): readonly [string, NodeMessage] => [
      `reject, ${code}`,
      { type: "reject", seq: 5, code, message: `because ${code}` },
    ]),
    ...closes.map((code): readonly [string, NodeMessage] => [
      `document-closed, ${code}`,
      { type: "document-closed", channel: 5, code, message: "" },
    ]),
  ]
}

export function nativeSamples(): readonly Sample[] {
  const fromClient = clientMessages.map(([name, message]) => ({
    name,
    from: "client" as const,
    message: describeMessage(message),
    frame: encodeClientMessage(message),
  }))
  const fromNode = [...nodeMessages, ...refusals()].map(([name, message]) => ({
    name,
    from: "node" as const,
    message: describeMessage(message),
    frame: encodeNodeMessage(message),
  }))
  return [...fromClient, ...fromNode]
}

export function linkSamples(): readonly Sample[] {
  return linkMessages.map(([name, message]) => ({
    name,
    from: "peer" as const,
    message: describeMessage(message),
    frame: encodeLinkMessage(message),
  }))
}
