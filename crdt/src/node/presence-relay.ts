/**
 * Presence on its way: from sessions and peers into a document's table, and what is news from
 * there to everybody else, in each one's protocol. Rules [N9] [Y5] [L7]; presence-watch.ts says
 * what happens to those who are silent.
 */
import type { ConnectionId, DocumentId, Millis, NodeId } from "../base/index.ts"
import { isPresenceGone } from "../protocol/index.ts"
import type { PresenceEntry } from "../protocol/index.ts"
import { encodeYAwareness } from "../protocol/stock/index.ts"
import type { ClientConnection } from "./connections.ts"
import type { Link } from "./link.ts"
import { linkPresence } from "./links.ts"
import { nativePresence } from "./native-sessions.ts"
import type { OpenDocument } from "./open-document.ts"
import { presenceFrames } from "./presence.ts"
import type { PresenceOwner } from "./presence.ts"
import { PresenceWatch } from "./presence-watch.ts"
import type { Turn } from "./turn.ts"

/** Who is connected, and what is open. */
type Surroundings = {
  clientOf(connection: ConnectionId): ClientConnection | undefined
  linkTo(node: NodeId): Link | undefined
  links(): Iterable<Link>
  documents(): Iterable<OpenDocument>
  /** Wakes who watches it; `author`: but not the client that made the news. */
  wake(turn: Turn, document: DocumentId, author: ConnectionId | undefined): void
}

export class PresenceRelay {
  readonly watch: PresenceWatch
  readonly #world: Surroundings

  constructor(world: Surroundings) {
    this.#world = world
    this.watch = new PresenceWatch({
      heardMs: (owner) => this.#heardMs(owner),
      documentsOf: (owner) => this.#documentsOf(owner),
      show: (turn, document, gone, owner) => this.broadcast(turn, document, gone, owner),
      tell: (turn, document, gone, owner) => this.#tell(turn, document, gone, owner),
    })
  }

  /** Takes presence in and passes on what is news. Gives tombstones for a sender that is behind. */
  share(
    turn: Turn,
    document: OpenDocument,
    entries: readonly PresenceEntry[],
    owner: PresenceOwner,
  ): readonly PresenceEntry[] {
    const change = document.presence.apply(entries, owner, turn.nowMs)
    const { news, stale, dropped, contested } = change
    if (dropped !== undefined) {
      turn.emit({ type: "presence-dropped", document: document.id, why: dropped })
    }
    for (const { owner: present, gone } of contested) {
      this.#tell(turn, document, [gone], present)
    }
    if (news.length > 0) this.watch.shows(turn.nowMs, owner)
    this.broadcast(turn, document, news, owner)
    return stale
  }

  /** When it was heard last, of who has to speak often. Stock clients have rules of their own. */
  #heardMs(owner: PresenceOwner): Millis | undefined {
    if (typeof owner === "string") return this.#world.linkTo(owner)?.heardMs
    const client = this.#world.clientOf(owner)
    return client?.kind === "native" && client.version >= 3 ? client.heardMs : undefined
  }

  *#documentsOf(owner: PresenceOwner): Iterable<OpenDocument> {
    if (typeof owner === "string") return yield* this.#world.documents()
    const client = this.#world.clientOf(owner)
    if (client?.kind !== "native") return
    for (const { document } of client.channels.values()) yield document
  }

  #tell(
    turn: Turn,
    document: OpenDocument,
    entries: readonly PresenceEntry[],
    owner: PresenceOwner,
  ): void {
    if (typeof owner === "string") {
      const link = this.#world.linkTo(owner)
      if (link !== undefined) turn.multicast([link.connection], linkPresence(document.id, entries))
    } else if (this.#world.clientOf(owner)?.kind === "native") {
      turn.multicast([owner], nativePresence(document, entries))
    } else turn.multicast([owner], presenceFrames(entries, encodeYAwareness))
  }

  /** Stock clients get their own back: it keeps their watchdogs quiet. Rules [Y5] [L7]. */
  broadcast(
    turn: Turn,
    document: OpenDocument,
    entries: readonly PresenceEntry[],
    owner: PresenceOwner,
  ): void {
    if (entries.length === 0) return
    // Who watches knows of nobody who could be gone.
    if (entries.some(({ state }) => !isPresenceGone(state))) {
      this.#world.wake(turn, document.id, typeof owner === "number" ? owner : undefined)
    }
    const native: ConnectionId[] = []
    const stock: ConnectionId[] = []
    for (const session of document.sessions) {
      if (session.state.state === "lagging") continue
      if (session.protocol === "y-websocket") {
        session.sentMs = turn.nowMs
        stock.push(session.connection)
      } else if (session.connection !== owner) native.push(session.connection)
    }
    if (native.length > 0) turn.multicast(native, nativePresence(document, entries))
    if (stock.length > 0) turn.multicast(stock, presenceFrames(entries, encodeYAwareness))
    if (typeof owner !== "number") return
    const linked: ConnectionId[] = []
    for (const link of this.#world.links()) {
      if (link.state.state === "linked" && !link.isCongested) linked.push(link.connection)
    }
    if (linked.length > 0) turn.multicast(linked, linkPresence(document.id, entries))
  }
}
