import fc from "fast-check"
import { expect, test } from "vitest"
import {
  DecodeError,
  InvariantError,
  limits,
  originOf,
  parseNodeId,
  Reader,
  Writer,
} from "../base/index.ts"
import type { OriginId } from "../base/index.ts"
import { VersionVector } from "./version-vector.ts"

function origin(name: string): OriginId {
  const node = parseNodeId(name)
  const parsed = node && originOf(node, "0123456789abcdef")
  if (parsed === undefined) throw new TypeError(name)
  return parsed
}

const origins = ["a", "B", "c", "c.1", "c-"].map(origin)
const anySeq = fc.oneof(fc.nat(4), fc.maxSafeNat())
const anyVector = fc
  .array(fc.tuple(fc.constantFrom(...origins), anySeq), { maxLength: 6 })
  .map((entries) => new VersionVector(entries))
const anyDot = fc.record({ origin: fc.constantFrom(...origins), seq: fc.nat(5) })

/** Equal as what they cover; an origin at 0 covers nothing. */
function same(left: VersionVector, right: VersionVector): boolean {
  return left.coversAll(right) && right.coversAll(left)
}

function merged(...vectors: VersionVector[]): VersionVector {
  const whole = new VersionVector()
  for (const vector of vectors) whole.raiseAll(vector)
  return whole
}

test("merging is commutative, associative and idempotent, and covers both", () => {
  fc.assert(
    fc.property(anyVector, anyVector, anyVector, (a, b, c) => {
      expect(same(merged(a, b), merged(b, a))).toBe(true)
      expect(same(merged(merged(a, b), c), merged(a, merged(b, c)))).toBe(true)
      expect(same(merged(a, a), a)).toBe(true)
      expect(merged(a, b).coversAll(a) && merged(a, b).coversAll(b)).toBe(true)
    }),
  )
})

test("coversAll is a partial order, and means: every dot of the other is covered", () => {
  fc.assert(
    fc.property(anyVector, anyVector, anyVector, (a, b, c) => {
      expect(a.coversAll(a)).toBe(true)
      expect(merged(a, b, c).coversAll(merged(b, c))).toBe(true)
      expect(a.coversAll(b) && b.coversAll(c) && !a.coversAll(c)).toBe(false)
      const everyDot = b.entries().every(([of, seq]) => seq === 0 || a.covers({ origin: of, seq }))
      expect(a.coversAll(b)).toBe(everyDot)
    }),
  )
})

test("a merge covers exactly what one of both covers", () => {
  fc.assert(
    fc.property(anyVector, anyVector, anyDot, (a, b, dot) => {
      expect(merged(a, b).covers(dot)).toBe(a.covers(dot) || b.covers(dot))
    }),
  )
})

test("raising never lowers, and refuses what is no seq", () => {
  const [first = origin("a")] = origins
  const vector = new VersionVector([[first, 5]])
  vector.raise(first, 3)
  expect(vector.get(first)).toBe(5)
  vector.raise(first, 6)
  expect(vector.get(first)).toBe(6)
  expect(() => vector.raise(first, -1)).toThrow(InvariantError)
  expect(() => vector.raise(first, 2 ** 53)).toThrow(InvariantError)
})

test("a clone is its own", () => {
  const [first = origin("a")] = origins
  const vector = new VersionVector([[first, 1]])
  vector.clone().raise(first, 9)
  expect(vector.get(first)).toBe(1)
})

test("the encoding goes there and back, and does not depend on the order of insertion", () => {
  fc.assert(
    fc.property(anyVector, (vector) => {
      const bytes = encoded(vector)
      const reader = new Reader(bytes)
      const decoded = VersionVector.decode(reader)
      reader.end()
      expect(same(decoded, vector)).toBe(true)
      expect(encoded(new VersionVector(vector.entries().reverse()))).toEqual(bytes)
    }),
  )
})

function encoded(vector: VersionVector): Uint8Array {
  const writer = new Writer()
  vector.encode(writer)
  return writer.finish()
}

function decodeCode(writer: Writer): string {
  try {
    VersionVector.decode(new Reader(writer.finish()))
  } catch (error) {
    if (error instanceof DecodeError) return error.code
    throw error
  }
  return "decoded"
}

test("a vector out of order, with a repeat or with a malformed origin is refused", () => {
  const a = origin("a")
  const b = origin("b")
  const vector = (...names: string[]) => {
    const writer = new Writer().varUint(names.length)
    for (const name of names) writer.string(name).varUint(1)
    return writer
  }
  expect(decodeCode(vector(a, b))).toBe("decoded")
  expect(decodeCode(vector(b, a))).toBe("bad-value")
  expect(decodeCode(vector(a, a))).toBe("bad-value")
  expect(decodeCode(vector("a@b"))).toBe("bad-value")
  expect(decodeCode(new Writer().varUint(2).string(a).varUint(1))).toBe("truncated")
})

test("a vector may have as many origins as the limit, and not one more", () => {
  const many = (count: number) =>
    new VersionVector(
      Array.from({ length: count }, (_, index) => [origin(`n${index}`), 1] as const),
    )
  const max = encoded(many(limits.originsMax))
  expect(VersionVector.decode(new Reader(max)).size).toBe(limits.originsMax)
  const over = () => VersionVector.decode(new Reader(encoded(many(limits.originsMax + 1))))
  expect(over).toThrow(expect.objectContaining({ code: "length-over-limit" }))
})
