/**
 * Bytes from outside. Whatever a frame holds, a decoder gives a message or throws a DecodeError,
 * quickly, and allocates no more than the frame's own size asks for. The seeds are the golden
 * frames, so a new message is attacked as soon as it has its sample. Rules [F1] [F2] [F3] [F5].
 */
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { assert, bytesConcat, DecodeError, Reader, Writer } from "../base/index.ts"
import { attempt } from "./test/attempt.ts"
import { codecs } from "./test/codecs.ts"
import type { Codec } from "./test/codecs.ts"
import { describeMessage } from "./test/describe.ts"
import { goldenFrames, goldenFramesOf } from "./test/golden.ts"

/** Far more than any decoder needs on a slow machine, far less than walking 2^50 of anything. */
const decodeMsMax = 2000

/**
 * Decodes, and gives the error or undefined. Anything but a DecodeError fails the test, and so does
 * an accepted frame whose message does not survive its codec.
 */
function verdictOn(codec: Codec, frame: Uint8Array): DecodeError | undefined {
  const startedMs = performance.now()
  const result = attempt(codec.decode, frame)
  assert(performance.now() - startedMs < decodeMsMax, "decoding took too long")
  if ("message" in result) {
    expectSound(codec, frame, result.message)
    return undefined
  }
  const { offset } = result.error
  assert(offset >= 0 && offset <= frame.length, () => `offset ${offset} of ${frame.length}`)
  return result.error
}

function expectSound({ decode, recode }: Codec, frame: Uint8Array, message: object): void {
  expect(describeMessage(decode(recode(frame)))).toEqual(describeMessage(message))
}

function withByte(frame: Uint8Array, index: number, byte: number): Uint8Array {
  const copy = frame.slice()
  copy[index] = byte
  return copy
}

describe.each(goldenFrames)("$name", ({ codec, frame }) => {
  test("[F1] every truncation is refused", () => {
    for (let length = 0; length < frame.length; length++) {
      const error = verdictOn(codec, frame.slice(0, length))
      expect(error?.code, `${length} bytes`).toMatch(/^(truncated|length-over-limit|bad-value)$/)
    }
  })

  test("[F1] a byte too many is refused", () => {
    for (const more of [0, 1, 255]) {
      const error = verdictOn(codec, bytesConcat([frame, Uint8Array.of(more)]))
      expect(error?.code).toBe("trailing-bytes")
    }
    expect(verdictOn(codec, bytesConcat([frame, frame]))?.code).toBe("trailing-bytes")
  })

  test("[F1] [F4] any flipped bit gives a sound message or a DecodeError", () => {
    for (let index = 0; index < frame.length; index++) {
      for (let bit = 0; bit < 8; bit++) {
        verdictOn(codec, withByte(frame, index, (frame[index] ?? 0) ^ (1 << bit)))
      }
    }
  })

  test("[F3] a huge number anywhere gives a sound message or a DecodeError", () => {
    const numbers = [2 ** 31 - 1, 2 ** 32, 2 ** 50, Number.MAX_SAFE_INTEGER]
    for (let index = 0; index < frame.length; index++) {
      for (const number of numbers) {
        const head = [frame.subarray(0, index), new Writer().varUint(number).finish()]
        verdictOn(codec, bytesConcat(head))
        verdictOn(codec, bytesConcat([...head, frame.subarray(index + 1)]))
      }
    }
  })

  test("[F2] an integer over 2^53 − 1 anywhere gives a sound message or a DecodeError", () => {
    for (let index = 0; index < frame.length; index++) {
      const tooLong = new Uint8Array(12).fill(0xff)
      verdictOn(codec, bytesConcat([frame.subarray(0, index), tooLong, frame.subarray(index)]))
    }
  })
})

describe.each(codecs)("anything from a $from", (codec) => {
  const frames = goldenFramesOf(codec.from).map(({ frame }) => frame)
  const tags = frames.map((frame) => frame[0] ?? 0)

  test("[F1] [F4] random bytes", () => {
    const random = fc.uint8Array({ maxLength: 80 })
    const tagged = fc
      .tuple(fc.constantFrom(...tags), random)
      .map(([tag, rest]) => Uint8Array.of(tag, ...rest))
    fc.assert(
      fc.property(fc.oneof(random, tagged), (frame) => void verdictOn(codec, frame)),
      { numRuns: 1000 },
    )
  })

  test("[F1] [F4] golden frames spliced into each other", () => {
    const cut = fc.record({
      left: fc.constantFrom(...frames),
      right: fc.constantFrom(...frames),
      middle: fc.uint8Array({ maxLength: 4 }),
      at: fc.nat(80),
      from: fc.nat(80),
    })
    fc.assert(
      fc.property(cut, ({ left, right, middle, at, from }) => {
        verdictOn(codec, bytesConcat([left.subarray(0, at), middle, right.subarray(from)]))
      }),
      { numRuns: 1000 },
    )
  })

  test("[F1] an empty frame is refused", () => {
    expect(verdictOn(codec, new Uint8Array())?.code).toBe("truncated")
  })

  test("[F5] a tag that this side does not send is unknown, whatever follows", () => {
    let unknown = 0
    for (let tag = 0; tag < 256; tag++) {
      if (tags.includes(tag) || (codec.from === "y-websocket" && tag > 127)) continue
      for (const rest of [[], [0], [1, 2, 3, 4]]) {
        const error = verdictOn(codec, Uint8Array.of(tag, ...rest))
        expect(error?.code, `tag ${tag}`).toBe("unknown-message")
        expect(error?.offset).toBe(0)
      }
      unknown += 1
    }
    expect(unknown).toBeGreaterThan(100)
  })
})

describe("integers", () => {
  const read = (...bytes: number[]): number => {
    const reader = new Reader(Uint8Array.from(bytes))
    const value = reader.varUint()
    reader.end()
    return value
  }

  test("[F2] are seven bits a byte, least significant first", () => {
    expect(read(0)).toBe(0)
    expect(read(0x7f)).toBe(127)
    expect(read(0x80, 1)).toBe(128)
    expect(read(0xac, 2)).toBe(300)
    expect(read(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f)).toBe(Number.MAX_SAFE_INTEGER)
  })

  test.each([
    { name: "2^53", bytes: [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10] },
    { name: "2^56 − 1", bytes: [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f] },
    { name: "nine bytes", bytes: [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01] },
    { name: "a zero in nine bytes", bytes: [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0] },
  ])("[F2] $name is too long", ({ bytes }) => {
    const error = expect.objectContaining({ code: "varint-too-long" })
    expect(() => read(...bytes)).toThrow(error)
  })

  test("[F2] an endless one is given up after eight bytes", () => {
    const reader = new Reader(new Uint8Array(1_000_000).fill(0x80))
    expect(() => reader.varUint()).toThrow(DecodeError)
    expect(reader.offset).toBeLessThanOrEqual(8)
  })
})
