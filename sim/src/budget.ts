/**
 * How long a healed cluster, or a healed core of one, may take to converge: rounds of whatever
 * waits longest, plus bytes through the narrowest place. Each term is a limit that the product
 * names, or something that this run drew; nothing is measured. Terms are worst cases, added up,
 * because one seed in ten thousand meets them all.
 */
import { limits } from "@causeway/crdt/base"
import type { Millis } from "@causeway/crdt/base"
import type { Attempts } from "./checkers/attempts.ts"
import type { Ledger } from "./checkers/ledger.ts"
import { DIAL_TIMEOUT_MS } from "./network.ts"
import type { Profile } from "./options.ts"
import type { HostId } from "./reachability.ts"
import type { SimNode } from "./sim-node.ts"
import type { SimWriter } from "./writer.ts"

export type Budget = {
  /** So long may nodes differ without a single entry becoming durable anywhere. */
  readonly stallMs: Millis
  /** From the heal until everything is level and at rest. */
  readonly totalMs: Millis
}

/** What is well from now on. */
export type Healed = {
  readonly nowMs: Millis
  readonly nodes: readonly SimNode[]
  readonly writers: readonly SimWriter[]
  readonly profile: Profile
  readonly ledger: Ledger
  readonly attempts: Attempts
  /** When what has no end of its own choosing (a host that does not read) is over. */
  readonly faultsEndMs: Millis
  /** How many times slower than usual the slowest disk was, and the slowest path. */
  readonly slowness: { readonly disk: number; readonly path: number }
}

/** Delays are drawn as 0.5 to 0.5 + many halves of the typical one; e^-16 are beyond this. */
const TAIL = 8.5
/** A stock client's watchdog: 30 s of silence, looked at every 3 s. */
const STOCK_SILENT_MS = 33_000
/** Published stock clients wait no longer than this between attempts. */
const STOCK_BACKOFF_MS = 2500

export function budgetOf(healed: Healed): Budget {
  const { nodes, writers, nowMs, faultsEndMs } = healed
  const leftoverMs = Math.max(0, faultsEndMs - nowMs)
  const stallMs = leftoverMs + nodesMs(healed)
  // Sessions that nobody ends are noticed by the node in the end.
  const sessionsMs = limits.clientSilentMs + limits.sweepMs
  const clientsMs = writers.length === 0 ? 0 : Math.max(clientMs(healed), sessionsMs)
  // What clients bring is passed on by nodes that are linked by then.
  const passOnMs = nodes.length > 1 && writers.length > 0 ? roundMs(healed) : 0
  return { stallMs, totalMs: stallMs + clientsMs + passOnMs + bytesMs(healed) }
}

/** From a heal until entries flow between nodes that differ. */
function nodesMs(healed: Healed): Millis {
  const { nodes, profile, slowness } = healed
  const { nodeDelayMs, detectionMsMax } = profile.network
  // What was written or sent before the heal goes on being slow.
  const diskMs = TAIL * profile.disk.appendMs * slowness.disk + limits.storeRetryMsMax
  if (nodes.length === 1) return diskMs
  const pathMs = TAIL * nodeDelayMs * slowness.path
  const silentMs = limits.linkSilentMs + limits.sweepMs
  const noticeMs = isTold(profile) ? Math.min(detectionMsMax, silentMs) : silentMs
  // The dial under way at the heal may fail, and the next one lose to a duplicate.
  const dialMs = 2 * (DIAL_TIMEOUT_MS + limits.linkHandshakeMs + limits.linkBackoffMsMax)
  return diskMs + pathMs + noticeMs + dialMs + roundMs(healed)
}

/** Whether the transport tells of every connection that is broken. */
function isTold({ faults }: Profile): boolean {
  return faults.every(({ fault }) => fault.name !== "half-open")
}

/** Linked nodes: each peer in turn may be asked in vain; then vectors tell. */
function roundMs({ nodes, profile }: Healed): Millis {
  const wantsMs = (nodes.length - 1) * limits.linkWantMs
  const vectorsMs = 3 * 1.5 * limits.linkVectorIntervalMs
  const tripsMs = 10 * TAIL * profile.network.nodeDelayMs
  return wantsMs + vectorsMs + tripsMs + TAIL * (profile.disk.appendMs + profile.disk.readMs)
}

/** From a heal until every client is connected, has drained and was told all. */
function clientMs(healed: Healed): Millis {
  const { profile, slowness } = healed
  const well = new Set(healed.nodes.map(({ host }) => host))
  const pathMs = TAIL * profile.network.clientDelayMs * (slowness.path + 10)
  const slowest = healed.writers.reduce(
    (most, writer) => Math.max(most, reconnectMs(writer, well)),
    0,
  )
  const silentMs = STOCK_SILENT_MS
  const noticeMs = isTold(profile) ? Math.min(profile.network.detectionMsMax, silentMs) : silentMs
  // A refused update, or a document that could not be served, is tried again.
  const retryMs = limits.storeRetryMsMax + DOCUMENT_RETRY_MS
  return noticeMs + slowest + pathMs + retryMs + TAIL * profile.clientStorageMs
}

const DOCUMENT_RETRY_MS = 30_000

/** An attempt under way, one at each place that is not well, and one that succeeds. */
function reconnectMs({ homes, kind }: SimWriter, well: ReadonlySet<HostId>): Millis {
  const attempts = 2 + homes.filter((host) => !well.has(host)).length
  const backOffMs = kind === "stock" ? STOCK_BACKOFF_MS : limits.clientBackoffMsMax
  return attempts * (limits.clientHandshakeMs + backOffMs)
}

/** What nodes lack of each other, and what clients have not handed over, piece by piece. */
function bytesMs(healed: Healed): Millis {
  const { network, disk, clientStorageMs } = healed.profile
  const storeMs = TAIL * (disk.appendMs + disk.readMs)
  const linkTripMs = 2 * TAIL * network.nodeDelayMs + storeMs
  const clientTripMs = 2 * TAIL * network.clientDelayMs + storeMs + TAIL * clientStorageMs
  const linkPieces = missingBytes(healed) / limits.linkFrameBytes
  const clientPieces = unsavedBytes(healed) / limits.clientFrameBytes
  return Math.ceil(linkPieces) * linkTripMs + Math.ceil(clientPieces) * clientTripMs
}

/** Entries that one of the nodes holds, times the nodes that lack them. */
function missingBytes({ nodes, ledger }: Healed): number {
  let bytes = 0
  const heads = new Map(nodes.flatMap(({ disk }) => [...disk.durable.heads()]))
  for (const origin of heads.keys()) {
    const seqs = nodes.map(({ disk }) => disk.durable.head(origin).seq)
    const last = Math.max(...seqs)
    for (const seq of seqs) {
      for (let next = seq + 1; next <= last; next++) {
        bytes += ledger.entry(origin, next)?.record.length ?? 0
      }
    }
  }
  return bytes
}

/** Written by one of the clients and on none of the nodes. */
function unsavedBytes({ nodes, writers, ledger, attempts }: Healed): number {
  const hosts = new Set(writers.map(({ host }) => host))
  let bytes = 0
  for (const { writer, document, ops, update, forgotten } of attempts.all) {
    if (forgotten || !hosts.has(writer)) continue
    const saved = nodes.some(({ host }) => ledger.holdings(host).coverage(document).has(ops))
    if (!saved) bytes += update.length
  }
  return bytes
}
