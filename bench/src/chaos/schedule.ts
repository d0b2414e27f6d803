/**
 * Who is hurt how and when, all of it drawn from the seed before anything starts. A run is rounds:
 * in each some faults overlap, then all heal and the cluster must become level, so every heal is a
 * check. Kinds come from a shuffled deck, so a run of a few rounds has met each of them. Invariant:
 * faults that stop or start a node do not overlap on it, and no round takes two disks.
 */
import { faultTypes, losesDisk, needOf, nodesHeld } from "./faults.ts"
import type { Fault, FaultType, Need, Pair } from "./faults.ts"
import { Random } from "./random.ts"

export type Step = { readonly atMs: number; readonly lastsMs: number; readonly fault: Fault }

export type Round = { readonly lastsMs: number; readonly steps: readonly Step[] }

export const profiles = ["all", "kills", "disk-destroyed"] as const

export type Profile = (typeof profiles)[number]

export type Wishes = {
  readonly seed: number
  readonly nodes: readonly string[]
  readonly minutes: number
  readonly profile: Profile
  /** Kills of the profile `kills`, or disks of `disk-destroyed`. */
  readonly count: number
  /** What the machine has. */
  readonly has: ReadonlySet<Need>
  /** The one whose disk can be filled. */
  readonly smallDisk: string
}

const roundMs = [9000, 18_000] as const
/** A heal and its checks take about so long; the number of rounds follows from it. */
const healMs = 8000
const stepsPerRound = [3, 6] as const
const startsWithin = 0.6
/** For a node to end and to start again: faults on one node are so far apart. */
const restartMs = 2500
const killsPerRound = 10
const disksPerRound = 1

export const nodeNames = ["a", "b", "c", "d", "e"] as const

/** The whole run, from the seed alone. */
export function planRounds(wishes: Wishes): Round[] {
  const random = new Random(wishes.seed).split("schedule")
  if (wishes.profile === "kills") return planKills(random, wishes)
  if (wishes.profile === "disk-destroyed") return planDisks(random, wishes)
  const deck = new Deck(
    random,
    faultTypes.filter((type) => isPossible(type, wishes)),
  )
  const meanMs = (roundMs[0] + roundMs[1]) / 2 + healMs
  const count = Math.max(1, Math.round((wishes.minutes * 60_000) / meanMs))
  return Array.from({ length: count }, () => planRound(random, deck, wishes))
}

function isPossible(type: FaultType, { has }: Wishes): boolean {
  const need = needOf(type)
  return need === undefined || has.has(need)
}

/** All kinds in a random order, then all again. */
class Deck {
  readonly #random: Random
  readonly #types: readonly FaultType[]
  #left: FaultType[] = []

  constructor(random: Random, types: readonly FaultType[]) {
    this.#random = random
    this.#types = types
  }

  /** The next kind that fits; others stay for later. */
  take(fits: (type: FaultType) => boolean): FaultType | undefined {
    const at = this.#left.findIndex(fits)
    if (at >= 0) return this.#left.splice(at, 1)[0]
    this.#left.push(...this.#random.shuffled(this.#types))
    const again = this.#left.findIndex(fits)
    return again < 0 ? undefined : this.#left.splice(again, 1)[0]
  }
}

function planRound(random: Random, deck: Deck, wishes: Wishes): Round {
  const lastsMs = random.int(...roundMs)
  const steps: Step[] = []
  const wanted = random.int(...stepsPerRound)
  for (let index = 0; index < wanted; index++) {
    const hasLost = steps.some(({ fault }) => losesDisk(fault.type))
    const type = deck.take((candidate) => !(hasLost && losesDisk(candidate)))
    if (type === undefined) break
    const step = drawStep(random, type, lastsMs, wishes)
    const clashes = steps.some((other) => isClash(step, other))
    if (!clashes) steps.push(step)
  }
  return { lastsMs, steps: inOrder(steps) }
}

function drawStep(random: Random, type: FaultType, roundLastsMs: number, wishes: Wishes): Step {
  const atMs = Math.round(random.next() * startsWithin * roundLastsMs)
  const left = roundLastsMs - atMs
  const lastsMs = Math.round(left * Math.min(1, 0.2 + 1.1 * random.next()))
  return { atMs, lastsMs, fault: drawFault(random, type, wishes) }
}

function drawFault(random: Random, type: FaultType, { nodes, smallDisk }: Wishes): Fault {
  switch (type) {
    case "split":
      return { type, groups: drawGroups(random, nodes) }
    case "client-cut":
      return { type, client: random.pick(nodes) }
    case "client-slicer":
      return { type, client: random.pick(nodes), bytes: random.int(4, 64) }
    case "rolling-restart":
      return { type, nodes: random.shuffled(nodes) }
    case "disk-full":
      return { type, node: smallDisk }
    case "kill":
    case "pause":
    case "wipe":
    case "restore":
      return { type, node: random.pick(nodes) }
    default:
      return drawOfPair(random, type, nodes)
  }
}

type OfPair = Extract<Fault, { readonly pair: Pair }>

function drawOfPair(random: Random, type: OfPair["type"], nodes: readonly string[]): OfPair {
  const [from = "", to = ""] = random.shuffled(nodes)
  const pair: Pair = [from, to]
  switch (type) {
    case "cut":
    case "one-way":
      return { type, pair }
    case "timeout":
      return { type, pair, closeMs: random.pick([0, 1000, 4000]) }
    case "latency":
      return { type, pair, ms: random.int(20, 400), jitterMs: random.int(0, 100) }
    case "bandwidth":
      return { type, pair, kilobytesPerSecond: random.int(1, 20) }
    case "slicer":
      return { type, pair, bytes: random.int(4, 64), delayUs: random.int(0, 2000) }
    case "reset-peer":
      return { type, pair, afterMs: random.int(0, 800) }
  }
}

/** Two sides, all apart, or a bridge that two others both reach. */
function drawGroups(random: Random, nodes: readonly string[]): string[][] {
  const [first = "", ...others] = random.shuffled(nodes)
  const kind = random.int(0, 2)
  if (kind === 0) return [first, ...others].map((node) => [node])
  const half = random.int(1, others.length - 1)
  const bridge = kind === 1 ? [first] : []
  const left = kind === 1 ? others.slice(0, half) : [first]
  const right = kind === 1 ? others.slice(half) : others
  return [
    [...left, ...bridge],
    [...bridge, ...right],
  ]
}

function isClash(step: Step, other: Step): boolean {
  const held = nodesHeld(other.fault)
  if (!nodesHeld(step.fault).some((node) => held.includes(node))) return false
  const [first, second] = step.atMs < other.atMs ? [step, other] : [other, step]
  return second.atMs < first.atMs + first.lastsMs + restartMs
}

function inOrder(steps: readonly Step[]): Step[] {
  return [...steps].sort((left, right) => left.atMs - right.atMs)
}

/** One SIGKILL after the other of random nodes, now and then of two at once. */
function planKills(random: Random, { nodes, count }: Wishes): Round[] {
  const rounds: Round[] = []
  for (let left = count; left > 0; left -= killsPerRound) {
    const free = new Map<string, number>()
    let atMs = 300
    const steps = Array.from({ length: Math.min(left, killsPerRound) }, (): Step => {
      const node = random.pick(nodes)
      const lastsMs = random.int(0, 400)
      atMs = Math.max(atMs + random.int(100, 900), free.get(node) ?? 0)
      free.set(node, atMs + lastsMs + restartMs)
      return { atMs, lastsMs, fault: { type: "kill", node } }
    })
    rounds.push({ lastsMs: atMs + restartMs, steps })
  }
  return rounds
}

/**
 * One disk a round, at any moment; the cluster is level again before the next one goes. Acks are
 * made hard: lines to the node that goes are slow, and half of the time it is cut off before.
 */
function planDisks(random: Random, { nodes, count, has }: Wishes): Round[] {
  return Array.from({ length: Math.ceil(count / disksPerRound) }, () => {
    const atMs = random.int(1500, 6000)
    const lastsMs = random.int(0, 1500)
    const node = random.pick(nodes)
    const others = nodes.filter((name) => name !== node)
    const steps: Step[] = [{ atMs, lastsMs, fault: { type: "wipe", node } }]
    const ms = random.int(20, 300)
    const isCut = random.chance(0.5)
    const cutMs = random.int(500, 1400)
    if (has.has("toxiproxy")) {
      for (const other of others) {
        const fault: Fault = { type: "latency", pair: [node, other], ms, jitterMs: 10 }
        steps.push({ atMs: 0, lastsMs: atMs, fault })
      }
      const fault: Fault = { type: "split", groups: [[node], others] }
      if (isCut) steps.push({ atMs: atMs - cutMs, lastsMs: cutMs, fault })
    }
    return { lastsMs: atMs + lastsMs + restartMs, steps: inOrder(steps) }
  })
}
