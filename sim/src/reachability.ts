/**
 * Which host can send to which, per direction: cuts, counted so that faults may overlap and
 * healing one never heals another, and slow stretches, of which the slowest under way counts.
 * While frozen, cuts neither begin nor end.
 */
import { assert } from "@causeway/crdt/base"
import type { Trace } from "./trace.ts"
import type { Watcher } from "./watcher.ts"

/** Numbers nodes and clients alike, as the trace names them. */
export type HostId = number

/** From, to: what is sent that way is lost. */
export type Direction = readonly [HostId, HostId]

/** More hosts than any run has. */
const HOSTS_MAX = 4096

export class Reachability {
  readonly #trace: Trace
  readonly #watch: Pick<Required<Watcher>, "onCut" | "onHealed">
  readonly #cuts = new Map<number, number>()
  /** How slow each stretch under way makes a direction, the slowest first; never empty. */
  readonly #slow = new Map<number, readonly number[]>()
  #frozen: ReadonlySet<number> | undefined

  constructor(trace: Trace, watch: Pick<Required<Watcher>, "onCut" | "onHealed">) {
    this.#trace = trace
    this.#watch = watch
  }

  isCut(from: HostId, to: HostId): boolean {
    const cuts = this.#frozen ?? this.#cuts
    return cuts.size > 0 && cuts.has(from * HOSTS_MAX + to)
  }

  /**
   * From here on what is cut stays cut, and `also` is, whoever heals; but nothing between two of
   * `well` is. Gives what ends that: then only what faults cut is cut again.
   */
  freeze(well: ReadonlySet<HostId>, also: readonly Direction[]): () => void {
    assert(this.#frozen === undefined, "frozen already")
    const frozen = new Set(also.map(([from, to]) => from * HOSTS_MAX + to))
    for (const key of this.#cuts.keys()) {
      if (!well.has(Math.floor(key / HOSTS_MAX)) || !well.has(key % HOSTS_MAX)) frozen.add(key)
    }
    this.#frozen = frozen
    const directions = [...frozen].map((key): Direction => {
      return [Math.floor(key / HOSTS_MAX), key % HOSTS_MAX]
    })
    this.#watch.onCut(directions)
    return once(() => {
      this.#frozen = undefined
      this.#watch.onHealed(directions)
    })
  }

  /** Times longer than usual that a frame takes. */
  slowness(from: HostId, to: HostId): number {
    return this.#slow.size === 0 ? 1 : (this.#slow.get(from * HOSTS_MAX + to)?.[0] ?? 1)
  }

  /** The slowness of the slowest direction. */
  get slowest(): number {
    return [...this.#slow.values()].reduce((most, [factor = 1]) => Math.max(most, factor), 1)
  }

  /** Cuts those directions and gives what heals them again. */
  cut(directions: readonly Direction[]): () => void {
    for (const [from, to] of directions) {
      const key = from * HOSTS_MAX + to
      this.#cuts.set(key, (this.#cuts.get(key) ?? 0) + 1)
      this.#trace.add("note", from, to, 1)
    }
    this.#watch.onCut(directions)
    return once(() => {
      for (const [from, to] of directions) {
        const key = from * HOSTS_MAX + to
        const count = (this.#cuts.get(key) ?? 1) - 1
        if (count === 0) this.#cuts.delete(key)
        else this.#cuts.set(key, count)
      }
      this.#watch.onHealed(directions)
    })
  }

  /** Slows those directions so many times, and gives what ends that. */
  slow(directions: readonly Direction[], factor: number): () => void {
    for (const [from, to] of directions) {
      const key = from * HOSTS_MAX + to
      const factors = [...(this.#slow.get(key) ?? []), factor]
      this.#slow.set(
        key,
        factors.sort((one, other) => other - one),
      )
    }
    return once(() => {
      for (const [from, to] of directions) this.#quicken(from * HOSTS_MAX + to, factor)
    })
  }

  /** One of the stretches of that factor is over; those alike stand for each other. */
  #quicken(key: number, factor: number): void {
    const factors = this.#slow.get(key) ?? []
    const left = factors.toSpliced(factors.indexOf(factor), 1)
    if (left.length === 0) this.#slow.delete(key)
    else this.#slow.set(key, left)
  }
}

/** Every direction between members of different groups. */
export function between(left: readonly HostId[], right: readonly HostId[]): Direction[] {
  return left.flatMap((one) =>
    right.flatMap((other): Direction[] => [
      [one, other],
      [other, one],
    ]),
  )
}

function once(run: () => void): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    run()
  }
}
