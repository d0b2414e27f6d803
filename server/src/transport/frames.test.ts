import { Sender } from "ws"
import { expect, test } from "vitest"
import { frameAll } from "./frames.ts"

/** What ws itself would write. */
function framedByWs(payload: Buffer): Buffer {
  const options = { fin: true, opcode: 2, mask: false, readOnly: true, rsv1: false }
  return Buffer.concat(Sender.frame(payload, options).map((part) => Buffer.from(part)))
}

test.each([0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000])("a frame of %i bytes", (length) => {
  const payload = Buffer.alloc(length, length % 251)
  expect(frameAll([payload]).equals(framedByWs(payload))).toBe(true)
})

test("several frames are whole frames, one after the other", () => {
  const payloads = [0, 5, 126, 70_000, 1].map((length) => Buffer.alloc(length, 7))
  expect(frameAll(payloads).equals(Buffer.concat(payloads.map(framedByWs)))).toBe(true)
  expect(frameAll([]).length).toBe(0)
})
