/**
 * Who could reach whom: the nodes' side of every cut, who was up, and from both the sides of a
 * split (nodes that can talk in both directions, over others where need be). The states that
 * lasted longest are kept whole, to be drawn.
 */
import type { Millis } from "@causeway/crdt/base"
import type { Direction } from "../reachability.ts"
import { Lane } from "./lane.ts"

/** A state of the network between the nodes, from when to when. */
export type Reachability = {
  readonly fromMs: Millis
  readonly toMs: Millis
  /** From, to: nodes that are up and can't send that way. */
  readonly cuts: readonly Direction[]
  readonly down: readonly number[]
  /** Of each node. */
  readonly sides: readonly Side[]
}

/**
 * The number of its side of a split, the biggest being 0; `alone`: others are up, and none of
 * them is on its side; undefined: it is down.
 */
export type Side = number | "alone" | undefined

/** Some nodes can't talk to some others at all. */
export function isSplit(sides: readonly Side[]): boolean {
  return sides.some((side) => side === "alone" || (side !== undefined && side > 0))
}

/** So many and no more are kept, those that weigh most, each of them once. */
const STATES_MAX = 24
const CUT_WEIGHT = 4
const SPLIT_WEIGHT = 8
/** Up to so many nodes each pair has a lane of its own. */
export const PAIRED_NODES_MAX = 5

export type Pair = { readonly one: number; readonly other: number; readonly lane: Lane }

export class Reach {
  readonly sides: readonly Lane[]
  readonly pairs: readonly Pair[]
  readonly #count: number
  readonly #cuts: number[]
  readonly #up: boolean[]
  readonly #states: Reachability[] = []
  #sinceMs: Millis = 0
  #sidesNow: readonly Side[]

  constructor(count: number) {
    this.#count = count
    this.#cuts = Array.from({ length: count * count }, () => 0)
    this.#up = Array.from({ length: count }, () => false)
    this.sides = this.#up.map(() => new Lane())
    this.#sidesNow = this.#up.map(() => undefined)
    const nodes = count <= PAIRED_NODES_MAX ? [...this.#up.keys()] : []
    this.pairs = nodes.flatMap((one) =>
      nodes.slice(one + 1).map((other) => ({ one, other, lane: new Lane() })),
    )
  }

  /** `by`: 1 for a cut, -1 for its heal. Directions from and to others than nodes are ignored. */
  change(nowMs: Millis, directions: readonly Direction[], by: 1 | -1): void {
    const between = directions.filter(([from, to]) => from < this.#count && to < this.#count)
    if (between.length === 0) return
    this.#keep(nowMs)
    for (const [from, to] of between) {
      const index = from * this.#count + to
      this.#cuts[index] = Math.max(0, (this.#cuts[index] ?? 0) + by)
    }
    this.#update(nowMs)
  }

  setUp(nowMs: Millis, node: number, up: boolean): void {
    if (this.#up[node] === up) return
    this.#keep(nowMs)
    this.#up[node] = up
    this.#update(nowMs)
  }

  /** The states worth drawing, in order of time. */
  states(nowMs: Millis): readonly Reachability[] {
    this.#keep(nowMs)
    return this.#states.toSorted((left, right) => left.fromMs - right.fromMs)
  }

  #isCut(from: number, to: number): boolean {
    return (this.#cuts[from * this.#count + to] ?? 0) > 0
  }

  #update(nowMs: Millis): void {
    this.#sinceMs = nowMs
    this.#sidesNow = sidesOf(
      this.#up,
      (from, to) => !this.#isCut(from, to) && !this.#isCut(to, from),
    )
    const split = isSplit(this.#sidesNow)
    for (const [node, lane] of this.sides.entries()) {
      const side = this.#sidesNow[node]
      if (side === undefined) lane.set(nowMs, undefined)
      else if (split) lane.set(nowMs, String(side))
      else lane.set(nowMs, this.#isLimited(node) ? "limited" : undefined)
    }
    for (const { one, other, lane } of this.pairs) {
      lane.set(nowMs, directionWord(this.#isCut(one, other), this.#isCut(other, one)))
    }
  }

  /** Some other node can't be reached, or can't reach it, directly. */
  #isLimited(node: number): boolean {
    return this.#up.some(
      (up, other) => up && (this.#isCut(node, other) || this.#isCut(other, node)),
    )
  }

  /** The present state ends now; is it one of those to keep? */
  #keep(nowMs: Millis): void {
    const least = this.#states.at(-1)
    const lasted = nowMs - this.#sinceMs
    const isFull = this.#states.length >= STATES_MAX
    if (lasted <= 0) return
    if (isFull && least !== undefined && SPLIT_WEIGHT * lasted <= weight(least)) return
    const state = this.#state(nowMs)
    if (state.cuts.length === 0 && state.down.length === 0) return
    const same = this.#states.findIndex((other) => isSame(other, state))
    const before = this.#states[same]
    if (before !== undefined && weight(before) >= weight(state)) return
    if (before !== undefined) this.#states.splice(same, 1)
    this.#states.push(state)
    this.#states.sort((left, right) => weight(right) - weight(left))
    if (this.#states.length > STATES_MAX) this.#states.pop()
  }

  #state(nowMs: Millis): Reachability {
    const nodes = [...this.#up.keys()]
    const isUp = (node: number): boolean => this.#up[node] === true
    const cuts = nodes.filter(isUp).flatMap((from) => {
      const unreachable = nodes.filter((to) => isUp(to) && this.#isCut(from, to))
      return unreachable.map((to): Direction => [from, to])
    })
    const down = nodes.filter((node) => !isUp(node))
    return { fromMs: this.#sinceMs, toMs: nowMs, cuts, down, sides: this.#sidesNow }
  }
}

function isSame(left: Reachability, right: Reachability): boolean {
  return left.down.join() === right.down.join() && left.cuts.join() === right.cuts.join()
}

/** How much a state says: a split more than a cut, and that more than a mere crash. */
export function weight({ fromMs, toMs, cuts, sides }: Reachability): number {
  const isCut = cuts.length > 0 ? CUT_WEIGHT : 1
  return (toMs - fromMs) * (cuts.length > 0 && isSplit(sides) ? SPLIT_WEIGHT : isCut)
}

function directionWord(there: boolean, back: boolean): string | undefined {
  if (there && back) return "both"
  if (there) return "there"
  return back ? "back" : undefined
}

/** Numbers the groups of nodes that talk to each other, the biggest first. */
function sidesOf(
  up: readonly boolean[],
  talk: (one: number, other: number) => boolean,
): readonly Side[] {
  const groups: number[][] = []
  const seen = new Set<number>()
  for (const first of up.keys()) {
    if (up[first] !== true || seen.has(first)) continue
    seen.add(first)
    const group = [first]
    // Grows while it is walked.
    for (const node of group) {
      for (const other of up.keys()) {
        if (up[other] !== true || seen.has(other) || !talk(node, other)) continue
        seen.add(other)
        group.push(other)
      }
    }
    groups.push(group)
  }
  groups.sort((left, right) => right.length - left.length)
  const sides: Side[] = up.map(() => undefined)
  for (const [side, group] of groups.entries()) {
    for (const node of group) sides[node] = group.length === 1 && groups.length > 1 ? "alone" : side
  }
  return sides
}
