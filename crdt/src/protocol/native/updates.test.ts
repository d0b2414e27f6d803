/** A catch-up that does not fit one frame is split, and nothing is lost or claimed too early. */
import fc from "fast-check"
import { expect, test } from "vitest"
import { assert } from "../../base/index.ts"
import { VersionVector } from "../../clock/index.ts"
import { originId } from "../test/samples.ts"
import { decodeNodeMessage, encodeUpdates, encodeUpdatesFrames } from "./index.ts"
import { updatesPerNodeFrameMax } from "./index.ts"
import type { Updates } from "./index.ts"

const frameBytes = 1024 * 1024
const resume = new VersionVector([[originId("a@0000000000000001"), 7]])

function messageOf(updates: readonly Uint8Array[], complete = true): Updates {
  return { type: "updates", handle: 3, complete, resume, updates }
}

function decoded(frame: Uint8Array): Updates {
  const message = decodeNodeMessage(frame)
  assert(message.type === "updates", "not updates")
  return message
}

/** Checks every rule of a split and gives the number of updates in each part. */
function partsOf(message: Updates): number[] {
  const parts = encodeUpdatesFrames(message).map(decoded)
  const last = parts.pop()
  assert(last !== undefined, "no frame")
  for (const part of parts) {
    expect(part).toMatchObject({ handle: message.handle, complete: false })
    expect(part.resume.size).toBe(0)
    expect(part.updates.length).toBeGreaterThan(0)
  }
  expect(last).toMatchObject({ handle: message.handle, complete: message.complete })
  expect(last.resume.entries()).toEqual(message.resume.entries())
  const all = [...parts, last]
  const updates = all.flatMap((part) => part.updates)
  expect(updates).toHaveLength(message.updates.length)
  expect(Buffer.concat(updates).equals(Buffer.concat(message.updates))).toBe(true)
  for (const part of all) {
    const bytes = part.updates.reduce((sum, update) => sum + update.length, 0)
    expect(bytes <= frameBytes || part.updates.length === 1).toBe(true)
  }
  return all.map((part) => part.updates.length)
}

test("[N4] what fits one frame is one frame, the same as ever", () => {
  for (const updates of [[], [Uint8Array.of(1)], [Uint8Array.of(1), new Uint8Array()]]) {
    for (const complete of [true, false]) {
      const message = messageOf(updates, complete)
      expect(encodeUpdatesFrames(message)).toEqual([encodeUpdates(message)])
    }
  }
})

test("[N4] [F3] more updates than a frame may hold are split", () => {
  const updates = Array.from({ length: updatesPerNodeFrameMax }, () => Uint8Array.of(1))
  expect(partsOf(messageOf(updates))).toEqual([updatesPerNodeFrameMax])
  expect(partsOf(messageOf([...updates, Uint8Array.of(2)]))).toEqual([updatesPerNodeFrameMax, 1])
})

test("[N4] [F7] updates are split by bytes, and one that is larger goes alone", () => {
  const half = new Uint8Array(frameBytes / 2)
  const large = new Uint8Array(frameBytes + 1)
  const one = Uint8Array.of(1)
  expect(partsOf(messageOf([half, half]))).toEqual([2])
  expect(partsOf(messageOf([half, half, one]))).toEqual([2, 1])
  expect(partsOf(messageOf([large]))).toEqual([1])
  expect(partsOf(messageOf([one, large, one, one]))).toEqual([1, 1, 2])
})

test("[N4] [C5] whatever is split, only the last part states a resume point", () => {
  const kiB = 1024
  const sizes = fc.array(fc.nat(700), { maxLength: 12 })
  fc.assert(
    fc.property(sizes, fc.boolean(), (lengths, complete) => {
      partsOf(
        messageOf(
          lengths.map((length, at) => new Uint8Array(length * kiB).fill(at)),
          complete,
        ),
      )
    }),
    { numRuns: 10 },
  )
})
