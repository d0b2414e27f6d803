/**
 * How many entries each node lacks of all that are durable on any disk right now: kept up to
 * date entry by entry, and counted anew when a disk was changed behind its node's back.
 */
import type { OriginId } from "@causeway/crdt/base"
import type { MemoryLog } from "@causeway/crdt/log"
import type { AppendBatch } from "@causeway/crdt/ports"

type Disk = { readonly durable: MemoryLog }

export class Divergence {
  readonly #disks: readonly Disk[]
  readonly #held: Map<OriginId, number>[]
  readonly #counts: number[]
  readonly #longest = new Map<OriginId, number>()
  #total = 0

  constructor(disks: readonly Disk[]) {
    this.#disks = disks
    this.#held = disks.map(() => new Map())
    this.#counts = disks.map(() => 0)
  }

  /** Entries that `node` lacks. */
  lackedBy(node: number): number {
    return this.#total - (this.#counts[node] ?? 0)
  }

  /** Gives how many entries a state transfer stands for. */
  onDurable(node: number, batch: AppendBatch, firstSeq: number): number {
    let transferred = 0
    for (const [other, { seq }] of batch.raise ?? []) {
      transferred += Math.max(0, seq - (this.#held[node]?.get(other) ?? 0))
      this.#hold(node, other, seq)
    }
    const origin = this.#disks[node]?.durable.origin
    if (origin !== undefined) this.#hold(node, origin, firstSeq + batch.own.length - 1)
    for (const { origin: other, firstSeq: first, records } of batch.adopted) {
      this.#hold(node, other, first + records.length - 1)
    }
    return transferred
  }

  /** O(nodes × origins). */
  recount(): void {
    this.#longest.clear()
    this.#total = 0
    for (const [node, { durable }] of this.#disks.entries()) {
      this.#held[node] = new Map()
      this.#counts[node] = 0
      for (const [origin, { seq }] of durable.heads()) this.#hold(node, origin, seq)
    }
  }

  #hold(node: number, origin: OriginId, seq: number): void {
    const held = this.#held[node]
    const had = held?.get(origin) ?? 0
    if (held === undefined || seq <= had) return
    held.set(origin, seq)
    this.#counts[node] = (this.#counts[node] ?? 0) + seq - had
    const longest = this.#longest.get(origin) ?? 0
    if (seq <= longest) return
    this.#longest.set(origin, seq)
    this.#total += seq - longest
  }
}
