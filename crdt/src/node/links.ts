/**
 * Links to peers: greeting, heartbeats, and which of two links between the same nodes stays. Who
 * the peer is, is Greeting's part, what it is told Vectors', sending LinkPush's, receiving
 * LinkPull's. Rules [L1] [L2] [L7] [L8].
 */
import { DecodeError, limits } from "../base/index.ts"
import type { ConnectionId, DocumentId, Millis, NodeId, OriginId } from "../base/index.ts"
import type { Head } from "../log/index.ts"
import {
  decodeLinkMessage,
  encodeLinkPresence,
  encodeLinkVector,
  isTransferMessage,
  linkPingFrame,
  linkPongFrame,
} from "../protocol/index.ts"
import type {
  CloseReason,
  LinkEntries,
  LinkHello,
  LinkMessage,
  LinkPresence,
  LinkProof,
  LinkWant,
  PresenceEntry,
  TransferMessage,
} from "../protocol/index.ts"
import type { Core } from "./core.ts"
import { distrustOf } from "./dials.ts"
import type { Dials } from "./dials.ts"
import { Digests } from "./digests.ts"
import { Forks } from "./forks.ts"
import { Greeting } from "./greeting.ts"
import { LinkPull } from "./link-pull.ts"
import { LinkPush } from "./link-push.ts"
import { Link } from "./link.ts"
import type { PeerIdentity } from "./link.ts"
import { Membership } from "./membership.ts"
import { Partitions } from "./partitions.ts"
import type { LinkedPeer } from "./partitions.ts"
import { presenceFrames } from "./presence.ts"
import { TransferIn } from "./transfer-in.ts"
import type { TransferHooks } from "./transfer-in.ts"
import { TransferOut } from "./transfer-out.ts"
import type { Turn } from "./turn.ts"
import { Twins } from "./twins.ts"
import { Vectors } from "./vectors.ts"

export function linkPresence(document: DocumentId, all: readonly PresenceEntry[]): Uint8Array[] {
  return presenceFrames(all, (entries) =>
    encodeLinkPresence({ type: "presence", document, entries }),
  )
}

/** Whether what a peer says now may be said now. Rule [L1]. */
function isInTurn({ state }: Link, { type }: LinkMessage): boolean {
  switch (state.state) {
    case "greeting":
      return type === "hello"
    case "proving":
      return type === "proof"
    case "proved":
      return type === "vector" || type === "members"
    case "linked":
      return type !== "hello" && type !== "proof"
  }
}

/** Refusals that are told apart in the log; after that they are only counted. */
const saidMax = 256

export class Links {
  readonly #core: Core
  readonly #links = new Map<ConnectionId, Link>()
  /** At most one link to a node has come further than its proof. */
  readonly #proved = new Map<NodeId, Link>()
  readonly dials: Dials
  readonly push: LinkPush
  readonly pull: LinkPull
  readonly partitions: Partitions
  readonly membership: Membership
  readonly twins: Twins
  readonly #greeting: Greeting
  readonly #transferOut: TransferOut
  readonly transferIn: TransferIn
  readonly digests: Digests
  readonly forks: Forks
  readonly vectors: Vectors
  readonly #said = new Set<string>()

  constructor(core: Core, dials: Dials, show: TransferHooks["show"], nowMs: Millis) {
    this.#core = core
    this.dials = dials
    this.push = new LinkPush(core, this.#links)
    this.digests = new Digests(core, this.#links, nowMs)
    this.forks = new Forks(core, this.#links)
    this.pull = new LinkPull(core, this.#links, this.forks)
    this.twins = new Twins(core, this.#links)
    this.membership = new Membership(core, this.#links, dials, nowMs)
    this.#greeting = new Greeting(core, this.twins, (turn, link, reason, detail) => {
      this.#refuse(turn, link, reason, detail)
    })
    this.#transferOut = new TransferOut(core, this.#links)
    this.transferIn = new TransferIn(core, {
      links: this.#links,
      holdBack: (origins) => this.pull.holdBack(origins),
      onVain: (turn, peer, origins) => this.pull.vainFloors.note(turn.nowMs, peer, origins),
      show,
      onRaised: (turn) => {
        this.pull.settle(turn)
        this.vectors.tellSoon(turn)
        for (const link of this.#links.values()) this.pull.pullFrom(turn, link, link.unsettled)
      },
    })
    const { node } = core.config
    const linked = () => linkedPeers(this.#proved.values())
    const heads = () => core.holdings.heads()
    const members = () => core.members.active()
    this.partitions = new Partitions({ node, heads, linked, members }, nowMs)
    const onTold = (turn: Turn, link: Link): void => {
      this.membership.tell(turn, link)
      this.pull.pullFrom(turn, link, link.unsettled)
      this.#noticeHealed(turn, link)
    }
    this.vectors = new Vectors(core, this.#links, onTold, nowMs)
  }

  all(): Iterable<Link> {
    return this.#links.values()
  }

  find(connection: ConnectionId): Link | undefined {
    return this.#links.get(connection)
  }

  linkedTo(node: NodeId): Link | undefined {
    const link = this.#proved.get(node)
    return link?.state.state === "linked" ? link : undefined
  }

  onOpened(turn: Turn, connection: ConnectionId, address: string | undefined): void {
    const link = new Link(connection, address, turn.nowMs)
    this.#links.set(connection, link)
    if (this.#links.size > limits.linksMax) {
      // Who has shown nothing so far keeps nobody out: the port may be open to everybody.
      const last = this.#oldestStranger(link) ?? link
      this.#refuse(turn, last, "overloaded", "too many links")
      if (last === link) return
    }
    this.#greeting.begin(turn, link)
  }

  /** Of those that dialled in and have proved nothing, who did so first. */
  #oldestStranger(besides: Link): Link | undefined {
    for (const link of this.#links.values()) {
      const { state } = link.state
      const isStranger = state === "greeting" || state === "proving"
      if (isStranger && link.address === undefined && link !== besides) return link
    }
    return undefined
  }

  /** `code`: what the peer closed it with. */
  onClosed(turn: Turn, link: Link, code?: number): void {
    this.#links.delete(link.connection)
    this.pull.onLinkDown(link)
    this.#transferOut.onLinkDown(link)
    this.transferIn.onLinkDown(turn, link)
    this.forks.onLinkDown(link)
    const dial = this.dials.find(link.address)
    if (dial?.state.state !== "self") {
      this.#sayRefused(turn, link, code)
      const refused = distrustOf(link.refused ?? code)
      this.dials.failed(dial, turn.nowMs, turn.nowMs - link.openedMs, refused)
    }
    const { state } = link
    if (state.state !== "linked" && state.state !== "proved") return
    const { node } = state.peer
    if (this.#proved.get(node) === link) this.#proved.delete(node)
    if (state.state === "proved") return
    turn.emit({ type: "link-down", peer: node, connection: link.connection })
    this.#core.presenceWatch.unlinked(node, link.heardMs)
    this.partitions.onLinkDown(turn, linkedPeer(link, node))
    for (const other of this.#links.values()) this.pull.pullFrom(turn, other, other.unsettled)
  }

  #refuse(turn: Turn, link: Link, reason: CloseReason, detail: string): void {
    const name = `${link.address ?? ""} ${reason} ${detail}`
    const isNews = !this.#said.has(name) && this.#said.size < saidMax
    if (isNews) this.#said.add(name)
    link.refused = reason
    turn.emit({ type: "link-refused", reason, detail, isNews })
    turn.close(link.connection, reason)
  }

  /** Whoever was dialled wants nothing of this node: that is for its own operator to see, too. */
  #sayRefused(turn: Turn, { address, state, refused }: Link, code: number | undefined): void {
    const reason = refused === undefined ? distrustOf(code) : undefined
    if (address === undefined || reason === undefined || state.state === "linked") return
    const isNews = this.dials.find(address)?.refused !== reason
    turn.emit({ type: "refused-by-peer", address, reason, isNews })
  }

  onFrame(turn: Turn, link: Link, frame: Uint8Array): void {
    link.heardMs = turn.nowMs
    if (link.state.state === "linked") {
      this.#core.presenceWatch.heard(turn, link.state.peer.node)
    }
    let message: LinkMessage
    try {
      message = decodeLinkMessage(frame)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      if (error.code === "no-common-version") {
        this.#refuse(turn, link, "link-version-mismatch", error.message)
      } else turn.refuse(link.connection, "malformed", error.message)
      return
    }
    if (!isInTurn(link, message)) {
      turn.refuse(link.connection, "malformed", `${message.type} out of turn`)
    } else if (message.type === "hello") this.#greeting.onHello(turn, link, message, frame)
    else this.#onMessage(turn, link, message)
  }

  #onMessage(turn: Turn, link: Link, message: Exclude<LinkMessage, LinkHello>): void {
    if (isTransferMessage(message)) {
      this.#onTransfer(turn, link, message)
      return
    }
    switch (message.type) {
      case "proof":
        return this.#onProof(turn, link, message)
      case "members":
        return this.membership.onMembers(turn, message)
      case "entries":
        return this.#onEntries(turn, link, message)
      case "vector":
        return this.#onVector(turn, link, message.heads)
      case "want":
        return this.#onWant(turn, link, message)
      case "presence":
        return this.#onPresence(turn, link, message)
      case "truncated":
        if (this.forks.onTruncated(turn, link, message)) return
        this.pull.onTruncated(turn, link, message)
        return this.#wantTransfer(turn)
      case "digests":
        return this.digests.onDigests(turn, link, message)
      case "ping":
        return turn.send(link.connection, linkPongFrame)
      case "pong":
        return undefined
    }
  }

  #onTransfer(turn: Turn, link: Link, message: TransferMessage): void {
    if (message.type === "transfer-want") this.#transferOut.onWant(turn, link, message)
    else if (!this.transferIn.onMessage(turn, link, message)) {
      turn.refuse(link.connection, "malformed", "a transfer out of order")
    }
  }

  /** Where no peer has the entries any more, documents come in their place. */
  #wantTransfer(turn: Turn): void {
    const link = this.pull.findTruncated(turn)
    if (link !== undefined) this.transferIn.want(turn, link)
  }

  #onEntries(turn: Turn, link: Link, message: LinkEntries): void {
    const { origin } = message.run
    const isLeft = origin === this.#core.config.origin || link.forked.has(origin)
    const receiver = isLeft ? this.forks : this.pull
    if (receiver.onEntries(turn, link, message)) return
    turn.refuse(link.connection, "malformed", "an entry does not decode")
  }

  /** Who asks for what it said it holds looks into a fork. */
  #onWant(turn: Turn, link: Link, want: LinkWant): void {
    const isProbe = want.fromSeq <= (link.heads.get(want.origin)?.seq ?? 0)
    const receiver = isProbe ? this.forks : this.push
    receiver.onWant(turn, link, want)
  }

  #onProof(turn: Turn, link: Link, { proof }: LinkProof): void {
    const proved = this.#greeting.onProof(turn, link, proof)
    if (proved === undefined) return
    const { node, origin, isSelf } = proved.peer
    const dial = this.dials.find(link.address)
    const isDialler = link.address !== undefined
    if (node !== this.#core.config.node) {
      if (!this.twins.onGreeted(turn, link, origin)) {
        this.#refuse(turn, link, "duplicate-link", node)
        return
      }
    } else if (isSelf || !this.twins.onTwin(turn, origin, proved.hellos, isDialler)) {
      if (isSelf) this.dials.set(dial, { state: "self" }, turn.nowMs)
      this.#refuse(turn, link, "self-link", "the peer has this node's id")
      return
    }
    if (dial !== undefined) dial.node = node
    if (!this.#core.members.hasRoomFor(origin)) {
      this.#refuse(turn, link, "overloaded", "too many origins")
      return
    }
    if (!this.membership.admit(turn, link, origin)) return
    if (this.#isDuplicate(turn, link, node)) {
      this.#refuse(turn, link, "duplicate-link", node)
      return
    }
    this.#proved.set(node, link)
    const heads = this.#core.holdings.heads()
    for (const [held, { seq }] of heads) link.told.set(held, seq)
    link.untold.clear()
    turn.send(link.connection, encodeLinkVector({ type: "vector", heads }))
  }

  /** The link dialled by the smaller node id stays; an older one in its way is closed. */
  #isDuplicate(turn: Turn, link: Link, node: NodeId): boolean {
    const other = this.#proved.get(node)
    if (other === undefined) return false
    const dialler = (one: Link) => (one.address === undefined ? node : this.#core.config.node)
    // Of two dialled by the same side the newer stays: the older one's peer may have restarted.
    if (dialler(other) < dialler(link)) return true
    this.#refuse(turn, other, "duplicate-link", node)
    this.onClosed(turn, other)
    return false
  }

  /** The peer said what it holds: from now on the two tell each other what is new. */
  #linkUp(turn: Turn, link: Link, peer: PeerIdentity, heads: ReadonlyMap<OriginId, Head>): void {
    const { origin } = this.#core.config
    link.state = { state: "linked", peer }
    this.#core.members.onGreeted(peer.origin)
    link.healing = { sinceMs: turn.nowMs, entries: 0 }
    this.dials.set(this.dials.find(link.address), { state: "linked" }, turn.nowMs)
    turn.emit({ type: "link-up", peer: peer.node, connection: link.connection })
    link.streams.set(origin, { nextSeq: (heads.get(origin)?.seq ?? 0) + 1 })
    this.#onHeads(turn, link, heads)
    this.membership.onLinked(turn, peer.node, peer.address)
    this.membership.tell(turn, link)
    this.partitions.onLinkUp(turn, linkedPeer(link, peer.node))
    this.forks.check(turn, link, true)
    this.#core.presenceWatch.linked(turn, peer.node)
    this.#sendPresence(turn, link)
  }

  #onVector(turn: Turn, link: Link, heads: ReadonlyMap<OriginId, Head>): void {
    if (link.state.state === "proved") this.#linkUp(turn, link, link.state.peer, heads)
    else this.#onHeads(turn, link, heads)
  }

  #onHeads(turn: Turn, link: Link, heads: ReadonlyMap<OriginId, Head>): void {
    for (const [origin, head] of heads) link.hear(origin, head)
    if (link.heads.size > limits.originsMax) {
      turn.refuse(link.connection, "malformed", "too many origins")
      return
    }
    this.forks.check(turn, link, false)
    this.pull.pullFrom(turn, link, heads.keys())
    this.push.onHeads(turn, link, heads)
    this.#noticeHealed(turn, link)
    this.partitions.onProgress(turn)
  }

  /** Both sides hold all that the other is known to hold: the split, if there was one, is over. */
  #noticeHealed(turn: Turn, link: Link): void {
    if (link.healing === undefined || link.state.state !== "linked") return
    const { holdings } = this.#core
    if (link.behind(holdings) > 0) return
    for (const [origin, head] of holdings.heads()) {
      if ((link.heads.get(origin)?.seq ?? 0) < head.seq) return
    }
    const { sinceMs, entries } = link.healing
    link.healing = undefined
    const tookMs = turn.nowMs - sinceMs
    // Equal from the first: there was nothing to heal.
    if (tookMs === 0 && entries === 0) return
    turn.emit({ type: "healed", peer: link.state.peer.node, tookMs, entries })
  }

  #onPresence(turn: Turn, link: Link, message: LinkPresence): void {
    const { documents, lives, watches } = this.#core
    const { document: id } = message
    const isWatched = watches.isWatched(id) && !lives.isDeleted(id)
    const document = isWatched ? documents.use(id) : documents.find(id)
    if (document === undefined || link.state.state !== "linked") return
    this.#core.sharePresence(turn, document, message.entries, link.state.peer.node)
  }

  #sendPresence(turn: Turn, link: Link): void {
    for (const document of this.#core.documents.all()) {
      const entries = document.presence.local()
      if (entries.length === 0) continue
      turn.multicast([link.connection], linkPresence(document.id, entries))
    }
  }

  /** Heartbeats, and the end of links that are silent. */
  sweep(turn: Turn): void {
    this.forks.sweep(turn)
    this.#wantTransfer(turn)
    this.transferIn.sweep(turn)
    this.partitions.sweep(turn)
    this.membership.sweep(turn)
    for (const link of this.#links.values()) {
      const isGreeting = link.state.state !== "linked"
      const silentMs = isGreeting ? limits.linkHandshakeMs : limits.linkSilentMs
      if (turn.nowMs - link.heardMs > silentMs) {
        turn.refuse(link.connection, "silent", "nothing heard on the link")
      } else if (!isGreeting && turn.nowMs - link.pingedMs >= limits.linkPingMs) {
        link.pingedMs = turn.nowMs
        turn.send(link.connection, linkPingFrame)
      }
    }
  }

  onDeadline(turn: Turn): void {
    this.push.onDeadline(turn)
    this.digests.onDeadline(turn)
    this.vectors.onDeadline(turn)
    this.dials.pump(turn, (node) => this.linkedTo(node) !== undefined)
  }

  deadline(): Millis {
    const { push, vectors, dials, digests } = this
    const all = [push.deadline(), vectors.deadline(), dials.deadline(), digests.deadline()]
    return Math.min(...all)
  }
}

function linkedPeer({ heads, heardMs, sentBytesTotal }: Link, node: NodeId): LinkedPeer {
  return { node, heads, heardMs, sentBytes: sentBytesTotal }
}

function* linkedPeers(links: Iterable<Link>): Iterable<LinkedPeer> {
  for (const link of links) {
    if (link.state.state === "linked") yield linkedPeer(link, link.state.peer.node)
  }
}
