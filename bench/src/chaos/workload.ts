/**
 * Who writes what: residents who stay, visitors who come and go, in documents that each round has
 * of its own, and in two that last as long as the run. Some documents only visitors open, so that
 * nobody holds them but nodes. When and what is drawn from the seed; how it falls together with
 * faults is real time's.
 */
import type { AckTier, DocumentName, Ledger } from "./ledger.ts"
import { NativeResident } from "./native-resident.ts"
import type { Random } from "./random.ts"
import type { ClientWorld, Resident } from "./resident.ts"
import type { Profile } from "./schedule.ts"
import { StockResident } from "./stock-resident.ts"
import { pause } from "./wait.ts"
import { stockVisit, visit } from "./visitor.ts"

export type WorkloadWishes = {
  readonly world: ClientWorld
  readonly profile: Profile
  readonly writesPerSecond: number
  /** Whether nodes ack at tiers `quorum` and `all`. */
  readonly hasTiers: boolean
}

const nativeResidents = 4
const stockResidents = 2
/** Past it nobody comes: visitors wait for nodes that do not answer. */
const visitorsMax = 24
const tokensPerVisit = 3
/** Of all writes, where there are residents. */
const visitorsShare = 0.5

const steady: readonly DocumentName[] = [
  { engine: "yjs", name: "steady" },
  { engine: "automerge", name: "steady" },
]

export class Workload {
  readonly residents: readonly Resident[]
  readonly #wishes: WorkloadWishes
  readonly #random: Random
  readonly #visits = new Set<Promise<void>>()
  #shared: readonly DocumentName[] = []
  #guests: readonly DocumentName[] = []
  #tokens = 0
  #visitors = 0
  #stop: AbortController | undefined
  #loops: Promise<unknown> = Promise.resolve()

  constructor(wishes: WorkloadWishes) {
    this.#wishes = wishes
    const { world, profile } = wishes
    this.#random = world.random.split("workload")
    // Who holds a document masks its loss, and the other profiles are about nodes alone.
    const staying = profile === "all"
    const natives = staying ? nativeResidents : 0
    const stocks = staying ? stockResidents : 0
    this.residents = [
      ...Array.from({ length: natives }, (_, at) => new NativeResident(`native${at + 1}`, world)),
      ...Array.from({ length: stocks }, (_, at) => new StockResident(`stock${at + 1}`, world)),
    ]
    for (const document of steady) this.#open(document)
  }

  /** Those that residents have open now. */
  get shared(): readonly DocumentName[] {
    return [...steady, ...this.#shared]
  }

  /** New documents, and everybody writes. */
  begin(round: number): void {
    this.#shared = [
      { engine: "yjs", name: `note-${round}` },
      { engine: "automerge", name: `plan-${round}` },
    ]
    this.#guests = [
      { engine: "yjs", name: `guests-${round}` },
      { engine: "automerge", name: `visits-${round}` },
    ]
    for (const document of this.#shared) this.#open(document)
    this.#stop = new AbortController()
    const { signal } = this.#stop
    const { writesPerSecond } = this.#wishes
    const visiting = this.residents.length === 0 ? 1 : visitorsShare
    this.#loops = Promise.all([
      this.#repeat(visiting * (writesPerSecond / tokensPerVisit), signal, () => this.#visit()),
      this.#repeat((1 - visiting) * writesPerSecond, signal, () => this.#write()),
    ])
  }

  /** Nobody writes any more, and visitors are gone; residents stay. */
  async end(): Promise<void> {
    this.#stop?.abort()
    await this.#loops
    await Promise.all(this.#visits)
  }

  /** Clients that come when all is over, and have the last documents shown to them. */
  latecomers(): readonly Resident[] {
    const { world } = this.#wishes
    const late = [new NativeResident("late native", world), new StockResident("late stock", world)]
    for (const document of this.shared) for (const client of late) client.open(document)
    return late
  }

  /** Residents let go of the round's documents. */
  leaveRound(): void {
    for (const document of this.#shared) {
      for (const resident of this.residents) resident.close(document)
    }
  }

  async close(): Promise<void> {
    await this.end()
    await Promise.all(this.residents.map((resident) => resident.end()))
  }

  get ledger(): Ledger {
    return this.#wishes.world.ledger
  }

  #open(document: DocumentName): void {
    for (const resident of this.residents) resident.open(document)
  }

  async #repeat(perSecond: number, signal: AbortSignal, act: () => void): Promise<void> {
    if (perSecond <= 0) return
    try {
      for (;;) {
        await pause(this.#random.exponential(1000 / perSecond), signal)
        act()
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  #write(): void {
    const resident = this.#random.pick(this.residents)
    const document = this.#random.pick(this.shared)
    resident.write(document, this.#token())
  }

  #visit(): void {
    if (this.#visits.size >= visitorsMax) return
    const random = this.#random.split(`visitor ${++this.#visitors}`)
    const document = random.pick([...this.#shared, ...this.#guests])
    const count = random.int(1, 2 * tokensPerVisit - 1)
    const wish = {
      name: `visitor${this.#visitors}`,
      document,
      tokens: Array.from({ length: count }, () => this.#token()),
      tier: this.#tier(random),
      random,
    }
    const isStock = document.engine === "yjs" && random.chance(0.25)
    const { world } = this.#wishes
    const gone = (isStock ? stockVisit(wish, world) : visit(wish, world)).finally(() => {
      this.#visits.delete(gone)
    })
    this.#visits.add(gone)
  }

  #tier(random: Random): AckTier {
    const { hasTiers, profile } = this.#wishes
    if (!hasTiers || profile === "kills") return "node"
    if (profile === "disk-destroyed") return "quorum"
    return random.pick(["node", "node", "quorum", "all"])
  }

  #token(): string {
    return `w${++this.#tokens}`
  }
}
