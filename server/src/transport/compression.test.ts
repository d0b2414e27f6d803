import { zstdCompressSync } from "node:zlib"
import { limits } from "@causeway/crdt/base"
import fc from "fast-check"
import { afterEach, expect, test } from "vitest"
import { WebSocket } from "ws"
import { Cleanup } from "../test/cleanup.ts"
import { TransportStage } from "../test/transport-stage.ts"
import { soon, until } from "../test/wait.ts"
import { linkProtocols, pack, unpack } from "./compression.ts"

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

const packedBy = (byte: number, rest: Uint8Array) => Buffer.concat([Buffer.of(byte), rest])

/** Alike, whichever kind of array they are. */
const bytesOf = (bytes: Uint8Array | string) => Buffer.from(bytes)

test("[L10] any frame comes out as it went in; repetition makes it smaller", () => {
  const frames = fc.oneof(
    fc.uint8Array({ maxLength: 3000 }),
    fc.string({ minLength: 1, maxLength: 20 }).map((text) => Buffer.from(text.repeat(400))),
  )
  fc.assert(
    fc.property(frames, (frame) => {
      const message = pack(frame)
      expect(message.length).toBeLessThanOrEqual(frame.length + 1)
      expect(bytesOf(unpack(message))).toEqual(bytesOf(frame))
    }),
  )
  expect(pack(Buffer.alloc(100_000, 7)).length).toBeLessThan(100)
})

test("[L10] bytes that are no packed message, and those too large unpacked, are named", () => {
  expect(unpack(Buffer.of())).toBe("malformed")
  expect(unpack(Buffer.of(2, 1, 2))).toBe("malformed")
  expect(unpack(Buffer.of(1, 1, 2, 3))).toBe("malformed")
  const sound = zstdCompressSync(Buffer.alloc(5000, 3))
  expect(unpack(packedBy(1, sound.subarray(0, sound.length - 2)))).toBe("malformed")
  const bomb = zstdCompressSync(Buffer.alloc(limits.frameBytesMax + 1))
  expect(bomb.length).toBeLessThan(10_000)
  const unpacked = unpack(packedBy(1, bomb))
  // Not the bytes: to show them would take minutes.
  expect(typeof unpacked === "string" ? unpacked : unpacked.length).toBe("too-large")
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const frame = unpack(packedBy(1, bytes))
      expect(typeof frame === "string" || frame.length <= limits.frameBytesMax).toBe(true)
    }),
  )
})

/** A peer at the node's door that offers these subprotocols. */
async function dial(stage: TransportStage, offered: readonly string[], path = "/link") {
  const socket = new WebSocket(`ws://127.0.0.1:${stage.port}${path}`, [...offered])
  cleanup.add(() => socket.terminate())
  await soon("it opens", new Promise((resolve) => socket.once("open", resolve)))
  const messages: Buffer[] = []
  socket.on("message", (data) => {
    if (Buffer.isBuffer(data)) messages.push(data)
  })
  return { socket, messages }
}

test("[L10] both ends agree on zstd if both have it, else frames are plain", async () => {
  const stage = await new TransportStage(cleanup).start()
  const frame = Buffer.alloc(5000, 9)
  const peers = [await dial(stage, linkProtocols), await dial(stage, linkProtocols.slice(1))]
  peers.push(await dial(stage, []))
  stage.transport.send([1, 2, 3], [frame])
  stage.transport.flush()
  await until("all got it", () => peers.every(({ messages }) => messages.length === 1))
  expect(peers.map(({ socket }) => socket.protocol)).toEqual([...linkProtocols, ""])
  const [packed, ...plain] = peers.map(({ messages }) => messages[0] ?? Buffer.of())
  expect(plain).toEqual([frame, frame])
  expect(packed?.length).toBeLessThan(100)
  expect(bytesOf(unpack(packed ?? Buffer.of()))).toEqual(bytesOf(frame))
})

test("[L10] [F4] what can't be unpacked is a bad frame of that link", async () => {
  const stage = await new TransportStage(cleanup).start()
  const { socket } = await dial(stage, linkProtocols)
  socket.send(Buffer.of(9, 9))
  socket.send(packedBy(1, zstdCompressSync(Buffer.alloc(limits.frameBytesMax + 1))))
  socket.send(pack(Buffer.of(5)))
  await until("all have come", () => stage.inputs.length === 4)
  expect(stage.inputs.slice(1)).toEqual([
    { type: "bad-frame", connection: 1, why: "malformed" },
    { type: "bad-frame", connection: 1, why: "too-large" },
    { type: "frame", connection: 1, frame: Buffer.of(5) },
  ])
})

test("clients that offer a protocol of their own get it, unpacked", async () => {
  const stage = await new TransportStage(cleanup).start()
  const { socket, messages } = await dial(stage, ["mine", linkProtocols[0]], "/yjs/room")
  expect(socket.protocol).toBe("mine")
  const frame = Buffer.alloc(5000, 1)
  stage.transport.send([1], [frame])
  stage.transport.flush()
  await until("it came", () => messages.length === 1)
  expect(messages[0]).toEqual(frame)
})
