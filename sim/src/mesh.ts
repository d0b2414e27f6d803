/**
 * How fast and how dear a healthy mesh of many far nodes is, on virtual time: from the moment that
 * an update is durable where it was written until it is on another disk, and how many frames
 * between nodes that takes. Nothing breaks here, and delays are steady.
 */
import { assert } from "@causeway/crdt/base"
import type { ConnectionId, Millis, OriginId } from "@causeway/crdt/base"
import { linkTags } from "@causeway/crdt/protocol"
import type { AppendBatch } from "@causeway/crdt/ports"
import { Cluster } from "./cluster.ts"
import { drawProfile } from "./options.ts"
import type { SimOptions } from "./options.ts"
import { SimRandom } from "./random.ts"
import type { HostId } from "./reachability.ts"
import type { Watcher } from "./watcher.ts"
import { Workload } from "./workload.ts"
import { allWorkloads } from "./workloads/index.ts"

export type MeshOptions = {
  readonly seed: number
  readonly nodes: number
  readonly delayMs: Millis
  readonly seconds: number
  readonly writesPerSecond: number
  /** Undefined: what nodes do by themselves. */
  readonly pushDelayMs: Millis | undefined
}

export type MeshReport = {
  readonly writes: number
  /** From disk to disk, one for each update and other node; in order. */
  readonly latenciesMs: readonly Millis[]
  readonly entriesFrames: number
  readonly vectorFrames: number
  readonly wantFrames: number
}

/** Until all have greeted each other and are at rest. */
const SETTLE_MS = 15_000
/** Until the last write is everywhere. */
const DRAIN_MS = 5000

class Meter implements Watcher {
  readonly #cluster: Cluster
  readonly #writtenMs = new Map<OriginId, Map<number, Millis>>()
  readonly frames = new Map<number, number>()
  readonly latenciesMs: Millis[] = []
  writes = 0
  isOn = false

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  onDurable(host: HostId, batch: AppendBatch, firstSeq: number): void {
    if (!this.isOn) return
    const { nowMs } = this.#cluster.scheduler
    const origin = this.#cluster.nodes[host]?.disk.durable.origin
    assert(origin !== undefined, "a node's disk")
    const own = this.#writtenMs.get(origin) ?? new Map<number, Millis>()
    this.#writtenMs.set(origin, own)
    for (const index of batch.own.keys()) own.set(firstSeq + index, nowMs)
    this.writes += batch.own.length
    for (const run of batch.adopted) {
      const written = this.#writtenMs.get(run.origin)
      for (const index of run.records.keys()) {
        const atMs = written?.get(run.firstSeq + index)
        if (atMs !== undefined) this.latenciesMs.push(nowMs - atMs)
      }
    }
  }

  onArrived(from: HostId, to: HostId, _connection: ConnectionId, frame: Uint8Array): void {
    const { length } = this.#cluster.nodes
    if (!this.isOn || from >= length || to >= length) return
    const tag = frame[0] ?? 0
    this.frames.set(tag, (this.frames.get(tag) ?? 0) + 1)
  }
}

export function measureMesh({ delayMs, pushDelayMs, ...size }: MeshOptions): MeshReport {
  const random = new SimRandom(size.seed)
  const options: SimOptions = { ...size, clients: 2 * size.nodes, stockClients: 0, faults: [] }
  const workloads = allWorkloads.filter(({ name }) => name === "yjs-map-array")
  const catalogue = { faults: [], workloads, invariants: [] }
  const drawn = drawProfile(options, random.split("profile"), catalogue)
  const profile = {
    ...drawn,
    network: {
      nodeDelayMs: delayMs,
      clientDelayMs: 1,
      isSteady: true,
      socketBytesMax: 1 << 20,
      detectionMsMax: 1000,
    },
    disk: { appendMs: 1, readMs: 0.1 },
    clientStorageMs: 0.5,
    presencePerSecond: 0,
    burst: 1,
    bigShare: 0,
    compaction: {},
    pushDelayMs,
  }
  const cluster = new Cluster(options, profile, random)
  const meter = new Meter(cluster)
  cluster.watch.add(meter)
  const workload = new Workload(cluster, random.split("workload"), profile, options)
  cluster.start()
  const { scheduler } = cluster
  scheduler.runUntil(SETTLE_MS)
  meter.isOn = true
  workload.start()
  scheduler.runUntil(SETTLE_MS + size.seconds * 1000)
  workload.stop()
  scheduler.runUntil(scheduler.nowMs + DRAIN_MS)
  for (const { replicas } of cluster.writers) for (const replica of replicas) replica.close()
  const count = (tag: number): number => meter.frames.get(tag) ?? 0
  return {
    writes: meter.writes,
    latenciesMs: meter.latenciesMs.toSorted((one, other) => one - other),
    entriesFrames: count(linkTags.entries),
    vectorFrames: count(linkTags.vector),
    wantFrames: count(linkTags.want),
  }
}
