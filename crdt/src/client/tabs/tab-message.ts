/**
 * What tabs of one app say to each other, on a channel whose name carries `tabsVersion`: other
 * versions are never heard. Messages are plain data that a host clones; here their shape is looked
 * at, and what is unknown or of another shape is nobody's message. What is in a status, an answer
 * or news is taken as it is: who can speak on the channel is of the same origin, and can read and
 * write all that is stored. Rule [H9].
 */
import type { DocumentId } from "../../base/index.ts"
import type { PresenceEntry } from "../../protocol/index.ts"
import type { DocumentStatus } from "../status.ts"

/** Part of the names of channel and lock; raised with each change of any message. */
export const tabsVersion = 3

/** One tab's life. */
export type TabId = string
/** One time that one tab leads. */
export type Reign = string

/**
 * `number`: the tab's own for it, 1, 2, 3 … over all documents. `generation`: that of the replica
 * in which it was typed, 0 if nobody said. [R7]
 */
export type TabUpdate = {
  readonly document: DocumentId
  readonly number: number
  readonly generation: number
  readonly bytes: Uint8Array
}

/** To a leader: `reign` says which; a `ping` without one asks who leads. */
export type MemberMessage = { readonly tab: TabId; readonly reign: Reign | undefined } & (
  | { readonly type: "ping" }
  /** The tab follows from now on. */
  | { readonly type: "join" }
  | { readonly type: "update"; readonly update: TabUpdate }
  /** Not known to be stored by the leaders before. */
  | { readonly type: "again"; readonly updates: readonly TabUpdate[] }
  | { readonly type: "open"; readonly document: DocumentId }
  | { readonly type: "close"; readonly document: DocumentId }
  | {
      readonly type: "say-presence"
      readonly document: DocumentId
      readonly client: number
      readonly state: Uint8Array
      /** Leaders before may have given it clocks up to this one. */
      readonly above: number
    }
  /** Answered, once what the tab typed before is handed in. */
  | { readonly type: "ask"; readonly ask: number; readonly question: unknown }
  | { readonly type: "bye" }
)

/** From the leader: `to` says for whom; undefined: for all. */
export type LeaderMessage = { readonly reign: Reign; readonly to: readonly TabId[] | undefined } & (
  | { readonly type: "lead" }
  /** There are tabs enough. */
  | { readonly type: "crowded" }
  /** The whole document, and who is there; what comes later follows. */
  | {
      readonly type: "opened"
      readonly document: DocumentId
      readonly state: Uint8Array | undefined
      readonly present: readonly PresenceEntry[]
    }
  | { readonly type: "refused"; readonly document: DocumentId; readonly message: string }
  | {
      readonly type: "updates"
      readonly document: DocumentId
      readonly updates: readonly Uint8Array[]
    }
  | {
      readonly type: "presence"
      readonly document: DocumentId
      readonly entries: readonly PresenceEntry[]
    }
  /** `seen`: the tab's updates that are counted in it. */
  | {
      readonly type: "status"
      readonly document: DocumentId
      readonly status: DocumentStatus
      readonly seen: number
    }
  /** The tab's updates up to `stored` are in storage, those up to `safe` outlive this leader. */
  | { readonly type: "kept"; readonly stored: number; readonly safe: number }
  | { readonly type: "answer"; readonly ask: number; readonly answer: unknown }
  | { readonly type: "news"; readonly news: unknown; readonly seen: number }
)

export type TabMessage = MemberMessage | LeaderMessage

type Kind = (value: unknown) => boolean

const text: Kind = (value) => typeof value === "string"
const count: Kind = (value) => Number.isSafeInteger(value) && Number(value) >= 0
const bytes: Kind = (value) => value instanceof Uint8Array
const record: Kind = (value) => typeof value === "object" && value !== null
const anything: Kind = () => true
const listOf = (kind: Kind): Kind => {
  return (value) => Array.isArray(value) && value.every(kind)
}
const maybe = (kind: Kind): Kind => {
  return (value) => value === undefined || kind(value)
}
const fieldsOf = (fields: Readonly<Record<string, Kind>>): Kind => {
  return (value) => {
    if (typeof value !== "object" || value === null) return false
    const found = new Map<string, unknown>(Object.entries(value))
    return Object.entries(fields).every(([name, kind]) => kind(found.get(name)))
  }
}

const update = fieldsOf({ document: text, number: count, generation: count, bytes })
const entries = listOf(fieldsOf({ client: count, clock: count, state: bytes }))
const fromMember = { tab: text, reign: maybe(text) }
const said = { ...fromMember, above: count }
const fromLeader = { reign: text, to: maybe(listOf(text)) }

const shapes: ReadonlyMap<unknown, Kind> = new Map<TabMessage["type"], Kind>([
  ["ping", fieldsOf(fromMember)],
  ["join", fieldsOf(fromMember)],
  ["update", fieldsOf({ ...fromMember, update })],
  ["again", fieldsOf({ ...fromMember, updates: listOf(update) })],
  ["open", fieldsOf({ ...fromMember, document: text })],
  ["close", fieldsOf({ ...fromMember, document: text })],
  ["say-presence", fieldsOf({ ...said, document: text, client: count, state: bytes })],
  ["ask", fieldsOf({ ...fromMember, ask: count, question: anything })],
  ["bye", fieldsOf(fromMember)],
  ["lead", fieldsOf(fromLeader)],
  ["crowded", fieldsOf(fromLeader)],
  ["opened", fieldsOf({ ...fromLeader, document: text, state: maybe(bytes), present: entries })],
  ["refused", fieldsOf({ ...fromLeader, document: text, message: text })],
  ["updates", fieldsOf({ ...fromLeader, document: text, updates: listOf(bytes) })],
  ["presence", fieldsOf({ ...fromLeader, document: text, entries })],
  ["status", fieldsOf({ ...fromLeader, document: text, status: record, seen: count })],
  ["kept", fieldsOf({ ...fromLeader, stored: count, safe: count })],
  ["answer", fieldsOf({ ...fromLeader, ask: count, answer: anything })],
  ["news", fieldsOf({ ...fromLeader, news: record, seen: count })],
])

/** Undefined if it is no message of this version. */
export function tabMessageOf(data: unknown): TabMessage | undefined {
  if (typeof data !== "object" || data === null || !("type" in data)) return undefined
  // cast: its fields were just looked at.
  return shapes.get(data.type)?.(data) === true ? (data as TabMessage) : undefined
}
