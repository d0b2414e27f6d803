/**
 * Frames that claim more than they hold, at every length and count there is: refused by the claim,
 * before anything of that size exists. And frames that are large: read in bounded time. Rule [F3].
 */
import { describe, expect, test } from "vitest"
import { bytesConcat, limits, utf8Encode, Writer } from "../base/index.ts"
import { HASH_BYTES } from "../log/index.ts"
import {
  decodeClientMessage,
  decodeLinkMessage,
  decodeNodeMessage,
  linkTags,
  NONCE_BYTES,
  nativeTags,
} from "./index.ts"
import { decodeYMessage } from "./stock/index.ts"
import { codeOf, hex, start } from "./test/attempt.ts"
import type { Decode } from "./test/attempt.ts"
import { encodeYMessage } from "./test/codecs.ts"
import { originId } from "./test/samples.ts"

const origin = originId("a@0000000000000001")

/** Frames up to a length or a count; what follows is three bytes at most. */
const claims: readonly { readonly name: string; readonly decode: Decode; readonly head: Writer }[] =
  [
    {
      name: "token length",
      decode: decodeClientMessage,
      head: start(nativeTags.hello, 1, 1).raw(new Uint8Array(16)).varUint(1),
    },
    { name: "other token length", decode: decodeClientMessage, head: start(nativeTags.token) },
    { name: "name length", decode: decodeClientMessage, head: start(nativeTags.open, 1).u8(1) },
    {
      name: "vector count",
      decode: decodeClientMessage,
      head: start(nativeTags.open, 1).u8(1).string("a").u8(1),
    },
    {
      name: "summary length",
      decode: decodeClientMessage,
      head: start(nativeTags.open, 1).u8(1).string("a").u8(2),
    },
    { name: "update count", decode: decodeClientMessage, head: start(nativeTags.update, 1, 1) },
    { name: "update length", decode: decodeClientMessage, head: start(nativeTags.update, 1, 1, 1) },
    { name: "presence count", decode: decodeClientMessage, head: start(nativeTags.presence, 1) },
    {
      name: "presence state length",
      decode: decodeClientMessage,
      head: start(nativeTags.presence, 1, 1, 1, 1),
    },
    { name: "session length", decode: decodeNodeMessage, head: start(nativeTags.welcome, 1) },
    {
      name: "opened summary length",
      decode: decodeNodeMessage,
      head: start(nativeTags.opened, 1, 1).u8(1),
    },
    { name: "mark count", decode: decodeNodeMessage, head: start(nativeTags.ack).u8(1).varUint(1) },
    { name: "reason length", decode: decodeNodeMessage, head: start(nativeTags.reject, 1).u8(1) },
    {
      name: "resume count",
      decode: decodeNodeMessage,
      head: start(nativeTags.updates, 1).u8(0),
    },
    {
      name: "updates count",
      decode: decodeNodeMessage,
      head: start(nativeTags.updates, 1).u8(0).varUint(0),
    },
    {
      name: "updates length",
      decode: decodeNodeMessage,
      head: start(nativeTags.updates, 1).u8(0).varUint(0).varUint(1),
    },
    { name: "peer count", decode: decodeNodeMessage, head: start(nativeTags.freshness) },
    { name: "cluster length", decode: decodeLinkMessage, head: start(linkTags.hello, 2, 2) },
    {
      name: "address length",
      decode: decodeLinkMessage,
      head: start(linkTags.hello, 2, 2)
        .string("c")
        .string("a")
        .string(origin)
        .varUint(1)
        .raw(new Uint8Array(NONCE_BYTES)),
    },
    { name: "proof length", decode: decodeLinkMessage, head: start(linkTags.proof) },
    { name: "members count", decode: decodeLinkMessage, head: start(linkTags.members) },
    { name: "heads count", decode: decodeLinkMessage, head: start(linkTags.vector) },
    { name: "origin length", decode: decodeLinkMessage, head: start(linkTags.want) },
    {
      name: "record count",
      decode: decodeLinkMessage,
      head: start(linkTags.entries).string(origin).varUint(1).raw(new Uint8Array(HASH_BYTES)),
    },
    {
      name: "record length",
      decode: decodeLinkMessage,
      head: start(linkTags.entries)
        .string(origin)
        .varUint(1)
        .raw(new Uint8Array(HASH_BYTES))
        .varUint(1),
    },
    {
      name: "link presence name length",
      decode: decodeLinkMessage,
      head: start(linkTags.presence).u8(1),
    },
    {
      name: "link presence count",
      decode: decodeLinkMessage,
      head: start(linkTags.presence).u8(1).string("a"),
    },
    { name: "step 1 length", decode: decodeYMessage, head: start(0, 0) },
    { name: "step 2 length", decode: decodeYMessage, head: start(0, 1) },
    { name: "update length", decode: decodeYMessage, head: start(0, 2) },
    { name: "awareness length", decode: decodeYMessage, head: start(1) },
    { name: "awareness count", decode: decodeYMessage, head: start(1, 4) },
  ]

describe("claims", () => {
  const huge = [100, 2 ** 20, 2 ** 31, 2 ** 32 + 1, 2 ** 50, Number.MAX_SAFE_INTEGER]
  test.each(claims)("[F3] $name beyond what is there is refused", ({ decode, head }) => {
    const before = head.finish()
    for (const claim of huge) {
      for (const rest of ["", "000000", "016161"]) {
        const length = new Writer().varUint(claim).finish()
        const frame = bytesConcat([before, length, hex(rest)])
        expect(codeOf(decode, frame)).toMatch(/^(truncated|length-over-limit|bad-value)$/)
      }
    }
  })

  test("[F3] a frame of the largest size costs its reader no multiple of it", () => {
    const body = new Uint8Array(limits.frameBytesMax - 32)
    const count = new Writer().varUint(body.length).finish()
    const frames: readonly (readonly [Decode, Uint8Array])[] = [
      [decodeClientMessage, start(nativeTags.update, 1, 1).finish()],
      [decodeClientMessage, start(nativeTags.presence, 1).finish()],
      [decodeNodeMessage, start(nativeTags.updates, 1).u8(0).varUint(0).finish()],
      [decodeNodeMessage, start(nativeTags.ack).u8(1).varUint(1).finish()],
      [decodeNodeMessage, start(nativeTags.freshness).finish()],
      [decodeLinkMessage, start(linkTags.vector).finish()],
    ]
    for (const [decode, head] of frames) {
      expect(codeOf(decode, bytesConcat([head, count, body]))).toBe("length-over-limit")
    }
  })

  test("[F3] a presence state as large as a frame is read in bounded time", () => {
    const euro = utf8Encode("€")
    const state = new Uint8Array(9 * 1024 * 1024).map((_, index) => euro[index % 3] ?? 0)
    const frame = encodeYMessage({ type: "awareness", entries: [{ client: 1, clock: 1, state }] })
    const startedMs = performance.now()
    expect(codeOf(decodeYMessage, frame)).toBe("taken")
    expect(performance.now() - startedMs).toBeLessThan(1000)
  })
})
