/**
 * The codec of stock y-websocket clients (1.x to 4.x): one document per socket, one message per
 * frame, never several (clients up to 3.x read only the first). Source: y-protocols PROTOCOL.md
 * and the published clients. Rules [Y1]–[Y8].
 */
import { DecodeError, limits, Reader, Writer } from "../../base/index.ts"
import { decodePresence, encodePresence } from "../presence.ts"
import type { PresenceEntry } from "../presence.ts"

const messageTypes = { sync: 0, awareness: 1, auth: 2, queryAwareness: 3 } as const
const syncTypes = { step1: 0, step2: 1, update: 2 } as const

export type YMessage =
  /** What the sender has (a state vector); asks for the rest. */
  | { readonly type: "step1"; readonly summary: Uint8Array }
  /** The answer to step 1, and a live update. Both are views on the frame. */
  | { readonly type: "step2"; readonly update: Uint8Array }
  | { readonly type: "update"; readonly update: Uint8Array }
  | { readonly type: "awareness"; readonly entries: readonly PresenceEntry[] }
  | { readonly type: "query-awareness" }

/** Decodes one frame to its last byte. @throws DecodeError */
export function decodeYMessage(frame: Uint8Array): YMessage {
  const reader = new Reader(frame)
  const message = decodeYBody(reader)
  reader.end()
  return message
}

function decodeYBody(reader: Reader): YMessage {
  const type = reader.varUint()
  if (type === messageTypes.sync) return decodeSync(reader)
  if (type === messageTypes.queryAwareness) return { type: "query-awareness" }
  if (type === messageTypes.awareness) {
    const length = reader.count(limits.frameBytesMax)
    const end = reader.offset + length
    const entries = decodePresence(reader)
    if (reader.offset !== end) throw new DecodeError("bad-value", reader.offset, "length")
    return { type: "awareness", entries }
  }
  throw new DecodeError("unknown-message", 0, `y-websocket type ${type}`)
}

function decodeSync(reader: Reader): YMessage {
  const type = reader.varUint()
  if (type === syncTypes.step1) {
    return { type: "step1", summary: reader.bytes(limits.summaryBytesMax).slice() }
  }
  if (type === syncTypes.step2) return { type: "step2", update: reader.bytes(limits.frameBytesMax) }
  if (type === syncTypes.update) {
    return { type: "update", update: reader.bytes(limits.frameBytesMax) }
  }
  throw new DecodeError("unknown-message", reader.offset, `sync type ${type}`)
}

function encodeSync(type: number, body: Uint8Array): Uint8Array {
  return new Writer(body.length + 10).u8(messageTypes.sync).u8(type).bytes(body).finish()
}

export function encodeYStep1(summary: Uint8Array): Uint8Array {
  return encodeSync(syncTypes.step1, summary)
}

export function encodeYStep2(update: Uint8Array): Uint8Array {
  return encodeSync(syncTypes.step2, update)
}

export function encodeYUpdate(update: Uint8Array): Uint8Array {
  return encodeSync(syncTypes.update, update)
}

export function encodeYAwareness(entries: readonly PresenceEntry[]): Uint8Array {
  const body = new Writer()
  encodePresence(body, entries)
  return new Writer().u8(messageTypes.awareness).bytes(body.finish()).finish()
}

/** An awareness message about nobody: data that keeps a stock client's watchdog quiet. */
export const yHeartbeatFrame: Uint8Array = encodeYAwareness([])
