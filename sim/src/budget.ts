/**
 * How long a healed cluster, or a healed core of one, may wait for each thing that it waits for
 * (`Cause`). Each wait begins when what it needs is there, at the heal, or when a node started
 * after it; waits at the same time are not added up, so that one that is ten times too long is
 * seen (`sim/mutants/*-back-off-times-ten.patch`). Each term is a limit that the product names, or
 * something that this run drew or did; nothing is measured:
 *
 *   links    max(leftover, dial, notice) + back-off + trips
 *   clients  max(leftover, dial, notice) + back-off + trips; more for homes that are not well
 *   updates  (clients) slow disk + retries of store, update and document + trips for each piece
 *   forks    (links) for each branch: a pause between openings, a look, a probe, an opening
 *   level    (links, updates, forks) slow disk + a round of questions + trips for each piece
 *   tiers    (level) a round of questions + what is lost is found out
 *   shown    (level) a document that is opened again + trips
 *   rest     max(leftover, silence of whoever is left) + trips
 *
 * `notice`, if a connection is broken at the heal, is when its ends know: silence tells, or the
 * transport does after the next heartbeat. `back-off` is the longest that so many dials allow.
 */
import { limits } from "@causeway/crdt/base"
import type { Millis } from "@causeway/crdt/base"
import { clientLimits } from "@causeway/crdt/client"
import type { Attempts } from "./checkers/attempts.ts"
import type { Cause } from "./checkers/final.ts"
import type { Ledger } from "./checkers/ledger.ts"
import { DIAL_TIMEOUT_MS } from "./network.ts"
import type { Profile } from "./options.ts"
import type { Direction, HostId } from "./reachability.ts"
import type { SimNode } from "./sim-node.ts"
import type { SimWriter } from "./writer.ts"

export type Budget = Readonly<Record<Cause, Millis>> & {
  /** So long may nodes differ without a single entry becoming durable anywhere. */
  readonly stallMs: Millis
}

/** How many times slower than usual the slowest of each was before. */
export type Slowness = { readonly disk: number; readonly job: number; readonly path: number }

/** What is well from now on. */
export type Healed = {
  readonly nowMs: Millis
  readonly nodes: readonly SimNode[]
  readonly writers: readonly SimWriter[]
  /** Nodes that are not well, and may be linked with those that are. */
  readonly others: number
  readonly profile: Profile
  readonly ledger: Ledger
  readonly attempts: Attempts
  /** When what has no end of its own choosing (a host that does not read) is over. */
  readonly lingersUntilMs: Millis
  /** Who holds an end of a broken connection without knowing, and to whom. */
  readonly torn: readonly Direction[]
  readonly slowness: Slowness
}

/** A stock client's watchdog: 30 s of silence, looked at every 3 s; it speaks this often. */
const STOCK_SILENT_MS = 33_000
const STOCK_SAYS_MS = 18_000
/** Published stock clients wait no longer than this between attempts. */
const STOCK_BACKOFF_MS = 2500
const CLOSE_MS = 2000
/** What a tier waits for in vain is given up after that ([T6]). */
const LOST_MS = limits.linkSilentMs + 5000
/** An entry's own node is given time to push it; one that was asked may be lost; one answers. */
const WANTS = 3
/** Questions to find where two logs part: no log has more entries than two to the power of it. */
const PROBES = 20
/** A liar that comes back is believed once more. */
const LIARS = 2

export function budgetOf(healed: Healed): Budget {
  const { nodes, nowMs, lingersUntilMs, profile, slowness } = healed
  const { appendMs, readMs } = profile.disk
  const leftoverMs = Math.max(0, lingersUntilMs - nowMs)
  // What was written before the heal goes on being slow.
  const { disk, job } = slowness
  const diskMs = tripsMs(1, appendMs * disk + profile.jobMs * job) + limits.storeRetryMsMax
  const serveMs = tripsMs(10, appendMs + readMs + profile.jobMs)
  const roundMs = diskMs + serveMs + questionsMs(healed)
  return {
    links: nodes.length === 1 ? 0 : linksMs(healed, leftoverMs),
    clients: clientsMs(healed, leftoverMs) + diskMs + serveMs,
    updates: diskMs + serveMs + updatesMs(healed),
    forks: forksMs(healed, roundMs),
    level: roundMs + linkBytesMs(healed),
    tiers: roundMs + LOST_MS + 3 * limits.sweepMs,
    shown: clientLimits.reopenBackoffMsMax + serveMs + tripsMs(4, profile.network.clientDelayMs),
    rest: restMs(healed, leftoverMs),
    stallMs: roundMs,
  }
}

/**
 * What `count` delays of that kind, one after the other, do not exceed: each is drawn as half of
 * the typical one and as much again on average, without a bound.
 */
function tripsMs(count: number, typicalMs: Millis): Millis {
  return (count + 8) * typicalMs
}

/** An end learns of a broken connection when it says something, unless silence tells first. */
function noticeMs({ faults, network }: Profile, saysMs: Millis, silentMs: Millis): Millis {
  const isTold = faults.every(({ fault }) => fault.name !== "half-open")
  return isTold ? Math.min(saysMs + network.detectionMsMax, silentMs) : silentMs
}

function linksMs({ nodes, profile, slowness, torn }: Healed, leftoverMs: Millis): Millis {
  const { nodeDelayMs } = profile.network
  const silentMs = noticeMs(profile, limits.linkPingMs, limits.linkSilentMs + limits.sweepMs)
  const well = new Set(nodes.map(({ host }) => host))
  const isTorn = torn.some(([from, to]) => well.has(from) && well.has(to))
  const tornMs = isTorn ? Math.max(silentMs, limits.linkHandshakeMs + limits.sweepMs) : 0
  const slowMs = slowness.path > 1 ? tripsMs(2, nodeDelayMs * slowness.path) : 0
  const brokenMs = Math.max(leftoverMs, DIAL_TIMEOUT_MS, tornMs) + slowMs
  return brokenMs + limits.linkBackoffMsMax + tripsMs(8, nodeDelayMs)
}

/** From a heal until every client is connected. */
function clientsMs(healed: Healed, leftoverMs: Millis): Millis {
  const { profile, slowness } = healed
  const { clientDelayMs } = profile.network
  const well = new Set(healed.nodes.map(({ host }) => host))
  const slowMs = slowness.path > 1 ? tripsMs(2, clientDelayMs * slowness.path) : 0
  const each = healed.writers.map((writer) => {
    const { tornMs, backOffMs } =
      writer.kind === "stock" ? stockMs(profile) : nativeMs(writer, well, profile)
    // Others than those who are well are beyond a cut from now on.
    const isLost = writer.node !== undefined && !well.has(writer.node)
    const isTorn = isLost || healed.torn.some(([from]) => from === writer.host)
    const brokenMs = Math.max(leftoverMs, DIAL_TIMEOUT_MS, isTorn ? tornMs : 0)
    return brokenMs + slowMs + backOffMs
  })
  return Math.max(0, ...each) + tripsMs(8, clientDelayMs) + tripsMs(2, profile.clientStorageMs)
}

type Reconnect = { readonly tornMs: Millis; readonly backOffMs: Millis }

function stockMs(profile: Profile): Reconnect {
  const silentMs = noticeMs(profile, STOCK_SAYS_MS, STOCK_SILENT_MS)
  return { tornMs: silentMs, backOffMs: STOCK_BACKOFF_MS }
}

function nativeMs(
  { homes, dials }: SimWriter,
  well: ReadonlySet<HostId>,
  profile: Profile,
): Reconnect {
  const { clientHeartbeatMs, clientHandshakeMs, clientBackoffMsMin, clientBackoffMsMax } = limits
  const silentMs = noticeMs(profile, clientHeartbeatMs, 3 * clientHeartbeatMs)
  // One home that is well has failed once more than one that is not, at most.
  const tries = 2 * homes.filter((host) => !well.has(host)).length
  let backOffMs = 0
  for (let index = 0; index <= tries; index++) {
    const ceilingMs = clientBackoffMsMin * 2 ** (dials + index - 1)
    backOffMs += Math.min(clientBackoffMsMax, ceilingMs) + (index === 0 ? 0 : DIAL_TIMEOUT_MS)
  }
  return { tornMs: Math.max(silentMs, clientHandshakeMs), backOffMs }
}

/** From a connection until what was refused before is taken, piece by piece. */
function updatesMs(healed: Healed): Millis {
  if (healed.writers.length === 0) return 0
  const { network, disk, clientStorageMs } = healed.profile
  const pieces = Math.ceil(unsavedBytes(healed) / limits.clientFrameBytes)
  const delayMs = 2 * network.clientDelayMs + disk.appendMs + disk.readMs + clientStorageMs
  const retryMs = clientLimits.resendBackoffMsMax + clientLimits.reopenBackoffMsMax
  return retryMs + tripsMs(pieces, delayMs)
}

/** Linked nodes: whoever is asked in vain costs a while; then vectors tell. */
function questionsMs({ nodes, others, profile }: Healed): Millis {
  if (nodes.length === 1) return 0
  const isLiedTo = profile.faults.some(({ fault }) => fault.name === "lying-peer")
  const vain = WANTS + others + (isLiedTo ? LIARS : 0)
  const vectorsMs = 3 * 1.5 * limits.linkVectorIntervalMs
  return vain * limits.linkWantMs + vectorsMs + tripsMs(10, profile.network.nodeDelayMs)
}

/**
 * Each opening for a fork leaves one branch less, but a process pauses between two of a kind, and
 * those before the heal count: it doubles with each folder that was put back.
 */
function forksMs({ ledger, profile }: Healed, roundMs: Millis): Millis {
  const { branches } = ledger.forks
  if (branches === 0) return 0
  const probeMs = tripsMs(2 * PROBES, profile.network.nodeDelayMs + profile.disk.readMs)
  const linkMs = limits.linkBackoffMsMax + tripsMs(8, profile.network.nodeDelayMs)
  const openingMs = 2 * limits.sweepMs + limits.linkWantMs + probeMs + linkMs + roundMs
  const pauseMs = Math.min(limits.reopenPauseMs * 2 ** branches, limits.reopenPauseMsMax)
  return branches * openingMs + pauseMs
}

/** What nodes lack of each other, piece by piece. */
function linkBytesMs(healed: Healed): Millis {
  const { network, disk } = healed.profile
  const pieces = Math.ceil(missingBytes(healed) / limits.linkFrameBytes)
  return tripsMs(pieces, 2 * network.nodeDelayMs + disk.appendMs + disk.readMs)
}

/** Sessions that nobody ends are noticed by the node in the end. */
function restMs({ profile, slowness }: Healed, leftoverMs: Millis): Millis {
  const { network, faults } = profile
  const delayMs = Math.max(network.nodeDelayMs, network.clientDelayMs)
  const nativeSilentMs = limits.clientSilentMs + limits.sweepMs
  const stockSilentMs = limits.stockHeartbeatMs + limits.sweepMs + network.detectionMsMax
  // A full socket is given no heartbeat.
  const isDeaf = faults.some(
    ({ fault }) => fault.row === "slow receiver" || fault.name === "deaf-client",
  )
  const deafMs = isDeaf ? limits.congestedMs + limits.sweepMs : 0
  const silentMs = Math.max(leftoverMs, nativeSilentMs, stockSilentMs, deafMs, STOCK_SILENT_MS)
  return silentMs + CLOSE_MS + tripsMs(4, delayMs * slowness.path)
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
