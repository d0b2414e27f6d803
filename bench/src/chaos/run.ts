/**
 * One run: a cluster and its clients, then rounds of faults, each followed by a heal and the
 * checks, and at the end everything once more. Invariant: whatever happens, what it started is
 * stopped; folders are kept if something was broken.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import { createClient } from "@causeway/client"
import { Cluster } from "./cluster.ts"
import type { StoreWish } from "./cluster.ts"
import type { Estate } from "./estate.ts"
import { losesDisk } from "./faults.ts"
import type { FaultType } from "./faults.ts"
import { Injector } from "./inject.ts"
import { keyOf, Ledger } from "./ledger.ts"
import type { DocumentName } from "./ledger.ts"
import { drained, inspect, level } from "./level.ts"
import type { Looks } from "./level.ts"
import type { Machine } from "./machine.ts"
import { complaints } from "./logs.ts"
import { Monitor } from "./monitor.ts"
import { loopbackNetwork, namespaceNetwork } from "./network.ts"
import { Proxies } from "./proxies.ts"
import { Random } from "./random.ts"
import type { Resident } from "./resident.ts"
import type { Profile, Round } from "./schedule.ts"
import { Broken, CannotRun } from "./violation.ts"
import type { Rule, Violation } from "./violation.ts"
import { pause, within } from "./wait.ts"
import { Workload } from "./workload.ts"

export type RunWishes = {
  readonly seed: number
  readonly names: readonly string[]
  readonly profile: Profile
  readonly writesPerSecond: number
  readonly rounds: readonly Round[]
  readonly smallDisk: string | undefined
  readonly store: StoreWish
  /** Keep its folder in any case. */
  readonly keep: boolean
  /** Where its folder is made. */
  readonly parent: string
  readonly machine: Machine
  readonly estate: Estate
  readonly say: (text: string) => void
  readonly signal: AbortSignal
}

export type RunResult = {
  readonly rounds: number
  readonly seconds: number
  readonly counts: Ledger["counts"]
  readonly documents: number
  readonly faults: ReadonlyMap<FaultType, number>
  readonly heals: readonly number[]
  readonly residentMb: number
  readonly hasTiers: boolean
  /** Messages of level warn and above in the nodes' logs, and how often. */
  readonly complaints: Readonly<Record<string, number>>
  readonly violations: readonly Violation[]
  /** Kept: logs, data, copies. */
  readonly kept: string | undefined
}

/** What a node logs when its digests show another content than a peer's under equal vectors. */
const divergence = "divergence-found"
const tierMsMax = 10_000

export async function run(wishes: RunWishes): Promise<RunResult> {
  const folder = mkdtempSync(join(wishes.parent, "causeway-chaos-"))
  const stage = new Stage(wishes, folder)
  try {
    await stage.play()
  } catch (error) {
    stage.note(error)
  }
  await stage.close()
  return stage.result()
}

/** Who plays in a round. */
type Cast = {
  readonly cluster: Cluster
  readonly workload: Workload
  readonly injector: Injector
  /** Fires when a node dies by itself. */
  readonly signal: AbortSignal
}

class Stage {
  readonly #wishes: RunWishes
  readonly #folder: string
  readonly #ledger: Ledger
  readonly #startMs = performance.now()
  readonly #violations: Violation[] = []
  readonly #heals: number[] = []
  #cluster: Cluster | undefined
  #proxies: Proxies | undefined
  #injector: Injector | undefined
  #workload: Workload | undefined
  #monitor: Monitor | undefined
  #hasTiers = false
  #rounds = 0
  #kept: string | undefined
  #failure: unknown
  #complaints: Readonly<Record<string, number>> = {}
  /** Documents that were open when a disk was lost. */
  readonly #scarred = new Set<string>()

  constructor(wishes: RunWishes, folder: string) {
    this.#wishes = wishes
    this.#folder = folder
    this.#ledger = new Ledger(() => performance.now() - this.#startMs)
  }

  async play(): Promise<void> {
    const { profile, say, seed, names, writesPerSecond } = this.#wishes
    const cluster = await this.#startCluster()
    this.#monitor = new Monitor(cluster)
    this.#hasTiers = await ackTiers(cluster)
    if (!this.#hasTiers && profile === "disk-destroyed") {
      throw new CannotRun("the profile disk-destroyed needs acks of tier quorum from the nodes")
    }
    if (!this.#hasTiers) say("!!! SKIPPED: no acks of tiers quorum and all: nodes do not give them")
    const world = {
      ledger: this.#ledger,
      random: new Random(seed).split("clients"),
      names,
      entrance: (node: string) => cluster.entrance(node),
      onBroken: (rule: Rule, message: string) => void this.#violations.push({ rule, message }),
    }
    const workload = new Workload({ world, profile, writesPerSecond, hasTiers: this.#hasTiers })
    this.#workload = workload
    this.#injector = new Injector(cluster, this.#ledger, (text) => this.#tell(text))
    const signal = this.#monitor.signal
    for (const [index, round] of this.#wishes.rounds.entries()) {
      if (this.#wishes.signal.aborted) break
      await this.#round({ cluster, workload, injector: this.#injector, signal }, round, index + 1)
      if (this.#violations.length > 0) return
    }
    const late = workload.latecomers()
    this.#tell(`the end: ${this.#ledger.documents().length} documents are looked at once more`)
    try {
      await drained(late, signal)
      const clients = [...workload.residents, ...late]
      await this.#inspect(cluster, clients, this.#ledger.documents(), signal)
    } finally {
      await Promise.all(late.map((client) => client.end()))
    }
  }

  async #startCluster(): Promise<Cluster> {
    const { machine, estate, names, seed, smallDisk, store, say } = this.#wishes
    const logFile = join(this.#folder, "toxiproxy.log")
    if (machine.toxiproxy !== undefined) {
      this.#proxies = await Proxies.start(machine.toxiproxy, { seed, logFile, estate })
    }
    const isApart = machine.namespaces && this.#proxies !== undefined
    const network = isApart ? namespaceNetwork(names, estate) : loopbackNetwork
    this.#cluster = await Cluster.start({
      names,
      folder: this.#folder,
      network,
      proxies: this.#proxies,
      smallDisk: machine.tmpfs ? smallDisk : undefined,
      store,
      estate,
    })
    say(`data in ${this.#folder}`)
    for (const { name, address, pid } of this.#cluster.nodes) {
      say(`node ${name}: ${address} (process ${pid})`)
    }
    return this.#cluster
  }

  /** Faults under load until the round is over or somebody interrupts; then all must be well. */
  async #round({ cluster, workload, injector, signal }: Cast, round: Round, number: number) {
    const seconds = (round.lastsMs / 1000).toFixed(1)
    const { rounds } = this.#wishes
    this.#tell(`round ${number} of ${rounds.length}: ${seconds} s, ${round.steps.length} faults`)
    workload.begin(number)
    await this.#faults(injector, round, signal)
    const healStartMs = performance.now()
    signal.throwIfAborted()
    const hasLost = round.steps.some(({ fault }) => losesDisk(fault.type))
    if (hasLost) for (const document of workload.shared) this.#scarred.add(keyOf(document))
    const timed = (wait: Promise<void>) => wait.then(() => performance.now() - healStartMs)
    const clients = () => timed(drained(workload.residents, signal))
    const nodes = () => timed(level(cluster, signal))
    // Visitors who wait for their last ack are let out meanwhile; what they wrote heals as well.
    const [clientsMs, nodesMs] = await Promise.all([clients(), nodes(), workload.end()])
    this.#heals.push(Math.max(clientsMs, nodesMs))
    await clients()
    await nodes()
    const known = this.#ledger.documents()
    const documents = hasLost ? known : known.filter(({ name }) => isOfRound(name, number))
    await this.#inspect(cluster, workload.residents, documents, signal)
    if (this.#violations.length > 0) return
    if (number < rounds.length) workload.leaveRound()
    this.#rounds = number
    const [drainedAfter, levelAfter] = [clientsMs, nodesMs].map((ms) => (ms / 1000).toFixed(1))
    this.#tell(`  level after ${levelAfter} s, clients at rest after ${drainedAfter} s`)
    this.#tell(`  ${this.#progress()}`)
  }

  /** Resolves once all of them are over and healed. */
  async #faults(injector: Injector, { lastsMs, steps }: Round, signal: AbortSignal) {
    const over = new AbortController()
    const isOver = AbortSignal.any([over.signal, signal, this.#wishes.signal])
    const faults = steps.map((step) => injector.run(step, isOver))
    // What goes wrong ends the round for all, so that everything heals.
    for (const fault of faults) fault.catch(() => over.abort())
    await pause(lastsMs, isOver).catch(() => {})
    over.abort()
    const ends = await Promise.allSettled(faults)
    for (const end of ends) if (end.status === "rejected") throw end.reason
  }

  async #inspect(
    cluster: Cluster,
    clients: readonly Resident[],
    documents: readonly DocumentName[],
    signal: AbortSignal,
  ): Promise<void> {
    const looks: Looks = {
      cluster,
      clients,
      ledger: this.#ledger,
      mayLackDeletions: (document) => this.#scarred.has(keyOf(document)),
    }
    this.#violations.push(...(await inspect(looks, documents, signal)))
    for (const token of this.#ledger.phantoms) {
      this.#violations.push({ rule: "phantom", message: `a client was shown ${token}` })
    }
  }

  #progress(): string {
    const { writes, node, quorum, all, seen } = this.#ledger.counts
    return `${writes} writes, ${node + quorum + all} acked, ${seen} seen by others`
  }

  #tell(text: string): void {
    const seconds = ((performance.now() - this.#startMs) / 1000).toFixed(1)
    this.#wishes.say(`${seconds.padStart(7)} s  ${this.#cluster?.picture ?? ""}  ${text}`)
  }

  /** What ended the run. */
  note(error: unknown): void {
    const { signal } = this.#wishes
    const cause: unknown =
      this.#monitor?.signal.aborted === true ? this.#monitor.signal.reason : error
    if (cause instanceof Broken) this.#violations.push(cause.violation)
    else if (!signal.aborted) this.#failure = cause
  }

  /** Nodes are told to stop, and must; what is left is undone by the estate. */
  async close(): Promise<void> {
    const { estate, machine, smallDisk, names, keep } = this.#wishes
    this.#monitor?.end()
    await this.#workload?.close()
    try {
      await this.#cluster?.stop()
    } catch (error) {
      this.#violations.push({ rule: "node-did-not-stop", message: String(error) })
    }
    this.#complaints = complaints(this.#folder, names)
    if (divergence in this.#complaints) {
      const message = `nodes found documents that differ: ${divergence} in their logs`
      this.#violations.push({ rule: "nodes-differ", message })
    }
    const isBroken = this.#violations.length > 0 || this.#failure !== undefined || keep
    const isKept = isBroken && !(this.#failure instanceof CannotRun)
    if (isKept) this.#keep(machine.tmpfs ? smallDisk : undefined)
    this.#proxies?.close()
    this.#cluster?.network.close()
    estate.undoAll()
    if (!isKept) rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 })
  }

  /** The small disk is memory, and gone with its mount. */
  #keep(smallDisk: string | undefined): void {
    this.#kept = this.#folder
    if (smallDisk === undefined) return
    const to = join(this.#folder, "data-of-small-disk")
    mkdirSync(to, { recursive: true })
    cpSync(join(this.#folder, "data", smallDisk), to, { recursive: true })
  }

  result(): RunResult {
    if (this.#failure instanceof CannotRun) throw this.#failure
    if (this.#failure !== undefined) {
      throw new Error(`the run could not go on; logs in ${this.#folder}`, { cause: this.#failure })
    }
    return {
      rounds: this.#rounds,
      seconds: (performance.now() - this.#startMs) / 1000,
      counts: this.#ledger.counts,
      documents: this.#ledger.documents().length,
      faults: this.#injector?.counts ?? new Map(),
      heals: this.#heals,
      residentMb: this.#monitor?.residentMb ?? 0,
      hasTiers: this.#hasTiers,
      complaints: this.#complaints,
      violations: this.#violations,
      kept: this.#kept,
    }
  }
}

/** Those of the round, and those that last as long as the run. */
function isOfRound(name: string, round: number): boolean {
  return name === "steady" || name.endsWith(`-${round}`)
}

/** Whether nodes ack at tier quorum. */
async function ackTiers(cluster: Cluster): Promise<boolean> {
  const urls = cluster.names.map((name) => `${cluster.entrance(name)}/sync`)
  const client = createClient({ urls })
  try {
    const note = client.yjs("tiers")
    note.ydoc.getMap("probe").set("probe", true)
    await note.saved("node")
    await within("an ack of tier quorum", note.saved("quorum"), { timeoutMs: tierMsMax })
    return true
  } catch {
    return false
  } finally {
    await client.close()
  }
}
