/**
 * When something kept nodes from hearing each other: a pause, a stalled socket, a slow path, or a
 * fault of which nobody says whom it hit. It says up to when one has to know what another had.
 */
import { limits } from "@causeway/crdt/base"
import type { Millis } from "@causeway/crdt/base"
import type { ScoreboardRow } from "../faults/fault.ts"
import type { HostId } from "../reachability.ts"
import type { World } from "../world.ts"

/** Of a frame's delay, a typical one; far more than nearly all take. */
const TAIL = 10
/** Clocks are so many times slower at most. */
const SLOW_CLOCK_MAX = 1.12
/** How often it is looked who can't be heard; faults that begin are seen at once. */
const LOOK_MS = 1000
/** Faults of which nobody says whom they hit, and how much older they can make any node. */
const AGEING: ReadonlySet<string> = new Set<ScoreboardRow>(["duplicate", "reorder between links"])
/** A message that is said again comes so much later at most. */
const REPEATED_MS_MAX = 5000
/** Stretches that are kept of each path: the newest. */
const STRETCHES_MAX = 200

type Stretch = { readonly fromMs: Millis; toMs: Millis }

export class Deafness {
  readonly #world: World
  /** Of ageing faults, by name; undefined: that fault makes nobody older. */
  readonly #lastsMsMax = new Map<string, Millis>()
  /** By path, host, and for all. */
  readonly #stretches = new Map<string, Stretch[]>()

  constructor(world: World) {
    this.#world = world
    for (const { fault } of world.profile.faults) {
      if (AGEING.has(fault.row)) this.#lastsMsMax.set(fault.name, fault.lastsMs[1])
    }
  }

  onFault(fault: string, state: "begins" | "ends"): void {
    this.onTick()
    const lastsMs = this.#lastsMsMax.get(fault)
    if (lastsMs === undefined || state === "ends") return
    const { nowMs } = this.#world.scheduler
    this.#note("all", nowMs, nowMs + lastsMs + REPEATED_MS_MAX)
  }

  /** Notes which nodes can't hear now, or not from whom. */
  onTick(): void {
    const { scheduler, network, nodes, profile } = this.#world
    const { nowMs } = scheduler
    const { reading, reachability } = network
    for (const { host, isPaused } of nodes) {
      const isStalled = reading.readsAtMs(host, 0) > nowMs || reading.takesMs(host, 1) > 0
      if (isPaused || isStalled) this.#note(`${host}`, nowMs - LOOK_MS, nowMs + LOOK_MS)
      for (const { host: from } of nodes) {
        const slowness = reachability.slowness(from, host)
        const lateMs = LOOK_MS + TAIL * profile.network.nodeDelayMs * slowness
        if (slowness > 1) this.#note(`${from} ${host}`, nowMs - LOOK_MS, nowMs + lateMs)
      }
    }
  }

  #note(where: string, fromMs: Millis, toMs: Millis): void {
    const stretches = this.#stretches.get(where) ?? []
    this.#stretches.set(where, stretches)
    const last = stretches.at(-1)
    if (last !== undefined && fromMs <= last.toMs) last.toMs = Math.max(last.toMs, toMs)
    else stretches.push({ fromMs, toMs })
    if (stretches.length > STRETCHES_MAX) stretches.shift()
  }

  /**
   * What `shower` showed until then, `serving` has or knows that it lacks at `atMs`: since then it
   * could hear for as long as it takes to notice that a peer fell silent, and to dial once more.
   */
  knownUntilMs(shower: HostId, serving: HostId, atMs: Millis): Millis {
    const { nodeDelayMs } = this.#world.profile.network
    const timersMs = limits.linkSilentMs + limits.linkBackoffMsMax + limits.sweepMs
    let leftMs = timersMs * SLOW_CLOCK_MAX + TAIL * nodeDelayMs
    let untilMs = atMs
    const stretches = ["all", `${serving}`, `${shower} ${serving}`]
      .flatMap((where) => this.#stretches.get(where) ?? [])
      .toSorted((one, other) => other.toMs - one.toMs)
    for (const { fromMs, toMs } of stretches) {
      if (fromMs >= untilMs) continue
      if (untilMs - toMs >= leftMs) break
      leftMs -= Math.max(0, untilMs - toMs)
      untilMs = fromMs
    }
    return untilMs - leftMs
  }
}
