/**
 * What a run is asked for, and the profile that the seed draws for the rest (swarm testing: each
 * run has another mix of faults, delays and documents). Both are plain data; a run prints them.
 */
import { assert, limits } from "@causeway/crdt/base"
import type { DocumentId, Millis } from "@causeway/crdt/base"
import { compactionLimits } from "@causeway/crdt/node"
import type { CompactionConfig } from "@causeway/crdt/node"
import type { Catalogue } from "./catalogue.ts"
import type { DrawnFault, Fault, FaultEvent } from "./faults/index.ts"
import type { NetworkOptions } from "./network.ts"
import type { DiskOptions } from "./disk.ts"
import { SimRandom } from "./random.ts"
import type { LoadShape, Workload } from "./workloads/index.ts"

export type SimOptions = {
  readonly seed: number
  readonly nodes: number
  /** Native clients. */
  readonly clients: number
  /** So many of those are browsers with two or three tabs; none if not given. */
  readonly browsers?: number | undefined
  /** Clients show tokens, and nodes check them; not if not given. */
  readonly tokens?: boolean | undefined
  /** Stock y-websocket clients. */
  readonly stockClients: number
  /** Virtual seconds with faults and writes; then everything heals and must converge. */
  readonly seconds: number
  readonly writesPerSecond: number
  /**
   * Names, all of them on, each at a rate that the seed draws unless it is given: `crash:5` is
   * every 5 s on average. Undefined: the seed draws which are on.
   */
  readonly faults?: readonly string[] | undefined
  /** A name; undefined: the seed draws one. */
  readonly workload?: string | undefined
  /** These occurrences and no others, instead of drawn ones. */
  readonly schedule?: readonly FaultEvent[] | undefined
  /** Nobody writes any more after so many edits. */
  readonly writesMax?: number | undefined
}

export type Profile = LoadShape & {
  readonly network: NetworkOptions
  readonly disk: DiskOptions
  readonly jobMs: Millis
  readonly compaction: CompactionConfig
  /** Undefined: as nodes do by themselves. */
  readonly pushDelayMs: Millis | undefined
  readonly clientStorageMs: Millis
  readonly workload: Workload
  readonly documents: readonly DocumentId[]
  readonly documentsPerClient: number
  readonly skewMsMax: Millis
  readonly faults: readonly DrawnFault[]
}

/**
 * More than this many of one thing would be another kind of run. Each node links with all others,
 * so more of them than a node takes links could never all meet.
 */
export const sizeMax = { nodes: limits.linksMax / 2, clients: 500, seconds: 86_400 } as const

/** In how many runs of a swarm clients have tabs, and how many of them at most. */
const TABS = 0.4
const BROWSERS_MAX = 3
/** In how many nodes check tokens. */
const TOKENS = 0.3

/** Seeds fit 30 bits, so that any tool can pass them on. */
export const SEED_MAX: number = 2 ** 30 - 1

/** A run that one can watch. */
export function plainOptions(seed: number): SimOptions {
  return { seed, nodes: 3, clients: 6, stockClients: 2, seconds: 60, writesPerSecond: 10 }
}

/** A run of a swarm: the seed draws its size too. */
export function drawnOptions(seed: number): SimOptions {
  const random = new SimRandom(seed).split("size")
  return {
    seed,
    nodes: random.int(1, 7),
    clients: random.int(1, 12),
    stockClients: random.int(0, 3),
    seconds: 60,
    writesPerSecond: Math.round(random.logBetween(2, 40)),
    browsers: drawBrowsers(random.split("browsers")),
    tokens: random.split("tokens").chance(TOKENS),
  }
}

function drawBrowsers(random: SimRandom): number {
  return random.chance(TABS) ? random.int(1, BROWSERS_MAX) : 0
}

export function drawProfile(
  options: SimOptions,
  random: SimRandom,
  { faults, workloads }: Catalogue,
): Profile {
  const named = workloads.find(({ name }) => name === options.workload)
  assert(options.workload === undefined || named !== undefined, "no such workload")
  const drawn = drawWorkload(workloads, random)
  const workload = named ?? drawn
  return {
    network: {
      nodeDelayMs: random.logBetween(0.5, 80),
      clientDelayMs: random.logBetween(1, 60),
      socketBytesMax: Math.round(random.logBetween(4096, 1 << 20)),
      detectionMsMax: random.logBetween(500, 20_000),
    },
    disk: { appendMs: random.logBetween(0.2, 15), readMs: random.logBetween(0.05, 4) },
    jobMs: random.logBetween(0.05, 5),
    compaction: drawCompaction(random.split("compaction")),
    pushDelayMs: drawPushDelay(random.split("push")),
    clientStorageMs: random.logBetween(0.1, 20),
    workload,
    ...workload.documents(random.split("documents")),
    presencePerSecond: random.logBetween(0.2, 5),
    burst: random.logBetween(1, 8),
    bigShare: random.chance(0.3) ? random.logBetween(0.002, 0.1) : 0,
    bigBytesMax: Math.round(random.logBetween(4000, 400_000)),
    writesFactor: 1,
    writersShare: 1,
    ...workload.load,
    skewMsMax: random.logBetween(1, 100_000),
    faults: withScheduled(
      drawFaults(faults, options.faults, random.split("faults")),
      faults,
      options.schedule,
    ),
  }
}

/** Whoever reckons with what may happen is to know of all that does. */
function withScheduled(
  drawn: readonly DrawnFault[],
  faults: readonly Fault[],
  schedule: readonly FaultEvent[] = [],
): DrawnFault[] {
  const known = new Set(drawn.map(({ fault }) => fault.name))
  const named = new Set(schedule.map(({ fault }) => fault))
  const others = faults.filter(({ name }) => named.has(name) && !known.has(name))
  return [...drawn, ...others.map((fault) => ({ fault, everyMs: fault.everyMs[1] }))]
}

/** Far below what ships, so that a short run folds and truncates; some runs hardly do. */
function drawCompaction(random: SimRandom): CompactionConfig {
  const whole = (from: number, to: number) => Math.round(random.logBetween(from, to))
  return {
    tailEntriesMax: whole(3, 300),
    tailBytesMax: whole(500, 100_000),
    truncatedMax: whole(20, 1000),
    logBytesMax: random.chance(0.3) ? whole(3000, 300_000) : compactionLimits.logBytesMax,
  }
}

function drawPushDelay(random: SimRandom): Millis | undefined {
  return random.chance(1 / 3) ? random.logBetween(1, limits.pushDelayMsMax) : undefined
}

/** By weight. */
function drawWorkload(workloads: readonly Workload[], random: SimRandom): Workload {
  let left = random.next() * workloads.reduce((sum, { weight = 1 }) => sum + weight, 0)
  const drawn = workloads.find(({ weight = 1 }) => {
    left -= weight
    return left < 0
  })
  const last = drawn ?? workloads.at(-1)
  assert(last !== undefined, "a catalogue has workloads")
  return last
}

/** Each fault is on in two runs of three, unless they are named. */
function drawFaults(
  faults: readonly Fault[],
  names: readonly string[] | undefined,
  random: SimRandom,
): DrawnFault[] {
  return faults.flatMap((fault) => {
    const everyMs = random.logBetween(...fault.everyMs)
    const drawn = random.chance(2 / 3)
    if (names === undefined) return drawn ? [{ fault, everyMs }] : []
    const chosen = names.map((text) => text.split(":")).find(([name]) => name === fault.name)
    if (chosen === undefined) return []
    const seconds = chosen[1]
    return [{ fault, everyMs: seconds === undefined ? everyMs : Number(seconds) * 1000 }]
  })
}

/** So many digits that count, and never an exponent. */
function rounded(value: number, digits: number): number {
  return Number(value.toPrecision(digits))
}

/** `0.0512 ms`, `12 ms`, `2.26 s`. */
function duration(value: Millis, digits: number): string {
  const ms = rounded(value, digits)
  return ms < 1000 ? `${ms} ms` : `${ms / 1000} s`
}

/** The profile in one line per kind of thing. */
export function showProfile(profile: Profile): string[] {
  const { network, disk, faults, pushDelayMs } = profile
  const ms = (value: Millis): string => duration(value, 3)
  const pushed = pushDelayMs === undefined ? "at once" : `${ms(pushDelayMs)} apart`
  return [
    `network  node ${ms(network.nodeDelayMs)}, client ${ms(network.clientDelayMs)},` +
      ` socket ${network.socketBytesMax} B, cut noticed within ${ms(network.detectionMsMax)}`,
    `disk     append ${ms(disk.appendMs)}, read ${ms(disk.readMs)}, job ${ms(profile.jobMs)},` +
      ` client storage ${ms(profile.clientStorageMs)}, clock skew ${ms(profile.skewMsMax)}`,
    `load     ${profile.workload.name}: ${profile.documents.length} documents,` +
      ` ${profile.documentsPerClient} per client, bursts of ${profile.burst.toFixed(1)},` +
      ` ${rounded(100 * profile.bigShare, 2)} % up to ${profile.bigBytesMax} B`,
    `log      ${showCompaction(profile.compaction)}, pushed ${pushed}`,
    `faults   ${faults.map(showFault).join(", ") || "none"}`,
  ]
}

function showCompaction({ tailEntriesMax, tailBytesMax, logBytesMax }: CompactionConfig): string {
  return `folds tails over ${tailEntriesMax} entries or ${tailBytesMax} B, cap ${logBytesMax} B`
}

function showFault({ fault, everyMs }: DrawnFault): string {
  return `${fault.name} every ${duration(everyMs, 2)}`
}
