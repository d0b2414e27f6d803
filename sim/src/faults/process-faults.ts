/** Faults of processes that do not lose anything: stopped for a while, replaced in order. */
import type { Millis } from "@causeway/crdt/base"
import type { SimNode } from "../sim-node.ts"
import type { World } from "../world.ts"
import type { Fault } from "./fault.ts"

const pause: Fault = {
  name: "pause",
  explain: "a node's process stands still (SIGSTOP): nothing is handled until it goes on",
  row: "process pause",
  everyMs: [5000, 40_000],
  lastsMs: [5, 40_000],
  inject(world, random, lastsMs) {
    const node = random.pick(world.nodes)
    if (!node.running || node.isPaused) return "skipped"
    const { life, host } = node
    node.pause(world.scheduler.nowMs + lastsMs)
    const end = (): void => {
      if (node.life === life) node.resume()
    }
    return { host, end }
  },
}

const slowJobs: Fault = {
  name: "slow-jobs",
  explain: "the thread that merges documents has too much to do: jobs take many times longer",
  row: "process pause",
  everyMs: [8000, 60_000],
  lastsMs: [500, 15_000],
  inject(world, random) {
    const node = random.pick(world.nodes)
    if (node.jobSlowness !== 1) return "skipped"
    node.jobSlowness = random.logBetween(10, 300)
    const end = (): void => {
      node.jobSlowness = 1
    }
    return { host: node.host, end }
  },
}

const clientPause: Fault = {
  name: "client-pause",
  explain: "a client's process or tab stands still: a suspended laptop, a frozen background tab",
  row: "process pause",
  everyMs: [5000, 40_000],
  lastsMs: [5, 40_000],
  inject(world, random, lastsMs) {
    if (world.writers.length === 0) return "skipped"
    const writer = random.pick(world.writers)
    if (!writer.running || writer.isPaused) return "skipped"
    writer.pause(world.scheduler.nowMs + lastsMs)
    return { host: writer.host, end: () => writer.resume() }
  },
}

const clientUpgrade: Fault = {
  name: "client-upgrade",
  explain: "an app is built anew: the client's next hello states tomorrow's versions, or today's",
  row: "rolling upgrade (two protocol versions)",
  everyMs: [8000, 50_000],
  lastsMs: [1, 1],
  inject(world, random) {
    if (world.writers.length === 0) return "skipped"
    const writer = random.pick(world.writers)
    writer.build = writer.build === "today" ? "tomorrow" : "today"
    writer.disconnect(random.pick(world.nodes).host)
    return "done"
  },
}

const rollingRestart: Fault = {
  name: "rolling-restart",
  explain:
    "all nodes restart in turn, each when the one before is back; often into the other build:" +
    " tomorrow's, which speaks one version more of each protocol, or back to today's",
  row: "rolling upgrade (two protocol versions)",
  everyMs: [15_000, 60_000],
  lastsMs: [3000, 40_000],
  inject(world, random) {
    // Nobody sane begins a second one meanwhile.
    if (underWay.has(world)) return "skipped"
    underWay.add(world)
    const isUpgrade = random.chance(0.7)
    const downMs = random.logBetween(20, 3000)
    const rolling = new RollingRestart(world, random.shuffled(world.nodes), isUpgrade, downMs)
    rolling.next()
    return () => {
      underWay.delete(world)
      rolling.end()
    }
  },
}

const underWay = new WeakSet<World>()

const POLL_MS = 100
/** An operator's patience with a node that is asked to stop. */
const STOP_MS_MAX = 5000

class RollingRestart {
  readonly #world: World
  readonly #waiting: SimNode[]
  readonly #isUpgrade: boolean
  readonly #downMs: Millis
  #current: { readonly node: SimNode; readonly life: number } | undefined
  #isOver = false

  constructor(world: World, nodes: readonly SimNode[], isUpgrade: boolean, downMs: Millis) {
    this.#world = world
    this.#waiting = [...nodes]
    this.#isUpgrade = isUpgrade
    this.#downMs = downMs
  }

  next(): void {
    const node = this.#waiting.shift()
    this.#current = undefined
    if (node === undefined) return
    if (this.#isUpgrade) node.build = node.build === "today" ? "tomorrow" : "today"
    this.#current = { node, life: node.life }
    if (node.running) node.stop()
    this.#waitForEnd(node, this.#world.scheduler.nowMs + STOP_MS_MAX)
  }

  #waitForEnd(node: SimNode, untilMs: Millis): void {
    const { scheduler } = this.#world
    if (this.#isOver) return
    if (scheduler.nowMs > untilMs) this.#kill()
    if (this.#isEnding()) return scheduler.after(POLL_MS, () => this.#waitForEnd(node, untilMs))
    scheduler.after(this.#downMs, () => {
      if (this.#isOver) return
      if (!node.running) node.start()
      this.next()
    })
  }

  /** Whether the node runs the life that was asked to stop. */
  #isEnding(): boolean {
    return this.#current?.node.running === true && this.#current.node.life === this.#current.life
  }

  #kill(): void {
    if (this.#isEnding()) this.#current?.node.crash(false)
  }

  /** Whoever is under way comes back at once, and nobody after it is touched. */
  end(): void {
    this.#isOver = true
    this.#kill()
    if (this.#current !== undefined && !this.#current.node.running) this.#current.node.start()
  }
}

export const processFaults: readonly Fault[] = [pause, clientPause, rollingRestart, clientUpgrade]
export const jobFaults: readonly Fault[] = [slowJobs]
