/**
 * What a stock client says, in the three dialects the servers speak: y-websocket, Hocuspocus (the
 * same sub-protocol behind an address, plus authentication and acks), and the bare relay, which
 * understands nothing and is therefore only sent updates, framed like y-websocket's.
 */
import { varBytes, varString } from "./varint.ts"

export type WireName = "relay" | "y-websocket" | "hocuspocus"

export type Wire = {
  readonly name: WireName
  /** Whether frames begin with the document's address. */
  readonly addressed: boolean
  /** Whether the server answers a join; the relay answers nothing. */
  readonly joins: boolean
  /** Whether each update is acked by a frame of its own. */
  readonly acks: boolean
}

/** Sync message: what I have (a state vector). */
const syncStep1 = 0
/** Sync message: what you lack. */
const syncStep2 = 1
const syncUpdate = 2
const messageSync = 0
const messageAuth = 2

const emptyStateVector = Uint8Array.of(0)
const emptyUpdate = Uint8Array.of(0, 0)

export const wires: Readonly<Record<WireName, Wire>> = {
  relay: { name: "relay", addressed: false, joins: false, acks: false },
  "y-websocket": { name: "y-websocket", addressed: false, joins: true, acks: false },
  hocuspocus: { name: "hocuspocus", addressed: true, joins: true, acks: true },
}

function syncFrame(wire: Wire, room: string, step: number, body: Uint8Array): Uint8Array {
  const address = wire.addressed ? varString(room) : []
  return Uint8Array.from([...address, messageSync, step, ...varBytes(body)])
}

/** The frames a client sends as soon as its socket is open. */
export function openingFrames(wire: Wire, room: string): Uint8Array[] {
  if (!wire.joins) return []
  const join = joinFrame(wire, room)
  if (!wire.addressed) return [join]
  const token = [...varString("token"), ...varString("4.7.0")]
  return [Uint8Array.from([...varString(room), messageAuth, 0, ...token]), join]
}

/** Asks for everything the document has. */
export function joinFrame(wire: Wire, room: string): Uint8Array {
  return syncFrame(wire, room, syncStep1, emptyStateVector)
}

/** Answers the server's own question: a new client has nothing the server lacks. */
export function emptyAnswerFrame(wire: Wire, room: string): Uint8Array {
  return syncFrame(wire, room, syncStep2, emptyUpdate)
}

/** One update of the recording. */
export function updateFrame(wire: Wire, room: string, update: Uint8Array): Uint8Array {
  return syncFrame(wire, room, syncUpdate, update)
}
