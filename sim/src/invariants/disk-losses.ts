/**
 * What disks may have lost, and when: all that they held when they were wiped or are as they were
 * some time ago; of damaged records only what those said, once more when an opening finds out. A
 * fresh epoch loses nothing else.
 */
import type { DocumentId, Millis } from "@causeway/crdt/base"
import { decodeUpdate } from "@causeway/crdt/log"
import { Coverage } from "../checkers/coverage.ts"
import type { Ops } from "../checkers/coverage.ts"
import type { HostId } from "../reachability.ts"
import type { DiskChange } from "../watcher.ts"
import type { World } from "../world.ts"

type Damage = {
  /** Of the latest, or of the opening that noticed. */
  atMs: Millis
  isLatent: boolean
  readonly ops: Coverage
}

export class DiskLosses {
  readonly #world: World
  readonly #exchangedMs = new Map<HostId, Millis>()
  readonly #damaged = new Map<HostId, Map<DocumentId, Damage>>()

  constructor(world: World) {
    this.#world = world
  }

  onDiskChanged(host: HostId, change: DiskChange): void {
    if (change === "damaged") this.#noteDamage(host)
    else if (change === "renewed") this.#noticeDamage(host)
    else this.#exchangedMs.set(host, this.#world.scheduler.nowMs)
  }

  /** Whether that disk may have lost some of `ops` since then. */
  mayHaveLost(host: HostId, document: DocumentId, ops: Ops, sinceMs: Millis): boolean {
    if ((this.#exchangedMs.get(host) ?? -Infinity) >= sinceMs) return true
    const damage = this.#damaged.get(host)?.get(document)
    if (damage === undefined || damage.atMs < sinceMs) return false
    const { added, deleted } = damage.ops.lacking(ops)
    return sizeOf(added) + sizeOf(deleted) < sizeOf(ops.added) + sizeOf(ops.deleted)
  }

  #noticeDamage(host: HostId): void {
    const { nodes, scheduler } = this.#world
    // Only an opening that looked through all of it mended that.
    if (nodes[host]?.disk.hasDamage !== false) return
    for (const damage of this.#damaged.get(host)?.values() ?? []) {
      if (!damage.isLatent) continue
      damage.atMs = scheduler.nowMs
      damage.isLatent = false
    }
  }

  /** All that is damaged by now; what was before is noted once more. */
  #noteDamage(host: HostId): void {
    const { nodes, scheduler, oracle } = this.#world
    const disk = nodes[host]?.disk
    const damaged = this.#damaged.get(host) ?? new Map<DocumentId, Damage>()
    this.#damaged.set(host, damaged)
    for (const [origin, { seq: last }] of disk?.durable.heads() ?? []) {
      for (let seq = 1; seq <= last; seq++) {
        if (disk?.isDamaged({ origin, seq }) !== true) continue
        const record = disk.durable.record({ origin, seq })
        if (record === undefined) continue
        const update = decodeUpdate(record)
        if (update === undefined) continue
        const { document, body } = update
        const damage = damaged.get(document) ?? { atMs: 0, isLatent: true, ops: new Coverage() }
        damage.atMs = scheduler.nowMs
        damage.isLatent = true
        damage.ops.add(oracle.attempts.opsOf(document, body))
        damaged.set(document, damage)
      }
    }
  }
}

function sizeOf(spans: Ops["added"]): number {
  return spans.reduce((size, { from, to }) => size + to - from, 0)
}
