/**
 * Messages that come twice or the other way round. A WebSocket does neither, so only messages that
 * the protocol says may are touched: `updates` at any time [N8]; a native client's next update
 * numbers and presence once more at once [N5] [N9]; entries and wants at any time, vectors at once
 * [L4] [L6]; stock updates at any time, as updates are idempotent. Entries of different origins
 * may change places: no rule orders them.
 */
import { DecodeError } from "@causeway/crdt/base"
import type { Millis } from "@causeway/crdt/base"
import type { Endpoint } from "@causeway/crdt/node"
import { decodeLinkMessage, linkTags, nativeTags } from "@causeway/crdt/protocol"
import type { Fault } from "./fault.ts"

type Repeat = "never" | "at once" | "any time"

const LATER_MS_MAX = 5000

/** What may happen to a message at any time must not keep anybody from converging. */
const hindersNobody = (): boolean => false

const duplicate: Fault = {
  name: "duplicate",
  explain:
    "messages that may be repeated are: updates, entries, wants and stock updates, at once or" +
    " later; a client's update and presence, and vectors, at once",
  row: "duplicate",
  everyMs: [4000, 40_000],
  lastsMs: [500, 10_000],
  inject(world, random) {
    const probability = random.logBetween(0.03, 0.8)
    const end = world.network.meddle({
      repeatAfterMs(door, fromDialler, frame): Millis | undefined {
        const repeat = repeatOf(door, fromDialler, frame)
        if (repeat === "never" || !random.chance(probability)) return undefined
        const isLater = repeat === "any time" && random.chance(0.5)
        return isLater ? random.logBetween(1, LATER_MS_MAX) : 0
      },
    })
    return { hinders: hindersNobody, end }
  },
}

const reorder: Fault = {
  name: "reorder",
  explain: "entries of different origins that follow each other on a link change places",
  row: "reorder between links",
  everyMs: [4000, 40_000],
  lastsMs: [500, 15_000],
  inject(world, random) {
    const probability = random.between(0.2, 1)
    const end = world.network.meddle({
      overtakes: (door, frame, before) =>
        mayOvertake(door, frame, before) && random.chance(probability),
    })
    return { hinders: hindersNobody, end }
  },
}

export function repeatOf(door: Endpoint, fromDialler: boolean, frame: Uint8Array): Repeat {
  const [tag, kind] = frame
  switch (door.type) {
    case "native":
      if (!fromDialler) return tag === nativeTags.updates ? "any time" : "never"
      return tag === nativeTags.update || tag === nativeTags.presence ? "at once" : "never"
    case "y-websocket":
      return tag === 0 && kind === 2 ? "any time" : "never"
    case "link-accepted":
    case "link-dialled":
      if (tag === linkTags.entries || tag === linkTags.want) return "any time"
      return tag === linkTags.vector ? "at once" : "never"
  }
}

export function mayOvertake(door: Endpoint, frame: Uint8Array, before: Uint8Array): boolean {
  if (door.type !== "link-accepted" && door.type !== "link-dialled") return false
  if (frame[0] !== linkTags.entries || before[0] !== linkTags.entries) return false
  const [one, other] = [originOf(frame), originOf(before)]
  return one !== undefined && other !== undefined && one !== other
}

/** Undefined for what does not decode: hostile peers send entries too. */
function originOf(frame: Uint8Array): string | undefined {
  try {
    const message = decodeLinkMessage(frame)
    return message.type === "entries" ? message.run.origin : undefined
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}

export const messageFaults: readonly Fault[] = [duplicate, reorder]
