/**
 * Compaction and state transfer, seen from the disk: whatever a snapshot counts as holding, its
 * state does hold, at the moment it is written and for every entry that comes under it later; and
 * no floor passes what another node never had, but past the cap of the log. Rules [K1]
 * [K9]–[K11].
 */
import { bytesEqual, limits, partsOfDocumentId } from "@causeway/crdt/base"
import type { DocumentId, Millis, OriginId } from "@causeway/crdt/base"
import { decodeUpdate } from "@causeway/crdt/log"
import type { MemoryLog } from "@causeway/crdt/log"
import type { Input, Job, JobResult } from "@causeway/crdt/node"
import type { AppendBatch } from "@causeway/crdt/ports"
import { bodiesOf, contentOf } from "../checkers/content.ts"
import { Coverage } from "../checkers/coverage.ts"
import { isRetired } from "../checkers/retired.ts"
import type { HostId } from "../reachability.ts"
import type { SimNode } from "../sim-node.ts"
import { demand } from "../violation.ts"
import type { Watcher } from "../watcher.ts"
import type { World } from "../world.ts"
import type { Invariant } from "./invariant.ts"

class FoldHonesty implements Watcher {
  readonly #world: World
  /** What a snapshot's state holds, by host and document; made when it is asked for. */
  readonly #held = new Map<string, Coverage>()
  /** How far each host ever held each origin. */
  readonly #ever = new Map<HostId, Map<OriginId, number>>()
  readonly #jobs = new Map<string, Extract<Job, { type: "compact" }>>()
  /** Entries that looks may not have taken in so far. */
  readonly #recent = new Map<HostId, { readonly atMs: Millis; readonly bytes: number }[]>()

  constructor(world: World) {
    this.#world = world
  }

  onDurable(host: HostId, batch: AppendBatch, firstSeq: number): void {
    const { durable } = this.#nodeOf(host).disk
    this.#noteRecent(host, batch)
    for (const { document } of batch.snapshots ?? []) this.#checkSnapshot(host, document)
    this.#checkEntries(host, durable.origin, firstSeq, batch.own)
    for (const { origin, firstSeq: first, records } of batch.adopted) {
      this.#checkEntries(host, origin, first, records)
    }
    this.#noteEver(host, durable)
    for (const [origin, seq] of batch.floors ?? []) this.#checkFloor(host, origin, seq)
  }

  #noteRecent(host: HostId, { own, adopted }: AppendBatch): void {
    const records = [...own, ...adopted.flatMap((run) => run.records)]
    const bytes = records.reduce((sum, record) => sum + record.length, 0)
    const atMs = this.#world.scheduler.nowMs
    const others = this.#recent.get(host)?.filter((one) => one.atMs >= atMs - LOOKS_MS) ?? []
    this.#recent.set(host, [...others, { atMs, bytes }])
  }

  #recentBytes(host: HostId): number {
    const fromMs = this.#world.scheduler.nowMs - LOOKS_MS
    const recent = this.#recent.get(host)?.filter(({ atMs }) => atMs >= fromMs) ?? []
    return recent.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  onDiskChanged(host: HostId): void {
    const { durable } = this.#nodeOf(host).disk
    for (const document of durable.documentIds()) this.#held.delete(`${host} ${document}`)
    this.#noteEver(host, durable)
  }

  #nodeOf(host: HostId): SimNode {
    const node = this.#world.nodes[host]
    demand(node !== undefined, INVARIANT, () => `host ${host} is no node`)
    return node
  }

  #noteEver(host: HostId, durable: MemoryLog): void {
    const ever = this.#ever.get(host) ?? new Map<OriginId, number>()
    this.#ever.set(host, ever)
    for (const [origin, { seq }] of durable.heads()) {
      if (seq > (ever.get(origin) ?? 0)) ever.set(origin, seq)
    }
  }

  /** All that anybody ever logged in this document and that the snapshot counts as folded. */
  #checkSnapshot(host: HostId, document: DocumentId): void {
    const { durable } = this.#nodeOf(host).disk
    const { snapshot } = durable.readDocument(document)
    if (snapshot === undefined) return
    this.#held.delete(`${host} ${document}`)
    const { ledger } = this.#world.oracle
    for (const [origin, last] of snapshot.folded.entries()) {
      // Behind a fork there are two of a name; either may be meant.
      const end = Math.min(last, (ledger.forks.fromSeq(origin) ?? Infinity) - 1)
      for (let seq = 1; seq <= end; seq++) {
        const entry = ledger.entry(origin, seq)
        if (entry?.document === document) this.#mustHold(host, document, `${origin} ${seq}`, entry)
      }
    }
  }

  #checkEntries(
    host: HostId,
    origin: OriginId,
    firstSeq: number,
    records: readonly Uint8Array[],
  ): void {
    const { durable } = this.#nodeOf(host).disk
    const { ledger } = this.#world.oracle
    for (const [index, record] of records.entries()) {
      const seq = firstSeq + index
      const update = decodeUpdate(record)
      if (update === undefined || ledger.forks.covers(origin, seq)) continue
      const { snapshot } = durable.readDocument(update.document)
      if (snapshot === undefined || !snapshot.folded.covers({ origin, seq })) continue
      const entry = ledger.entry(origin, seq)
      if (entry === undefined || !bytesEqual(entry.record, record)) continue
      this.#mustHold(host, update.document, `${origin} ${seq}`, entry)
    }
  }

  #mustHold(
    host: HostId,
    document: DocumentId,
    name: string,
    { ops }: { readonly ops: Parameters<Coverage["missing"]>[0] },
  ): void {
    // Of what is deleted a snapshot holds nothing, and counts as holding all [R9].
    if (this.#world.oracle.ledger.deleted.has(document)) return
    const missing = this.#heldBy(host, document).missing(ops)
    demand(missing === undefined, INVARIANT, () => {
      const { node } = this.#nodeOf(host)
      return `${node}: the snapshot of ${document} counts as holding ${name}, and lacks ${missing}`
    })
  }

  #heldBy(host: HostId, document: DocumentId): Coverage {
    const key = `${host} ${document}`
    const known = this.#held.get(key)
    if (known !== undefined) return known
    const held = new Coverage()
    const { snapshot } = this.#nodeOf(host).disk.durable.readDocument(document)
    const { attempts } = this.#world.oracle
    if (snapshot !== undefined) held.add(attempts.opsOf(document, snapshot.state))
    this.#held.set(key, held)
    return held
  }

  /** Others are members from the first: they are configured. */
  #checkFloor(host: HostId, origin: OriginId, seq: number): void {
    const { disk, node } = this.#nodeOf(host)
    const { logBytesMax = Infinity } = this.#world.profile.compaction
    // Before this batch the log took more; how much, nobody knows any more.
    if (logBytesMax < 1e9 || disk.durable.floor(origin).seq > seq) return
    for (const other of this.#world.nodes) {
      // Who has no secret believes a stranger who says it was that node.
      const isDoubtful = this.#world.hostile.spokeAs.has(other.node)
      if (isDoubtful || isRetired(this.#nodeOf(host), other)) continue
      const ever = this.#ever.get(other.host)?.get(origin) ?? 0
      demand(ever >= seq, INVARIANT, () => {
        const had = `${other.node} never had more than ${ever}`
        return `${node} truncates ${origin} up to ${seq}, and ${had}`
      })
    }
  }

  onNodeEffect(
    { node }: SimNode,
    effect: Parameters<NonNullable<Watcher["onNodeEffect"]>>[1],
  ): void {
    if (effect.type !== "job" || effect.work.type !== "compact") return
    this.#jobs.set(`${node} ${effect.job}`, effect.work)
  }

  onNodeInput({ node }: SimNode, input: Input): void {
    if (input.type !== "job-done") return
    const name = `${node} ${input.job}`
    const work = this.#jobs.get(name)
    if (work === undefined || !this.#jobs.delete(name)) return
    this.#checkJob(node, work, input.result)
  }

  #checkJob(node: string, work: Extract<Job, { type: "compact" }>, result: JobResult): void {
    if (result.type !== "compact" || result.unreadable > 0) return
    const engine = this.#world.engines[work.engine]
    const before = contentOf(engine, engine.merge(work.parts))
    demand(contentOf(engine, result.compacted) === before, INVARIANT, () => {
      return `${node} folded ${work.parts.length} parts into something else`
    })
  }

  /** What is left over is no more than twice what it must be. */
  onRest(): void {
    const { compaction } = this.#world.profile
    for (const { host, node, disk } of this.#world.nodes) {
      const { logBytes, snapshotBytes } = disk.durable.sizes()
      let compacted = 0
      for (const document of disk.durable.documentIds()) {
        compacted += this.#leastBytes(disk.durable, document)
      }
      const bytes = logBytes + snapshotBytes
      const slackBytes = SLACK_BYTES + this.#recentBytes(host)
      const bytesMax = 2 * (compacted + (compaction.logBytesMax ?? Infinity)) + slackBytes
      demand(bytes <= bytesMax, INVARIANT, () => {
        return `${node} takes ${bytes} bytes for documents of ${compacted}`
      })
    }
  }

  /** A tail that is short, or short beside its snapshot, stays, whatever it deletes. Rule [K9]. */
  #leastBytes(durable: MemoryLog, document: DocumentId): number {
    const engine = this.#world.engines[partsOfDocumentId(document).engine]
    const folded = engine.compact(engine.merge(bodiesOf(durable, document))).length
    const { snapshot, entries } = durable.readDocument(document)
    if (snapshot === undefined) return folded
    const tailBytes = entries.reduce((sum, { record }) => sum + record.length, 0)
    const { tailEntriesMax = 0, tailBytesMax = 0 } = this.#world.profile.compaction
    const isLong = entries.length > tailEntriesMax || tailBytes > tailBytesMax
    if (isLong && tailBytes > snapshot.state.length / 2) return folded
    return Math.max(folded, engine.compact(snapshot.state).length)
  }

  onNodeEnded({ node }: SimNode): void {
    for (const name of this.#jobs.keys()) if (name.startsWith(`${node} `)) this.#jobs.delete(name)
  }
}

const INVARIANT = "fold-honesty"
const SLACK_BYTES = 65_536
/** One look finds a log past its cap, one folds, one moves floors; each may take a while. */
const LOOKS_MS = 4 * limits.sweepMs

export const foldHonesty: Invariant = {
  name: INVARIANT,
  explain: "a snapshot holds what it says and shows the same; floors wait for every node",
  watch: (world) => new FoldHonesty(world),
}
