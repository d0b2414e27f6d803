/**
 * Strong convergence, all through the run: nodes that hold the same entries of a document show the
 * same, and so does a replica that is fed these entries in an order of its own; and what a node's
 * job made of a document, which is what it serves, is what another order makes. A document now and
 * then, the same entries only once: a merge costs far more than a step.
 */
import { bytesEqual, partsOfDocumentId, utf8Encode } from "@causeway/crdt/base"
import type { DocumentId } from "@causeway/crdt/base"
import { bodyOf } from "@causeway/crdt/log"
import type { LogEntry } from "@causeway/crdt/log"
import type { Effect, Input, Job } from "@causeway/crdt/node"
import { contentOf } from "../checkers/content.ts"
import type { SimRandom } from "../random.ts"
import type { SimNode } from "../sim-node.ts"
import { checksum } from "../checksum.ts"
import { demand } from "../violation.ts"
import type { Watcher } from "../watcher.ts"
import type { World } from "../world.ts"
import type { Invariant } from "./invariant.ts"

/** How likely a look is at each tick. */
const LOOKS = 0.15
/** … and at a job. */
const JOB_LOOKS = 0.05
/** Documents with more are left to the end of the run. */
const ENTRIES_MAX = 2000
const BYTES_MAX = 256 * 1024

type Holder = { readonly node: SimNode; readonly entries: readonly LogEntry[] }

class EqualVectors implements Watcher {
  readonly #world: World
  readonly #random: SimRandom
  /** The sets of entries that were compared, per document the last. */
  readonly #compared = new Map<DocumentId, number>()
  readonly #originHashes = new Map<string, number>()
  /** Jobs under way that are looked at, by node and number. */
  readonly #jobs = new Map<string, Job>()

  constructor(world: World, random: SimRandom) {
    this.#world = world
    this.#random = random
  }

  onTick(): void {
    if (!this.#random.chance(LOOKS) || this.#world.documents.length === 0) return
    const document = this.#random.pick(this.#world.documents)
    for (const [set, holders] of this.#holdersBySet(document)) this.#compare(document, set, holders)
  }

  onNodeEffect(node: SimNode, effect: Effect): void {
    if (effect.type !== "job" || effect.work.parts.length < 2) return
    const { work } = effect
    if (!this.#random.chance(JOB_LOOKS)) return
    const bytes = work.parts.reduce((sum, part) => sum + part.length, 0)
    if (bytes <= BYTES_MAX) this.#jobs.set(nameOf(node, effect.job), work)
  }

  onNodeInput(node: SimNode, input: Input): void {
    if (input.type !== "job-done") return
    const name = nameOf(node, input.job)
    const work = this.#jobs.get(name)
    const { result } = input
    if (work === undefined || !this.#jobs.delete(name) || result.type !== "difference") return
    if (result.unreadable > 0) return
    const engine = this.#world.engines[work.engine]
    const other = contentOf(engine, engine.merge(this.#random.shuffled(work.parts)))
    demand(contentOf(engine, result.state) === other, INVARIANT, () => {
      return `what ${node.node} made of ${work.parts.length} parts depends on their order`
    })
  }

  onNodeEnded({ node }: SimNode): void {
    for (const name of this.#jobs.keys()) if (name.startsWith(`${node} `)) this.#jobs.delete(name)
  }

  /** Nodes that hold the same set of entries, for each set. */
  #holdersBySet(document: DocumentId): Map<number, Holder[]> {
    const groups = new Map<number, Holder[]>()
    for (const node of this.#world.nodes) {
      const { snapshot, entries } = node.disk.durable.readDocument(document)
      if (snapshot !== undefined || entries.length === 0 || entries.length > ENTRIES_MAX) continue
      const set = this.#setHash(entries)
      const group = groups.get(set)
      if (group === undefined) groups.set(set, [{ node, entries }])
      else group.push({ node, entries })
    }
    return groups
  }

  /** The same for the same entries in any order; below 2^53. */
  #setHash(entries: readonly LogEntry[]): number {
    let low = 0
    let high = 0
    for (const { origin, seq } of entries) {
      let hash = this.#originHashes.get(origin)
      if (hash === undefined) {
        hash = checksum(utf8Encode(origin))
        this.#originHashes.set(origin, hash)
      }
      const mixed = Math.imul(hash ^ Math.imul(seq, 0x9e3779b1), 0x85ebca6b)
      low = (low + mixed) | 0
      high ^= Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae35)
    }
    return (high >>> 11) * 0x1_0000_0000 + (low >>> 0)
  }

  #compare(document: DocumentId, set: number, holders: readonly Holder[]): void {
    const [first, ...others] = holders
    if (first === undefined || this.#compared.get(document) === set) return
    const bytes = first.entries.reduce((sum, { record }) => sum + record.length, 0)
    if (bytes > BYTES_MAX) return
    this.#compared.set(document, set)
    const engine = this.#world.engines[partsOfDocumentId(document).engine]
    const content = (entries: readonly LogEntry[]): string =>
      contentOf(engine, engine.merge(entries.map(({ record }) => bodyOf(record))))
    const expected = content(first.entries)
    demand(content(this.#random.shuffled(first.entries)) === expected, INVARIANT, () => {
      return `${document} on ${first.node.node} depends on the order of its entries`
    })
    // Their orders differ; one of them stands for the rest.
    if (others.length === 0) return
    const other = this.#random.pick(others)
    if (areForks(first.entries, other.entries)) return
    demand(content(other.entries) === expected, INVARIANT, () => {
      const nodes = `${first.node.node} and ${other.node.node}`
      return `${nodes} hold the same entries of ${document} and show different things`
    })
  }
}

function nameOf({ node }: SimNode, job: number): string {
  return `${node} ${job}`
}

/** Two contents under one name: a fork, which has an invariant of its own. */
function areForks(one: readonly LogEntry[], other: readonly LogEntry[]): boolean {
  const records = new Map(one.map(({ origin, seq, record }) => [`${origin} ${seq}`, record]))
  return other.some(({ origin, seq, record }) => {
    const known = records.get(`${origin} ${seq}`)
    return known === undefined || !bytesEqual(known, record)
  })
}

const INVARIANT = "equal-vectors-equal-content"

export const equalVectorsEqualContent: Invariant = {
  name: INVARIANT,
  explain: "nodes that hold the same entries of a document show the same, whatever their order",
  watch: (world, random) => new EqualVectors(world, random),
}
