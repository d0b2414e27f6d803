/**
 * The y-websocket codec against the published packages: frames that `y-protocols` writes and that
 * a real `y-websocket` provider sends are ours byte for byte, and both read what we write. The
 * golden file keeps those frames, so that an upgrade which changes them is noticed.
 */
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import * as decoding from "lib0/decoding"
import * as encoding from "lib0/encoding"
import { describe, expect, onTestFinished, test } from "vitest"
import { WebSocketServer } from "ws"
import {
  Awareness,
  applyAwarenessUpdate,
  encodeAwarenessUpdate,
  removeAwarenessStates,
} from "y-protocols/awareness"
import * as sync from "y-protocols/sync"
import { WebsocketProvider } from "y-websocket"
import { Doc, encodeStateAsUpdate, encodeStateVector } from "yjs"
import { bytesToHex, utf8Encode } from "../../base/index.ts"
import { presenceGone } from "../presence.ts"
import { encodeYMessage, yQueryAwarenessFrame } from "../test/codecs.ts"
import { describeMessage } from "../test/describe.ts"
import { goldenFileOf } from "../test/golden.ts"
import {
  decodeYMessage,
  encodeYAwareness,
  encodeYStep1,
  encodeYStep2,
  encodeYUpdate,
  yHeartbeatFrame,
} from "./index.ts"

/** A document with an insertion, a deletion and a map entry, the same bytes in every run. */
function sampleDoc(): { doc: Doc; updates: Uint8Array[] } {
  const doc = new Doc()
  doc.clientID = 7
  const updates: Uint8Array[] = []
  doc.on("update", (update: Uint8Array) => updates.push(update))
  const body = doc.getText("body")
  body.insert(0, "hi €😀")
  body.delete(0, 1)
  doc.getMap("facts").set("n", 1)
  return { doc, updates }
}

function written(write: (encoder: encoding.Encoder) => void): Uint8Array {
  const encoder = encoding.createEncoder()
  write(encoder)
  return encoding.toUint8Array(encoder)
}

/** Puts sync frames together as y-websocket does: its message type, then y-protocols' bytes. */
function syncFrame(write: (encoder: encoding.Encoder) => void): Uint8Array {
  return written((encoder) => {
    encoding.writeVarUint(encoder, 0)
    write(encoder)
  })
}

function awarenessFrame(update: Uint8Array): Uint8Array {
  return written((encoder) => {
    encoding.writeVarUint(encoder, 1)
    encoding.writeVarUint8Array(encoder, update)
  })
}

function awarenessFrames(): { present: Uint8Array; gone: Uint8Array; nobody: Uint8Array } {
  const doc = new Doc()
  doc.clientID = 4_294_967_295
  const awareness = new Awareness(doc)
  awareness.setLocalState({ user: "Zoë" })
  const nobody = awarenessFrame(encodeAwarenessUpdate(awareness, []))
  const present = awarenessFrame(encodeAwarenessUpdate(awareness, [doc.clientID]))
  removeAwarenessStates(awareness, [doc.clientID], "test")
  const gone = awarenessFrame(encodeAwarenessUpdate(awareness, [doc.clientID]))
  awareness.destroy()
  return { present, gone, nobody }
}

/** What the published packages write for each message, by name. */
function captured(): ReadonlyMap<string, Uint8Array> {
  const { doc, updates } = sampleDoc()
  const empty = new Doc()
  const { present, gone, nobody } = awarenessFrames()
  return new Map([
    ["step 1, nothing held", syncFrame((encoder) => sync.writeSyncStep1(encoder, empty))],
    ["step 1", syncFrame((encoder) => sync.writeSyncStep1(encoder, doc))],
    ["step 2, all", syncFrame((encoder) => sync.writeSyncStep2(encoder, doc))],
    [
      "step 2, nothing lacking",
      syncFrame((encoder) => sync.writeSyncStep2(encoder, empty, encodeStateVector(doc))),
    ],
    ...updates.map((update, index): [string, Uint8Array] => [
      `update ${index + 1}`,
      syncFrame((encoder) => sync.writeUpdate(encoder, update)),
    ]),
    ["awareness, present", present],
    ["awareness, gone", gone],
    ["awareness, nobody", nobody],
    ["query awareness", written((encoder) => encoding.writeVarUint(encoder, 3))],
  ])
}

const golden = goldenFileOf("y-websocket", 1)?.frames ?? []

if (process.env["CAUSEWAY_GOLDEN"] === "write") {
  const frames = [...captured()].map(([name, frame]) => {
    const message = describeMessage(decodeYMessage(frame))
    return { name, from: "y-websocket", message, hex: bytesToHex(frame) }
  })
  const file = new URL("../golden/y-websocket-1.json", import.meta.url)
  const text = JSON.stringify({ protocol: "y-websocket", version: 1, frames }, undefined, 2)
  writeFileSync(file, `${text}\n`)
}

describe("frames of the published packages", () => {
  test("[Y2] [F5] are the golden frames", () => {
    const now = [...captured()].map(([name, frame]) => [
      `y-websocket 1: ${name}`,
      bytesToHex(frame),
    ])
    expect(now).toEqual(golden.map(({ name, frame }) => [name, bytesToHex(frame)]))
  })

  test.each(golden)("[Y2] $name is ours byte for byte", ({ frame }) => {
    expect(bytesToHex(encodeYMessage(decodeYMessage(frame)))).toBe(bytesToHex(frame))
  })

  test("[Y3] carry the document's bytes as they are", () => {
    const { doc, updates } = sampleDoc()
    const frames = captured()
    const read = (name: string): object => decodeYMessage(frames.get(name) ?? new Uint8Array())
    expect(read("step 1")).toEqual({ type: "step1", summary: encodeStateVector(doc) })
    expect(read("step 2, all")).toEqual({ type: "step2", update: encodeStateAsUpdate(doc) })
    expect(read("update 1")).toEqual({ type: "update", update: updates[0] })
    expect(read("query awareness")).toEqual({ type: "query-awareness" })
  })

  test("[Y5] carry awareness states as they are, `null` for one that is gone", () => {
    const frames = captured()
    const client = 4_294_967_295
    const state = utf8Encode('{"user":"Zoë"}')
    expect(decodeYMessage(frames.get("awareness, present") ?? new Uint8Array())).toEqual({
      type: "awareness",
      entries: [{ client, clock: 1, state }],
    })
    expect(decodeYMessage(frames.get("awareness, gone") ?? new Uint8Array())).toEqual({
      type: "awareness",
      entries: [{ client, clock: 2, state: presenceGone }],
    })
    expect(frames.get("awareness, nobody")).toEqual(yHeartbeatFrame)
    expect(frames.get("query awareness")).toEqual(yQueryAwarenessFrame)
  })
})

describe("our frames, read by y-protocols", () => {
  /** Reads one frame into `doc`; gives the type of the sync message and the whole reply frame. */
  function readInto(doc: Doc, frame: Uint8Array): { type: number; reply: Uint8Array } {
    const decoder = decoding.createDecoder(frame)
    expect(decoding.readVarUint(decoder)).toBe(0)
    let type = -1
    const reply = syncFrame((encoder) => {
      type = sync.readSyncMessage(decoder, encoder, doc, "test", (error) => {
        throw error
      })
    })
    expect(decoding.hasContent(decoder)).toBe(false)
    return { type, reply }
  }

  test("[Y3] a step 1 is answered with a step 2 that we read", () => {
    const { doc } = sampleDoc()
    const { type, reply } = readInto(doc, encodeYStep1(encodeStateVector(new Doc())))
    expect(type).toBe(sync.messageYjsSyncStep1)
    expect(decodeYMessage(reply)).toEqual({ type: "step2", update: encodeStateAsUpdate(doc) })
  })

  test("[Y3] a step 2 and updates bring the document", () => {
    const { doc, updates } = sampleDoc()
    const byStep = new Doc()
    const { type } = readInto(byStep, encodeYStep2(encodeStateAsUpdate(doc)))
    expect(type).toBe(sync.messageYjsSyncStep2)
    const byUpdates = new Doc()
    for (const update of updates) {
      expect(readInto(byUpdates, encodeYUpdate(update)).type).toBe(sync.messageYjsUpdate)
    }
    for (const copy of [byStep, byUpdates]) {
      expect(copy.getText("body").toString()).toBe("i €😀")
      expect(copy.getMap("facts").toJSON()).toEqual({ n: 1 })
    }
  })

  test("[Y5] awareness arrives, and the heartbeat changes nothing", () => {
    const awareness = new Awareness(new Doc())
    onTestFinished(() => awareness.destroy())
    const changes: unknown[] = []
    awareness.on("update", (change: unknown) => changes.push(change))
    const apply = (frame: Uint8Array): void => {
      const decoder = decoding.createDecoder(frame)
      expect(decoding.readVarUint(decoder)).toBe(1)
      applyAwarenessUpdate(awareness, decoding.readVarUint8Array(decoder), "test")
      expect(decoding.hasContent(decoder)).toBe(false)
    }
    apply(yHeartbeatFrame)
    expect(changes).toEqual([])
    apply(encodeYAwareness([{ client: 5, clock: 1, state: utf8Encode('{"at":"€"}') }]))
    expect(awareness.getStates().get(5)).toEqual({ at: "€" })
    apply(encodeYAwareness([{ client: 5, clock: 1, state: presenceGone }]))
    expect(awareness.getStates().has(5)).toBe(false)
  })
})

test("[Y2] [Y3] a y-websocket provider and our codec sync a document both ways", async () => {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 })
  onTestFinished(() => {
    server.close()
  })
  await once(server, "listening")
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("no port")

  const { doc } = sampleDoc()
  const url = `ws://127.0.0.1:${address.port}/yjs`
  const provider = new WebsocketProvider(url, "a room", doc, { disableBc: true })
  onTestFinished(() => provider.destroy())
  const synced = new Promise((resolve) => provider.on("sync", resolve))
  const [socket] = await once(server, "connection", { signal: AbortSignal.timeout(5000) })

  const arrived: Uint8Array[] = []
  const full = Promise.withResolvers<void>()
  socket.on("message", (data: Buffer) => {
    const message = decodeYMessage(new Uint8Array(data))
    arrived.push(encodeYMessage(message))
    expect(bytesToHex(arrived.at(-1) ?? new Uint8Array())).toBe(bytesToHex(data))
    if (message.type === "awareness") socket.send(encodeYStep1(Uint8Array.of(0)))
    if (message.type === "step2") {
      const other = new Doc()
      other.clientID = 9
      other.getText("more").insert(0, "from the node")
      socket.send(encodeYStep2(encodeStateAsUpdate(other)))
      socket.send(yHeartbeatFrame)
    }
    if (message.type === "update") full.resolve()
  })
  await synced
  expect(doc.getText("more").toString()).toBe("from the node")
  doc.getText("body").insert(0, "O")
  await full.promise

  const types = arrived.map((frame) => decodeYMessage(frame).type)
  expect(types).toEqual(["step1", "awareness", "step2", "update"])
}, 10_000)
