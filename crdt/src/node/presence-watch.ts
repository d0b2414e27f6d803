/**
 * Whose presence goes on being shown: of who may be watched and was not heard for
 * `presenceSilentMs` it is taken away, long before the silent connection is closed. Who speaks
 * again is told which of its states are held to be gone, and says them anew with higher clocks;
 * a peer has that done by its sessions. One look takes O(those who show something), and there is
 * none before the first of them can have been silent for so long. Rules [N19] [L17].
 */
import { limits } from "../base/index.ts"
import type { Millis, NodeId } from "../base/index.ts"
import type { PresenceEntry } from "../protocol/index.ts"
import type { OpenDocument } from "./open-document.ts"
import type { Presence, PresenceOwner } from "./presence.ts"
import type { Turn } from "./turn.ts"

export type PresenceHooks = {
  /** Undefined if it is not connected, or need not speak so often. */
  heardMs(owner: PresenceOwner): Millis | undefined
  documentsOf(owner: PresenceOwner): Iterable<OpenDocument>
  /** Shows everybody else that these are gone. */
  show(
    turn: Turn,
    document: OpenDocument,
    gone: readonly PresenceEntry[],
    owner: PresenceOwner,
  ): void
  /** Tells the owner itself. */
  tell(
    turn: Turn,
    document: OpenDocument,
    gone: readonly PresenceEntry[],
    owner: PresenceOwner,
  ): void
}

/** A look that is so late says that the node was away itself: then nobody's silence counts. */
const lateMs = 500

export class PresenceWatch {
  readonly #hooks: PresenceHooks
  /** Who may have states that are shown. */
  readonly #shown = new Set<PresenceOwner>()
  /** Of whom states were taken away since they last spoke. */
  readonly #absent = new Set<PresenceOwner>()
  /** Peers without a link that have states which are shown: when they were heard last. */
  readonly #unlinked = new Map<NodeId, Millis>()
  /** Peers that came back: until when they have time to say what they show. */
  readonly #doubted = new Map<NodeId, Millis>()
  #awakeMs: Millis = -Infinity
  #lookAtMs: Millis = Infinity

  constructor(hooks: PresenceHooks) {
    this.#hooks = hooks
  }

  /** A state of this owner is shown from now on. */
  shows(nowMs: Millis, owner: PresenceOwner): void {
    if (this.#shown.has(owner) || this.#hooks.heardMs(owner) === undefined) return
    this.#shown.add(owner)
    this.#lookAtMs = Math.min(this.#lookAtMs, nowMs + limits.presenceSilentMs)
  }

  /** It spoke. */
  heard(turn: Turn, owner: PresenceOwner): void {
    if (this.#absent.size === 0 || !this.#absent.delete(owner)) return
    for (const document of this.#hooks.documentsOf(owner)) {
      const gone = document.presence.goneOf(owner)
      if (gone.length > 0) this.#hooks.tell(turn, document, gone, owner)
    }
  }

  /** Its connection closed, and what it showed went with that. */
  forget(owner: PresenceOwner): void {
    this.#shown.delete(owner)
    this.#absent.delete(owner)
  }

  /** The link to it is down: it has as long as if it were silent to come back. */
  unlinked(node: NodeId, heardMs: Millis): void {
    if (this.#shown.has(node)) this.#unlinked.set(node, heardMs)
  }

  /** Who left meanwhile it does not say, nor of whom a new life of it knows nothing. */
  linked(turn: Turn, node: NodeId): void {
    this.heard(turn, node)
    if (!this.#shown.has(node)) return
    for (const { presence } of this.#hooks.documentsOf(node)) presence.doubt(node)
    const untilMs = turn.nowMs + limits.presencePingMs
    this.#doubted.set(node, untilMs)
    this.#lookAtMs = Math.min(this.#lookAtMs, untilMs)
  }

  get deadline(): Millis {
    return this.#lookAtMs
  }

  onDeadline(turn: Turn): void {
    const { nowMs } = turn
    if (nowMs < this.#lookAtMs) return
    if (nowMs - this.#lookAtMs > lateMs) this.#awakeMs = nowMs
    this.#lookAtMs = Infinity
    this.#endDoubts(turn)
    for (const owner of this.#shown) {
      const heardMs = this.#heardMs(owner)
      const silentAtMs = Math.max(heardMs ?? -Infinity, this.#awakeMs) + limits.presenceSilentMs
      if (heardMs === undefined) this.#shown.delete(owner)
      else if (nowMs >= silentAtMs) this.#takeAway(turn, owner)
      else this.#lookAtMs = Math.min(this.#lookAtMs, silentAtMs)
    }
  }

  #endDoubts(turn: Turn): void {
    for (const [node, untilMs] of this.#doubted) {
      if (turn.nowMs < untilMs) {
        this.#lookAtMs = Math.min(this.#lookAtMs, untilMs)
        continue
      }
      this.#doubted.delete(node)
      this.#show(turn, node, (presence) => presence.endDoubt(node, turn.nowMs))
    }
  }

  #heardMs(owner: PresenceOwner): Millis | undefined {
    const heardMs = this.#hooks.heardMs(owner)
    return heardMs ?? (typeof owner === "string" ? this.#unlinked.get(owner) : undefined)
  }

  #takeAway(turn: Turn, owner: PresenceOwner): void {
    this.#shown.delete(owner)
    if (typeof owner === "string") this.#unlinked.delete(owner)
    this.#absent.add(owner)
    this.#show(turn, owner, (presence) => presence.leave(owner, turn.nowMs))
  }

  #show(turn: Turn, owner: PresenceOwner, end: (presence: Presence) => PresenceEntry[]): void {
    for (const document of this.#hooks.documentsOf(owner)) {
      const gone = end(document.presence)
      if (gone.length > 0) this.#hooks.show(turn, document, gone, owner)
    }
  }
}
