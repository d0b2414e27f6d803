/**
 * Names, order and values on the wire that are well-framed but wrong: text that is not UTF-8,
 * unknown engines and codes, origins out of order, numbers without a meaning.
 */
import { describe, expect, test } from "vitest"
import { bytesConcat, engineTags, limits, Writer } from "../base/index.ts"
import { HASH_BYTES } from "../log/index.ts"
import {
  ackTiers,
  decodeClientMessage,
  decodeLinkMessage,
  decodeNodeMessage,
  documentCloseCodes,
  linkTags,
  NONCE_BYTES,
  nativeTags,
  rejectCodes,
} from "./index.ts"
import { decodeYMessage } from "./stock/index.ts"
import { codeOf, hex } from "./test/attempt.ts"
import type { Decode } from "./test/attempt.ts"

/** RFC 3629 §3, §10: what strict UTF-8 is not. */
const notUtf8: readonly (readonly [string, Uint8Array])[] = [
  ["an overlong NUL", hex("c080")],
  ["an overlong slash in two bytes", hex("c0af")],
  ["an overlong slash in three bytes", hex("e080af")],
  ["an overlong slash in four bytes", hex("f08080af")],
  ["an overlong U+FFFF", hex("f08fbfbf")],
  ["the first surrogate", hex("eda080")],
  ["the last surrogate", hex("edbfbf")],
  ["a pair of surrogates (CESU-8)", hex("eda0bdedb880")],
  ["past U+10FFFF", hex("f4908080")],
  ["a five-byte form", hex("f888808080")],
  ["0xff", hex("ff")],
  ["a continuation byte alone", hex("80")],
  ["two bytes cut short", hex("61c3")],
  ["three bytes cut short", hex("61e282")],
  ["four bytes cut short", hex("61f09f98")],
  ["a lead byte, then ASCII", hex("c361")],
  ["a lead byte, then another", hex("e2c3a9")],
]

/** Every place where text stands, as a frame around it. */
const places: readonly (readonly [string, Decode, (text: Uint8Array) => Uint8Array])[] = [
  [
    "token",
    decodeClientMessage,
    (text) =>
      new Writer()
        .u8(nativeTags.hello)
        .raw(hex("0101"))
        .raw(new Uint8Array(16))
        .varUint(1)
        .bytes(text)
        .finish(),
  ],
  [
    "another token",
    decodeClientMessage,
    (text) => new Writer().u8(nativeTags.token).bytes(text).finish(),
  ],
  ["document name", decodeClientMessage, (text) => openNamed(text)],
  [
    "presence state",
    decodeClientMessage,
    (text) => new Writer().u8(nativeTags.presence).raw(hex("01010101")).bytes(text).finish(),
  ],
  [
    "explanation",
    decodeNodeMessage,
    (text) => new Writer().u8(nativeTags.reject).raw(hex("0101")).bytes(text).finish(),
  ],
  [
    "explanation of a closed document",
    decodeNodeMessage,
    (text) => new Writer().u8(nativeTags.documentClosed).raw(hex("0101")).bytes(text).finish(),
  ],
  [
    "session",
    decodeNodeMessage,
    (text) =>
      new Writer()
        .u8(nativeTags.welcome)
        .varUint(1)
        .bytes(text)
        .string("a@0000000000000001")
        .raw(hex("01010101"))
        .finish(),
  ],
  [
    "cluster",
    decodeLinkMessage,
    (text) =>
      new Writer()
        .u8(linkTags.hello)
        .raw(hex("0202"))
        .bytes(text)
        .string("a")
        .string("a@0000000000000001")
        .varUint(1)
        .raw(new Uint8Array(NONCE_BYTES))
        .string("")
        .finish(),
  ],
  [
    "document name on a link",
    decodeLinkMessage,
    (text) => new Writer().u8(linkTags.presence).u8(1).bytes(text).varUint(0).finish(),
  ],
  [
    "awareness state",
    decodeYMessage,
    (text) => {
      const body = new Writer().raw(hex("010101")).bytes(text).finish()
      return new Writer().u8(1).bytes(body).finish()
    },
  ],
]

function openNamed(name: Uint8Array, engine: number = engineTags.yjs): Uint8Array {
  return new Writer().u8(nativeTags.open).varUint(1).u8(engine).bytes(name).u8(0).finish()
}

describe.each(places)("text in a %s", (_, decode, around) => {
  test("[F2] that is UTF-8 is taken", () => {
    const texts = ["61", "c3a9", "e282ac", "f09f9880", "ed9fbf", "ee8080", "f48fbfbf", "efbfbd"]
    for (const text of texts) expect(codeOf(decode, around(hex(text))), text).toBe("taken")
  })

  test.each(notUtf8)("[F2] that is %s is refused", (_name, bytes) => {
    expect(codeOf(decode, around(bytes))).toBe("not-utf8")
    const inside = bytesConcat([hex("6161"), bytes])
    expect(codeOf(decode, around(inside))).toBe("not-utf8")
  })
})

describe("a document's name", () => {
  const ofBytes = (length: number): Uint8Array => new Uint8Array(length).fill(0x61)
  const onLink = (name: Uint8Array): Uint8Array =>
    new Writer().u8(linkTags.presence).u8(1).bytes(name).varUint(0).finish()

  test("[F3] has 1 to 512 bytes", () => {
    expect(limits.documentNameBytesMax).toBe(512)
    for (const [decode, frame] of [
      [decodeClientMessage, openNamed],
      [decodeLinkMessage, onLink],
    ] as const) {
      expect(codeOf(decode, frame(ofBytes(0)))).toBe("bad-value")
      expect(codeOf(decode, frame(ofBytes(1)))).toBe("taken")
      expect(codeOf(decode, frame(ofBytes(512)))).toBe("taken")
      expect(codeOf(decode, frame(ofBytes(513)))).toBe("length-over-limit")
    }
  })

  test("[F3] is measured in bytes, not in characters", () => {
    const euros = (count: number): Uint8Array =>
      bytesConcat(Array.from({ length: count }, () => hex("e282ac")))
    expect(codeOf(decodeClientMessage, openNamed(euros(170)))).toBe("taken")
    expect(codeOf(decodeClientMessage, openNamed(euros(171)))).toBe("length-over-limit")
  })

  test("[F1] names an engine that there is", () => {
    const known: readonly number[] = Object.values(engineTags)
    // A bit says that a generation follows, which is no engine's.
    for (let engine = 0; engine < 256; engine = engine === 63 ? 128 : engine + 1) {
      const expected = known.includes(engine) ? "taken" : "unknown-engine"
      expect(codeOf(decodeClientMessage, openNamed(hex("61"), engine))).toBe(expected)
      const frame = new Writer().u8(linkTags.presence).u8(engine).string("a").varUint(0).finish()
      expect(codeOf(decodeLinkMessage, frame)).toBe(expected)
    }
  })
})

describe("origins", () => {
  const a = "a@0000000000000001"
  const b = "b@0000000000000001"
  const hash = new Uint8Array(HASH_BYTES)
  const vectorIn = (names: readonly string[]): Uint8Array => {
    const writer = new Writer().u8(nativeTags.open).varUint(1).u8(1).string("n").u8(1)
    writer.varUint(names.length)
    for (const name of names) writer.string(name).varUint(1)
    return writer.finish()
  }
  const resumeIn = (names: readonly string[]): Uint8Array => {
    const writer = new Writer().u8(nativeTags.updates).varUint(1).u8(0).varUint(names.length)
    for (const name of names) writer.string(name).varUint(1)
    return writer.varUint(0).finish()
  }
  const headsIn = (names: readonly string[]): Uint8Array => {
    const writer = new Writer().u8(linkTags.vector).varUint(names.length)
    for (const name of names) writer.string(name).varUint(1).raw(hash)
    return writer.finish()
  }
  const lists: readonly (readonly [string, Decode, (names: readonly string[]) => Uint8Array])[] = [
    ["a client's vector", decodeClientMessage, vectorIn],
    ["a node's resume point", decodeNodeMessage, resumeIn],
    ["a link's heads", decodeLinkMessage, headsIn],
  ]

  test.each(lists)("[F2] of %s are sorted and not repeated", (_, decode, frame) => {
    expect(codeOf(decode, frame([]))).toBe("taken")
    expect(codeOf(decode, frame([a, b]))).toBe("taken")
    expect(codeOf(decode, frame([b, a]))).toBe("bad-value")
    expect(codeOf(decode, frame([a, a]))).toBe("bad-value")
    expect(codeOf(decode, frame([a, b, a]))).toBe("bad-value")
  })

  test.each([
    "",
    "a",
    "@0000000000000001",
    "a@000000000000001",
    "a@00000000000000011",
    "a@000000000000000A",
    "a@0000000000000001\n",
    "ä@0000000000000001",
    "a b@0000000000000001",
    `${"a".repeat(65)}@0000000000000001`,
    "__proto__",
  ])("[F2] are well-formed: %j is not", (name) => {
    for (const [, decode, frame] of lists) expect(codeOf(decode, frame([name]))).toBe("bad-value")
    const want = new Writer().u8(linkTags.want).string(name).varUint(1).finish()
    expect(codeOf(decodeLinkMessage, want)).toBe("bad-value")
  })

  test("[F1] a hello's origin is one of its node", () => {
    const hello = (node: string, origin: string): Uint8Array => {
      const writer = new Writer().u8(linkTags.hello).raw(hex("0202")).string("c")
      writer.string(node).string(origin).varUint(1).raw(new Uint8Array(NONCE_BYTES))
      return writer.string("").finish()
    }
    expect(codeOf(decodeLinkMessage, hello("a", a))).toBe("taken")
    expect(codeOf(decodeLinkMessage, hello("a", b))).toBe("bad-value")
    expect(codeOf(decodeLinkMessage, hello("", a))).toBe("bad-value")
    expect(codeOf(decodeLinkMessage, hello("a b", a))).toBe("bad-value")
  })
})

describe("values", () => {
  const codes: readonly (readonly [string, readonly number[], (byte: number) => Uint8Array])[] = [
    [
      "ack tier",
      Object.values(ackTiers),
      (byte) => new Writer().u8(nativeTags.ack).u8(byte).raw(hex("0100")).finish(),
    ],
    [
      "reject code",
      Object.values(rejectCodes).map(({ number }) => number),
      (byte) => new Writer().u8(nativeTags.reject).varUint(1).u8(byte).string("").finish(),
    ],
    [
      "document close code",
      Object.values(documentCloseCodes).map(({ number }) => number),
      (byte) => new Writer().u8(nativeTags.documentClosed).varUint(1).u8(byte).string("").finish(),
    ],
    [
      "access",
      [0, 1],
      (byte) => new Writer().u8(nativeTags.opened).raw(hex("0101")).u8(byte).varUint(0).finish(),
    ],
    [
      "complete mark",
      [0, 1],
      (byte) => new Writer().u8(nativeTags.updates).varUint(1).u8(byte).raw(hex("0000")).finish(),
    ],
    [
      "linked mark",
      [0, 1],
      (byte) =>
        new Writer().u8(nativeTags.freshness).varUint(1).string("a").u8(byte).varUint(0).finish(),
    ],
  ]
  test.each(codes)("[F1] every unknown %s is refused", (_, known, frame) => {
    for (let byte = 0; byte < 256; byte++) {
      const expected = known.includes(byte) ? "taken" : "bad-value"
      expect(codeOf(decodeNodeMessage, frame(byte)), `${byte}`).toBe(expected)
    }
  })

  test("[F1] every unknown resume point is refused", () => {
    const frame = (byte: number): Uint8Array =>
      new Writer().u8(nativeTags.open).varUint(1).u8(1).string("n").u8(byte).varUint(0).finish()
    expect(codeOf(decodeClientMessage, frame(0))).toBe("trailing-bytes")
    for (const byte of [1, 2]) expect(codeOf(decodeClientMessage, frame(byte))).toBe("taken")
    for (let byte = 3; byte < 256; byte++) {
      expect(codeOf(decodeClientMessage, frame(byte))).toBe("bad-value")
    }
  })

  test("[F1] a welcome's numbers can be obeyed", () => {
    const welcome = (
      version: number,
      updateBytesMax: number,
      windowBytes: number,
      heartbeatMs: number,
    ): Uint8Array => {
      const writer = new Writer().u8(nativeTags.welcome).varUint(version).string("s")
      writer.string("a@0000000000000001").varUint(0).varUint(updateBytesMax)
      return writer.varUint(windowBytes).varUint(heartbeatMs).finish()
    }
    expect(codeOf(decodeNodeMessage, welcome(1, 1, 1, 1))).toBe("taken")
    expect(codeOf(decodeNodeMessage, welcome(1, 1, 1, 2 ** 31 - 1))).toBe("taken")
    expect(codeOf(decodeNodeMessage, welcome(1, 1, 1, 2 ** 31))).toBe("bad-value")
    for (const zero of [0, 1, 2, 3]) {
      const valueAt = (index: number): number => (index === zero ? 0 : 1)
      const frame = welcome(valueAt(0), valueAt(1), valueAt(2), valueAt(3))
      expect(codeOf(decodeNodeMessage, frame)).toBe("bad-value")
    }
  })

  test("[F1] sequence numbers start at 1 and end at 2^53 − 1", () => {
    const max = Number.MAX_SAFE_INTEGER
    const update = (seq: number): Uint8Array =>
      new Writer().u8(nativeTags.update).varUint(1).varUint(seq).raw(hex("020000")).finish()
    const entries = (seq: number): Uint8Array => {
      const writer = new Writer().u8(linkTags.entries).string("a@0000000000000001").varUint(seq)
      return writer.raw(new Uint8Array(HASH_BYTES)).raw(hex("020000")).finish()
    }
    const want = (seq: number): Uint8Array =>
      new Writer().u8(linkTags.want).string("a@0000000000000001").varUint(seq).finish()
    for (const [decode, frame, last] of [
      [decodeClientMessage, update, max - 2],
      [decodeLinkMessage, entries, max - 2],
      [decodeLinkMessage, want, max],
    ] as const) {
      expect(codeOf(decode, frame(0))).toBe("bad-value")
      expect(codeOf(decode, frame(1))).toBe("taken")
      expect(codeOf(decode, frame(last))).toBe("taken")
    }
    expect(codeOf(decodeClientMessage, update(max - 1))).toBe("bad-value")
    expect(codeOf(decodeLinkMessage, entries(max - 1))).toBe("bad-value")
  })

  test("[F1] a frame without an update or an entry is refused", () => {
    const update = new Writer().u8(nativeTags.update).raw(hex("010100")).finish()
    expect(codeOf(decodeClientMessage, update)).toBe("bad-value")
    const writer = new Writer().u8(linkTags.entries).string("a@0000000000000001").varUint(1)
    const entries = writer.raw(new Uint8Array(HASH_BYTES)).varUint(0).finish()
    expect(codeOf(decodeLinkMessage, entries)).toBe("bad-value")
  })

  test("[F1] an outbox starts at 1", () => {
    const hello = (first: number): Uint8Array => {
      const writer = new Writer().u8(nativeTags.hello).raw(hex("0101")).raw(new Uint8Array(16))
      return writer.varUint(first).string("").finish()
    }
    expect(codeOf(decodeClientMessage, hello(1))).toBe("taken")
    expect(codeOf(decodeClientMessage, hello(0))).toBe("bad-value")
  })

  test("[F1] an awareness message is exactly as long as it says", () => {
    const entry = hex("0101016e")
    const frame = (length: number, ...more: Uint8Array[]): Uint8Array =>
      bytesConcat([Uint8Array.of(1, length), hex("01"), entry.subarray(0, 3), hex("6e"), ...more])
    expect(codeOf(decodeYMessage, frame(5))).toBe("taken")
    for (const length of [0, 1, 4, 6, 127]) {
      expect(codeOf(decodeYMessage, frame(length)), `${length}`).not.toBe("taken")
    }
    expect(codeOf(decodeYMessage, frame(6, hex("00")))).not.toBe("taken")
    expect(codeOf(decodeYMessage, frame(5, hex("00")))).toBe("trailing-bytes")
  })
})
