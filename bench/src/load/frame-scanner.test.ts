import { describe, expect, test } from "vitest"
import { FrameScanner } from "./frame-scanner.ts"
import { openingFrames, updateFrame, wires } from "./wire.ts"

const update = Uint8Array.from({ length: 200 }, (_, index) => index)

describe("the scanner of frames", () => {
  test("finds the update behind y-websocket's and Hocuspocus' heads", () => {
    for (const wire of [wires["y-websocket"], wires.relay, wires.hocuspocus]) {
      const frame = updateFrame(wire, "a room with ü", update)
      const scanner = new FrameScanner(wire)
      expect(scanner.scan(frame)).toBe("update")
      expect(frame.subarray(scanner.updateAt)).toEqual(update)
    }
  })

  test("tells the frames of y-websocket apart, byte by byte", () => {
    const scanner = new FrameScanner(wires["y-websocket"])
    expect(scanner.scan(Uint8Array.of(0, 0, 1, 0))).toBe("question")
    expect(scanner.scan(Uint8Array.of(0, 1, 2, 0, 0))).toBe("state")
    expect(scanner.updateAt).toBe(3)
    expect(scanner.scan(Uint8Array.of(1, 1, 0))).toBe("other")
  })

  test("tells the frames of Hocuspocus apart, byte by byte", () => {
    const scanner = new FrameScanner(wires.hocuspocus)
    const address = [1, 0x61]
    expect(scanner.scan(Uint8Array.of(...address, 0, 0, 1, 0))).toBe("question")
    expect(scanner.scan(Uint8Array.of(...address, 4, 0, 1, 0))).toBe("question")
    expect(scanner.scan(Uint8Array.of(...address, 0, 1, 2, 0, 0))).toBe("state")
    expect(scanner.scan(Uint8Array.of(...address, 2, 2, 0))).toBe("other")
    expect(scanner.scan(Uint8Array.of(...address, 2, 1, 0))).toBe("denied")
    expect(scanner.scan(Uint8Array.of(...address, 7, 0))).toBe("denied")
    expect(scanner.scan(Uint8Array.of(...address, 8, 1))).toBe("ack")
    expect(scanner.scan(Uint8Array.of(...address, 8, 0))).toBe("refusal")
  })

  test("a frame that ends too early is an error", () => {
    const scanner = new FrameScanner(wires.hocuspocus)
    expect(() => scanner.scan(Uint8Array.of(5, 0x61))).toThrow(RangeError)
  })

  test("opens as the stock clients do", () => {
    expect(openingFrames(wires.relay, "a")).toEqual([])
    expect(openingFrames(wires["y-websocket"], "a")).toEqual([Uint8Array.of(0, 0, 1, 0)])
    const [auth, join] = openingFrames(wires.hocuspocus, "a")
    expect(auth?.subarray(0, 4)).toEqual(Uint8Array.of(1, 0x61, 2, 0))
    expect(join).toEqual(Uint8Array.of(1, 0x61, 0, 0, 1, 0))
  })
})
