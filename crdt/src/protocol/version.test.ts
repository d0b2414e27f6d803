/** Version ranges: what two sides agree on, and what a range on the wire may be. */
import fc from "fast-check"
import { expect, test } from "vitest"
import { DecodeError, Reader, Writer } from "../base/index.ts"
import {
  agreedVersion,
  closeCodes,
  decodeClientMessage,
  decodeLinkMessage,
  decodeNodeMessage,
  decodeVersions,
  encodeVersions,
  linkTags,
  linkVersions,
  mayRetry,
  nativeTags,
  nativeVersions,
} from "./index.ts"
import type { VersionRange } from "./index.ts"

const ranges: fc.Arbitrary<VersionRange> = fc
  .tuple(fc.integer({ min: 1, max: 12 }), fc.nat(6))
  .map(([min, more]) => ({ min, max: min + more }))

function decoded(min: number, max: number): VersionRange {
  return decodeVersions(new Reader(new Writer().varUint(min).varUint(max).finish()))
}

test("[F6] two ranges agree on the highest version that both hold, and on none otherwise", () => {
  fc.assert(
    fc.property(ranges, ranges, (ours, theirs) => {
      let highest: number | undefined
      for (let version = 1; version <= 20; version++) {
        const shared = [ours, theirs].every(({ min, max }) => min <= version && version <= max)
        if (shared) highest = version
      }
      expect(agreedVersion(ours, theirs)).toBe(highest)
      expect(agreedVersion(theirs, ours)).toBe(highest)
    }),
  )
})

test("[F6] neighbouring ranges share nothing, touching ones share one version", () => {
  expect(agreedVersion({ min: 1, max: 2 }, { min: 3, max: 4 })).toBeUndefined()
  expect(agreedVersion({ min: 3, max: 4 }, { min: 1, max: 2 })).toBeUndefined()
  expect(agreedVersion({ min: 1, max: 3 }, { min: 3, max: 4 })).toBe(3)
  expect(agreedVersion({ min: 1, max: 9 }, { min: 2, max: 4 })).toBe(4)
})

test("[F6] this build's ranges are sound and it agrees with itself", () => {
  for (const range of [nativeVersions, linkVersions]) {
    expect(range.min).toBeGreaterThanOrEqual(1)
    expect(range.max).toBeGreaterThanOrEqual(range.min)
    expect(agreedVersion(range, range)).toBe(range.max)
    expect(agreedVersion(range, { min: range.max + 1, max: range.max + 9 })).toBeUndefined()
  }
})

test("[F6] a client without a common version stops, a node tries again after an upgrade", () => {
  expect(mayRetry(closeCodes["version-mismatch"].code)).toBe(false)
  expect(mayRetry(closeCodes["link-version-mismatch"].code)).toBe(true)
})

test("[F6] a range survives its codec, whatever versions a later build knows", () => {
  const far = Number.MAX_SAFE_INTEGER
  for (const range of [nativeVersions, { min: 1, max: far }, { min: far, max: far }]) {
    const writer = new Writer()
    encodeVersions(writer, range)
    expect(decodeVersions(new Reader(writer.finish()))).toEqual(range)
  }
})

test.each([
  [0, 0],
  [0, 1],
  [2, 1],
  [Number.MAX_SAFE_INTEGER, 1],
])("[F6] %i to %i is no range", (min, max) => {
  expect(() => decoded(min, max)).toThrow(DecodeError)
})

test("[F6] [F4] a message of a version that was not agreed on is malformed, not skipped", () => {
  const later = (tags: Readonly<Record<string, number>>): Uint8Array =>
    Uint8Array.of(Math.max(...Object.values(tags)) + 1, 1, 2, 3)
  expect(() => decodeClientMessage(later(nativeTags))).toThrow(DecodeError)
  expect(() => decodeNodeMessage(later(nativeTags))).toThrow(DecodeError)
  expect(() => decodeLinkMessage(later(linkTags))).toThrow(DecodeError)
})
