/**
 * Who belongs to this cluster, as far as this node knows: itself, every node with an origin in the
 * log that is not retired, every node that greeted it in this run, and one nobody knows for each
 * configured address that nobody answered from yet. A member leaves by being retired and in no
 * other way, so a quorum is never smaller than it may be. Rules [M1] [M2] [M4].
 */
import { limits, nodeOfOrigin } from "../base/index.ts"
import type { NodeId, OriginId } from "../base/index.ts"
import { decodeRecord } from "../log/index.ts"
import type { ClusterFields, LogEntry, MemberFields } from "../log/index.ts"
import type { Holdings } from "./holdings.ts"

/** What is asked of the addresses that are configured: whom each led to, if to anybody. */
export interface KnownAddresses {
  all(): Iterable<{
    readonly isLearnt: boolean
    readonly node: NodeId | undefined
    readonly state: { readonly state: string }
    readonly address: string
  }>
}

function inOrder(left: string, right: string): number {
  return left < right ? -1 : 1
}

export type MembersStatus = {
  /** In order of names, this node among them. */
  readonly active: readonly NodeId[]
  /** Configured addresses from which nobody said yet who is there. */
  readonly unknown: number
  /** So many of all are a quorum. */
  readonly quorum: number
}

export type ClusterNews = { readonly origin: OriginId; readonly fields: ClusterFields }

export class Members {
  readonly #self: OriginId
  readonly #holdings: Holdings
  readonly #addresses: KnownAddresses
  readonly #retired = new Set<OriginId>()
  /** Origins that greeted us in this run. */
  readonly #greeted = new Set<OriginId>()
  /** Where nodes said they are reached, from the log. */
  readonly #news: ClusterNews[] = []
  readonly #said = new Map<NodeId, MemberFields>()

  constructor(
    self: OriginId,
    holdings: Holdings,
    addresses: KnownAddresses,
    records: readonly LogEntry[],
  ) {
    this.#self = self
    this.#holdings = holdings
    this.#addresses = addresses
    for (const { origin, record } of records) this.onDurable(origin, record)
    this.takeNews()
  }

  /** An entry became durable here. */
  onDurable(origin: OriginId, record: Uint8Array): void {
    const fields = decodeRecord(record)
    if (fields.kind === "unknown" || fields.kind === "update") return
    this.#news.push({ origin, fields })
    if (fields.kind === "retire") for (const retired of fields.origins) this.#retired.add(retired)
    else if (fields.kind === "member") {
      const node = nodeOfOrigin(origin)
      // No more than a hint: of a node's lives, the one that spoke last by its clock.
      if (fields.atMs >= (this.#said.get(node)?.atMs ?? 0)) this.#said.set(node, fields)
    }
  }

  /** The cluster records that became durable since this was last asked. */
  takeNews(): readonly ClusterNews[] {
    return this.#news.splice(0)
  }

  /** Whether it can be remembered that this origin greeted: it counts, so it is not forgotten. */
  hasRoomFor(origin: OriginId): boolean {
    return this.#greeted.has(origin) || this.#greeted.size < limits.originsMax
  }

  /** A peer proved who it is. */
  onGreeted(origin: OriginId): void {
    this.#greeted.add(origin)
  }

  isRetired(origin: OriginId): boolean {
    return this.#retired.has(origin)
  }

  /** Whether the node was retired, and nothing was heard of it since. O(origins). */
  isGone(node: NodeId): boolean {
    const wasRetired = [...this.#retired].some((origin) => nodeOfOrigin(origin) === node)
    return wasRetired && this.originsOf(node).length === 0
  }

  /** Every member that is known by name, this node among them, in order. O(origins). */
  active(): readonly NodeId[] {
    const nodes = new Set<NodeId>([nodeOfOrigin(this.#self)])
    for (const [origin, { seq }] of this.#holdings.heads()) {
      if (seq > 0 && !this.#retired.has(origin)) nodes.add(nodeOfOrigin(origin))
    }
    for (const origin of this.#greeted) {
      if (!this.#retired.has(origin)) nodes.add(nodeOfOrigin(origin))
    }
    return [...nodes].sort(inOrder)
  }

  /** Members that are known by a configured address alone. O(addresses + members). */
  get unknown(): number {
    const said = new Set([...this.#said.values()].map(({ address }) => address))
    // Whom an address led to counts only once it is a member, or was: not while it greets.
    const named = new Set<NodeId>([...this.active(), ...[...this.#retired].map(nodeOfOrigin)])
    let count = 0
    for (const { address, isLearnt, node, state } of this.#addresses.all()) {
      const isNamed = node !== undefined && named.has(node)
      const isKnown = isNamed || state.state === "self" || said.has(address)
      if (!isLearnt && !isKnown) count += 1
    }
    return count
  }

  /** All of them: what a quorum is counted against. */
  get count(): number {
    return this.active().length + this.unknown
  }

  /** So many members are a quorum. */
  get quorum(): number {
    return Math.floor(this.count / 2) + 1
  }

  status(): MembersStatus {
    return { active: this.active(), unknown: this.unknown, quorum: this.quorum }
  }

  /** Non-retired origins of `node` that are known, in order. */
  originsOf(node: NodeId): OriginId[] {
    const origins = new Set<OriginId>()
    for (const [origin, { seq }] of this.#holdings.heads()) if (seq > 0) origins.add(origin)
    for (const origin of this.#greeted) origins.add(origin)
    return [...origins]
      .filter((origin) => nodeOfOrigin(origin) === node && !this.#retired.has(origin))
      .sort(inOrder)
  }

  /** Where a node said that it is reached; empty if it said so, undefined if it never did. */
  addressOf(node: NodeId): string | undefined {
    return this.#said.get(node)?.address
  }
}
