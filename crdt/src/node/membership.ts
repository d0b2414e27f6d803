/**
 * How nodes come into the cluster and leave it. A node that is linked and has no entry yet logs a
 * `member` record, so that everybody who has the log knows of it; so does one whose address is
 * another now. Addresses travel by links too, and are dialled like configured ones. A node is
 * retired by a record that names its origins: from then on who comes under one of them is told so
 * and sent away, and comes back under a fresh origin, with what peers lack logged again.
 * Rules [L13] [L14] [M3] [M5] [M6].
 */
import { bytesEqual, limits, nodeOfOrigin } from "../base/index.ts"
import type { Millis, NodeId, OriginId } from "../base/index.ts"
import { encodeRecord } from "../log/index.ts"
import type { ClusterFields, Head } from "../log/index.ts"
import { encodeLinkMembers } from "../protocol/index.ts"
import type { LinkMembers } from "../protocol/index.ts"
import type { Core } from "./core.ts"
import type { Dials } from "./dials.ts"
import type { Reply } from "./input.ts"
import type { Link } from "./link.ts"
import type { Turn } from "./turn.ts"

const noHeads: ReadonlyMap<OriginId, Head> = new Map()
const noAddresses: ReadonlyMap<NodeId, string> = new Map()

export class Membership {
  readonly #core: Core
  readonly #links: ReadonlyMap<number, Link>
  readonly #dials: Dials
  /** Where nodes are reached, as they or peers said last. */
  readonly #addresses = new Map<NodeId, string>()
  /** Counts the changes of the address book. */
  #version = 1
  #isLogging = false

  constructor(core: Core, links: ReadonlyMap<number, Link>, dials: Dials, nowMs: Millis) {
    this.#core = core
    this.#links = links
    this.#dials = dials
    // What the log says at the start: where members were reached last.
    for (const node of core.members.active()) {
      const address = core.members.addressOf(node)
      if (address !== undefined) this.#learn(nowMs, node, address, false)
    }
  }

  /** Takes in where a node is reached; `isSaid`: it said so itself. */
  #learn(nowMs: Millis, node: NodeId, address: string, isSaid: boolean): void {
    const { config, members } = this.#core
    if (address === "" || node === config.node || address === config.address) return
    if (!isSaid && members.isGone(node)) return
    this.#dials.learn(node, address, isSaid, nowMs)
    const known = this.#addresses.get(node)
    if (known === address || (known !== undefined && !isSaid)) return
    if (known === undefined && this.#addresses.size >= limits.membersMax) return
    this.#addresses.set(node, address)
    this.#version += 1
  }

  /** A peer proved that it is of this cluster. Gives false if it may not stay. */
  admit(turn: Turn, link: Link, origin: OriginId): boolean {
    if (!this.#core.members.isRetired(origin)) return true
    this.#sendAway(turn, link, origin)
    return false
  }

  /** Told which, as it can't know: it has not had the record. */
  #sendAway(turn: Turn, link: Link, origin: OriginId): void {
    const retired = new Map([[origin, this.#core.holdings.head(origin)]])
    const message: LinkMembers = { type: "members", addresses: noAddresses, retired }
    turn.send(link.connection, encodeLinkMembers(message))
    link.refused = "retired"
    turn.emit({ type: "link-refused", reason: "retired", detail: origin, isNews: true })
    turn.close(link.connection, "retired")
  }

  onLinked(turn: Turn, node: NodeId, address: string): void {
    this.#learn(turn.nowMs, node, address, true)
  }

  /** Tells a peer the addresses that are known, if they are others than it was told. */
  tell(turn: Turn, link: Link): void {
    const { state } = link
    if (state.state !== "linked" || link.toldAddresses === this.#version) return
    link.toldAddresses = this.#version
    const addresses = new Map(this.#addresses)
    addresses.delete(state.peer.node)
    if (addresses.size === 0) return
    const message: LinkMembers = { type: "members", addresses, retired: noHeads }
    turn.send(link.connection, encodeLinkMembers(message))
  }

  onMembers(turn: Turn, { addresses, retired }: LinkMembers): void {
    for (const [node, address] of addresses) this.#learn(turn.nowMs, node, address, false)
    const { origin } = this.#core.config
    const theirs = retired.get(origin)
    if (theirs !== undefined) this.#onRetired(turn, theirs)
  }

  /** Up to what the peer holds of our origin it goes on; the rest is logged again. */
  #onRetired(turn: Turn, theirs: Head): void {
    const { config, holdings, mayReopen, reads, reopen } = this.#core
    if (!mayReopen(turn, "retired")) return
    const { origin } = config
    if (theirs.seq > holdings.head(origin).seq) {
      reopen(turn, { why: "retired", keepSeq: holdings.head(origin).seq })
      return
    }
    const query = { type: "origin", origin, fromSeq: theirs.seq + 1, bytesMax: 0 } as const
    reads.start(turn, query, (later, result) => {
      const isSame = result.type === "origin" && bytesEqual(result.previousHash, theirs.hash)
      // A log that differs has nothing that may be relied on to be with peers.
      reopen(later, { why: "retired", keepSeq: isSame ? theirs.seq : 0 })
    })
  }

  /** Cluster records became durable here. */
  onDurable(turn: Turn): void {
    for (const { origin, fields } of this.#core.members.takeNews()) {
      this.#onRecord(turn, fields, origin)
    }
  }

  #onRecord(turn: Turn, fields: ClusterFields, origin: OriginId): void {
    if (fields.kind === "member")
      this.#learn(turn.nowMs, nodeOfOrigin(origin), fields.address, true)
    if (fields.kind !== "retire") return
    for (const link of this.#links.values()) {
      const { state } = link
      if (state.state !== "linked" && state.state !== "proved") continue
      if (fields.origins.includes(state.peer.origin)) {
        this.#sendAway(turn, link, state.peer.origin)
      }
    }
    const [first] = fields.origins
    if (first !== undefined) this.#forget(nodeOfOrigin(first))
  }

  #forget(node: NodeId): void {
    if (!this.#core.members.isGone(node)) return
    this.#dials.forget(node)
    if (this.#addresses.delete(node)) this.#version += 1
  }

  sweep(turn: Turn): void {
    const linked = [...this.#links.values()].filter(({ state }) => state.state === "linked")
    if (linked.length === 0) return
    const { config, members } = this.#core
    if (members.isRetired(config.origin)) {
      // It had the record from a peer that has not sent it away yet.
      const keepSeq = Math.max(...linked.map((link) => link.agreedSeq))
      this.#core.reopen(turn, { why: "retired", keepSeq })
    } else this.#logMember(turn)
  }

  #logMember(turn: Turn): void {
    const { commits, config, holdings, members } = this.#core
    const { address = "" } = config
    const isThere = holdings.head(config.origin).seq > 0
    const isSaid = address === "" || members.addressOf(config.node) === address
    if ((isThere && isSaid) || this.#isLogging) return
    const record = encodeRecord({ kind: "member", atMs: turn.nowMs, address })
    if (commits.admits(record.length) !== "ok") return
    this.#isLogging = true
    commits.log(record)
    commits.afterwards(turn, () => {
      this.#isLogging = false
    })
  }

  /** An operator says that a node will not come back. */
  retire(turn: Turn, command: number, node: NodeId): void {
    const { commits, config, members } = this.#core
    const answer = (later: Turn, reply: Reply): void => {
      later.push({ type: "reply", command, reply })
    }
    const refuse = (code: RetireRefusal): void => answer(turn, { type: "not-retired", code })
    const origins = members.originsOf(node)
    if (node === config.node) return refuse("self")
    if (origins.length === 0) return refuse("no-such-member")
    for (const { state } of this.#links.values()) {
      if (state.state === "linked" && state.peer.node === node) return refuse("linked")
    }
    const record = encodeRecord({ kind: "retire", atMs: turn.nowMs, origins })
    if (commits.admits(record.length) !== "ok") return refuse("store-failed")
    commits.log(record)
    commits.afterwards(turn, (later) => {
      const isDone = origins.every((origin) => members.isRetired(origin))
      if (isDone) answer(later, { type: "retired", origins })
      else answer(later, { type: "not-retired", code: "store-failed" })
    })
    return undefined
  }
}

/** `linked`: it is there, and would be back at once. */
export type RetireRefusal = "self" | "no-such-member" | "linked" | "store-failed"
