/** The limits of the wire, each on both sides of it. Rules [F3] [F7]. */
import { describe, expect, test } from "vitest"
import { limits } from "../base/index.ts"
import type { OriginId } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import { HASH_BYTES } from "../log/index.ts"
import type { Head } from "../log/index.ts"
import {
  decodeClientMessage,
  decodeLinkMessage,
  decodeNodeMessage,
  linkVersions,
  nativeTags,
  NONCE_BYTES,
  updatesPerNodeFrameMax,
} from "./index.ts"
import { decodeYMessage } from "./stock/index.ts"
import { codeOf, start } from "./test/attempt.ts"
import type { Decode } from "./test/attempt.ts"
import {
  encodeClientMessage,
  encodeLinkMessage,
  encodeNodeMessage,
  encodeYMessage,
} from "./test/codecs.ts"
import { clientId, documentId, nodeId, originId } from "./test/samples.ts"

const origin = originId("a@0000000000000001")
const document = documentId("yjs", "notes")

function vectorOf(count: number): VersionVector {
  return new VersionVector(originsOf(count).map((name) => [name, 1]))
}
function headsOf(count: number): Map<OriginId, Head> {
  return new Map(
    originsOf(count).map((name) => [name, { seq: 1, hash: new Uint8Array(HASH_BYTES) }]),
  )
}
function originsOf(count: number): OriginId[] {
  return Array.from({ length: count }, (_, index) => {
    return originId(`a@${index.toString(16).padStart(16, "0")}`)
  })
}
function presenceOf(count: number): { client: number; clock: number; state: Uint8Array }[] {
  return Array.from({ length: count }, (_, client) => ({
    client,
    clock: 1,
    state: Uint8Array.of(48),
  }))
}
function emptyOnes(count: number): Uint8Array[] {
  return Array.from({ length: count }, () => new Uint8Array())
}

/** Each limit with a frame that holds `size` of what it bounds. */
const bounded: readonly {
  readonly name: string
  readonly max: number
  readonly decode: Decode
  readonly frame: (size: number) => Uint8Array
}[] = [
  {
    name: "bytes of a token",
    max: limits.textBytesMax,
    decode: decodeClientMessage,
    frame: (size) =>
      encodeClientMessage({
        type: "hello",
        versions: { min: 1, max: 1 },
        client: clientId("0".repeat(32)),
        firstPending: 1,
        token: "t".repeat(size),
      }),
  },
  {
    name: "bytes of another token",
    max: limits.textBytesMax,
    decode: decodeClientMessage,
    frame: (size) => encodeClientMessage({ type: "token", token: "t".repeat(size) }),
  },
  {
    name: "bytes of a document's name",
    max: limits.documentNameBytesMax,
    decode: decodeClientMessage,
    frame: (size) => {
      const writer = start(nativeTags.open, 1).u8(1).string("n".repeat(size))
      return writer.u8(0).finish()
    },
  },
  {
    name: "origins of a resume point",
    max: limits.originsMax,
    decode: decodeClientMessage,
    frame: (size) =>
      encodeClientMessage({
        type: "open",
        channel: 1,
        document,
        generation: 0,
        resume: { type: "vector", vector: vectorOf(size) },
      }),
  },
  {
    name: "bytes of a client's summary",
    max: limits.summaryBytesMax,
    decode: decodeClientMessage,
    frame: (size) =>
      encodeClientMessage({
        type: "open",
        channel: 1,
        document,
        generation: 0,
        resume: { type: "summary", summary: new Uint8Array(size) },
      }),
  },
  {
    name: "updates in a client's frame",
    max: limits.updatesPerFrameMax,
    decode: decodeClientMessage,
    frame: (size) =>
      encodeClientMessage({ type: "update", channel: 1, seq: 1, updates: emptyOnes(size) }),
  },
  {
    name: "presence entries in a client's frame",
    max: limits.presenceEntriesPerFrameMax,
    decode: decodeClientMessage,
    frame: (size) =>
      encodeClientMessage({ type: "presence", channel: 1, entries: presenceOf(size) }),
  },
  {
    name: "updates in a node's frame",
    max: updatesPerNodeFrameMax,
    decode: decodeNodeMessage,
    frame: (size) =>
      encodeNodeMessage({
        type: "updates",
        handle: 1,
        complete: false,
        resume: new VersionVector(),
        updates: emptyOnes(size),
      }),
  },
  {
    name: "origins of a node's resume point",
    max: limits.originsMax,
    decode: decodeNodeMessage,
    frame: (size) =>
      encodeNodeMessage({
        type: "updates",
        handle: 1,
        complete: false,
        resume: vectorOf(size),
        updates: [],
      }),
  },
  {
    name: "bytes of a node's summary",
    max: limits.summaryBytesMax,
    decode: decodeNodeMessage,
    frame: (size) =>
      encodeNodeMessage({
        type: "opened",
        channel: 1,
        handle: 1,
        access: "read",
        summary: new Uint8Array(size),
      }),
  },
  {
    name: "marks of an ack",
    max: limits.channelsPerConnectionMax,
    decode: decodeNodeMessage,
    frame: (size) => {
      const marks = Array.from({ length: size }, (_, channel) => ({ channel, seq: 1 }))
      return encodeNodeMessage({ type: "ack", tier: "node", seq: 1, marks })
    },
  },
  {
    name: "hashes of a watch",
    max: limits.channelsPerConnectionMax,
    decode: decodeClientMessage,
    frame: (size) => {
      const hashes = Array.from({ length: size }, (_, hash) => hash)
      return encodeClientMessage({ type: "watch", since: new VersionVector(), hashes })
    },
  },
  {
    name: "origins of a watch",
    max: limits.originsMax,
    decode: decodeClientMessage,
    frame: (size) => encodeClientMessage({ type: "watch", since: vectorOf(size), hashes: [] }),
  },
  {
    name: "hashes of what is woken",
    max: limits.channelsPerConnectionMax,
    decode: decodeNodeMessage,
    frame: (size) => {
      const hashes = Array.from({ length: size }, (_, hash) => hash)
      return encodeNodeMessage({ type: "woken", held: undefined, hashes })
    },
  },
  {
    name: "origins of a caught-up",
    max: limits.originsMax,
    decode: decodeNodeMessage,
    frame: (size) => encodeNodeMessage({ type: "caught-up", vector: vectorOf(size) }),
  },
  {
    name: "peers of a freshness",
    max: limits.originsMax,
    decode: decodeNodeMessage,
    frame: (size) => {
      const peer = { node: nodeId("a"), linked: true, behind: 0 }
      const peers = Array.from({ length: size }, () => peer)
      return encodeNodeMessage({ type: "freshness", peers })
    },
  },
  {
    name: "bytes of an explanation",
    max: limits.textBytesMax,
    decode: decodeNodeMessage,
    frame: (size) => start(nativeTags.reject, 1).u8(1).string("m".repeat(size)).finish(),
  },
  {
    name: "heads of a link's vector",
    max: limits.originsMax,
    decode: decodeLinkMessage,
    frame: (size) => encodeLinkMessage({ type: "vector", heads: headsOf(size) }),
  },
  {
    name: "bytes of a cluster's name",
    max: limits.textBytesMax,
    decode: decodeLinkMessage,
    frame: (size) =>
      encodeLinkMessage({
        type: "hello",
        versions: linkVersions,
        cluster: "c".repeat(size),
        node: nodeId("a"),
        origin,
        windowBytes: 0,
        nonce: new Uint8Array(NONCE_BYTES),
        address: "",
      }),
  },
  {
    name: "bytes of a node's address in a hello",
    max: limits.addressBytesMax,
    decode: decodeLinkMessage,
    frame: (size) =>
      encodeLinkMessage({
        type: "hello",
        versions: linkVersions,
        cluster: "c",
        node: nodeId("a"),
        origin,
        windowBytes: 0,
        nonce: new Uint8Array(NONCE_BYTES),
        address: "a".repeat(size),
      }),
  },
  {
    name: "bytes of a node's address among members",
    max: limits.addressBytesMax,
    decode: decodeLinkMessage,
    frame: (size) => {
      const addresses = new Map([[nodeId("a"), "a".repeat(size)]])
      return encodeLinkMessage({ type: "members", addresses, retired: new Map() })
    },
  },
  {
    name: "members",
    max: limits.membersMax,
    decode: decodeLinkMessage,
    frame: (size) => {
      const nodes = Array.from({ length: size }, (_, index) => nodeId(`n${index}`))
      const addresses = new Map(nodes.map((node) => [node, ""]))
      return encodeLinkMessage({ type: "members", addresses, retired: new Map() })
    },
  },
  {
    name: "entries of a link's run",
    max: limits.linkFrameEntriesMax,
    decode: decodeLinkMessage,
    frame: (size) =>
      encodeLinkMessage({
        type: "entries",
        run: { origin, firstSeq: 1, records: emptyOnes(size) },
        previousHash: new Uint8Array(HASH_BYTES),
      }),
  },
  {
    name: "presence entries in a link's frame",
    max: limits.presenceEntriesPerFrameMax,
    decode: decodeLinkMessage,
    frame: (size) => encodeLinkMessage({ type: "presence", document, entries: presenceOf(size) }),
  },
  {
    name: "bytes of a stock client's state vector",
    max: limits.summaryBytesMax,
    decode: decodeYMessage,
    frame: (size) => encodeYMessage({ type: "step1", summary: new Uint8Array(size) }),
  },
  {
    name: "bytes of a stock client's update",
    max: limits.frameBytesMax,
    decode: decodeYMessage,
    frame: (size) => encodeYMessage({ type: "update", update: new Uint8Array(size) }),
  },
  {
    name: "entries of a stock client's awareness",
    max: limits.presenceEntriesPerFrameMax,
    decode: decodeYMessage,
    frame: (size) => encodeYMessage({ type: "awareness", entries: presenceOf(size) }),
  },
]

describe("limits", () => {
  test.each(bounded)("[F3] $name: $max are taken, one more is refused", (item) => {
    expect(codeOf(item.decode, item.frame(item.max))).toBe("taken")
    expect(codeOf(item.decode, item.frame(item.max + 1))).toBe("length-over-limit")
  })

  test("[F7] an update at the size limit, and one over it, reach the node that judges them", () => {
    for (const size of [limits.updateBytesMax, limits.updateBytesMax + 1]) {
      const updates = [new Uint8Array(size)]
      const frame = encodeClientMessage({ type: "update", channel: 1, seq: 1, updates })
      expect(decodeClientMessage(frame)).toMatchObject({ updates: [{ length: size }] })
      expect(
        decodeYMessage(encodeYMessage({ type: "step2", update: new Uint8Array(size) })),
      ).toMatchObject({ update: { length: size } })
    }
  })

  test("[F7] the largest update there is fits a frame, natively, on a link and stock", () => {
    const update = new Uint8Array(limits.updateBytesMax)
    const record = new Uint8Array(limits.updateBytesMax + limits.documentNameBytesMax + 64)
    const run = { origin, firstSeq: 1, records: [record] }
    const previousHash = new Uint8Array(HASH_BYTES)
    const frames = [
      encodeClientMessage({ type: "update", channel: 1, seq: 1, updates: [update] }),
      encodeNodeMessage({
        type: "updates",
        handle: 1,
        complete: true,
        resume: vectorOf(limits.originsMax),
        updates: [update],
      }),
      encodeLinkMessage({ type: "entries", run, previousHash }),
      encodeYMessage({ type: "update", update }),
    ]
    for (const frame of frames) expect(frame.length).toBeLessThanOrEqual(limits.frameBytesMax)
  })
})
