/**
 * What a process starts on it may build on ([E1], ADR 8): no origin ends in a record that is not
 * what was written, and the own origin of a database that is not the one that was last opened here
 * is over. Either would make the node claim, number and ack what it can't hold.
 */
import type { OriginId } from "@causeway/crdt/base"
import type { HostId } from "../reachability.ts"
import type { SimNode } from "../sim-node.ts"
import { demand } from "../violation.ts"
import type { DiskChange, Watcher } from "../watcher.ts"
import type { Invariant } from "./invariant.ts"

class SoundOpenings implements Watcher {
  /** Where the next opening finds another database than it left. */
  readonly #exchanged = new Set<HostId>()
  /** Own origins that nodes ever started with. */
  readonly #used = new Set<OriginId>()

  onDiskChanged(host: HostId, change: DiskChange): void {
    if (change === "restored-database") this.#exchanged.add(host)
    else if (change !== "damaged" && change !== "renewed") this.#exchanged.delete(host)
  }

  onNodeStarted({ host, node, disk }: SimNode): void {
    const { durable } = disk
    const { origin } = durable
    const isExchanged = this.#exchanged.delete(host)
    demand(!isExchanged || !this.#used.has(origin), INVARIANT, () => {
      return `${node} goes on under ${origin} on a database that was put back`
    })
    this.#used.add(origin)
    // Where an origin was cut, peers hold the same up to there; a scan is another doubt's.
    const cuts = new Map(durable.cuts())
    for (const [held, { seq }] of durable.heads()) {
      const isTrusted = disk.isDamaged({ origin: held, seq }) && cuts.get(held) !== seq
      demand(!isTrusted, INVARIANT, () => `${node} trusts the damaged end of ${held}, ${seq}`)
    }
  }
}

const INVARIANT = "sound-openings"

export const soundOpenings: Invariant = {
  name: INVARIANT,
  explain: "a node that starts notices a damaged end of its log, and an exchanged database",
  watch: () => new SoundOpenings(),
}
