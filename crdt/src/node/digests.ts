/** Comparing documents by their digests, as one thing for links and status. Rules [G1]–[G5]. */
import type { DocumentId, Millis } from "../base/index.ts"
import type { DigestPart } from "../protocol/index.ts"
import type { Core } from "./core.ts"
import { DigestCompare } from "./digest-compare.ts"
import { DigestPass } from "./digest-pass.ts"
import { DigestTree } from "./digest-tree.ts"
import { Divergences } from "./divergences.ts"
import type { Divergence } from "./divergences.ts"
import type { Link } from "./link.ts"
import type { Turn } from "./turn.ts"

export type DivergenceStatus = {
  /** All that were ever found in this life of the node. */
  readonly found: number
  /** Those that are on, the first `divergencesMax` of them. */
  readonly listed: readonly Divergence[]
  /** Entries here that no digest may stand for yet: what they changed is not compared. */
  readonly undigested: number
}

export class Digests {
  readonly #divergences = new Divergences()
  readonly #pass: DigestPass
  readonly #compare: DigestCompare
  readonly #links: ReadonlyMap<number, Link>

  constructor(core: Core, links: ReadonlyMap<number, Link>, nowMs: Millis) {
    const tree = new DigestTree()
    const divergences = this.#divergences
    this.#links = links
    this.#pass = new DigestPass(core, tree, divergences, nowMs)
    const isLinked = (link: Link) => links.get(link.connection) === link
    this.#compare = new DigestCompare({ core, tree, divergences, isLinked, nowMs })
  }

  status(): DivergenceStatus {
    const { found } = this.#divergences
    return { found, listed: this.#divergences.list(), undigested: this.#pass.undigested }
  }

  onDigests(turn: Turn, link: Link, part: DigestPart): void {
    if (this.#pass.isReady) this.#compare.onDigests(turn, link, part)
  }

  /** Their leaves are to say so. */
  onDeleted(documents: readonly DocumentId[]): void {
    this.#pass.onDeleted(documents)
  }

  deadline(): Millis {
    return Math.min(this.#pass.deadline(), this.#compare.deadline())
  }

  onDeadline(turn: Turn): void {
    this.#pass.onDeadline(turn)
    this.#compare.onDeadline(turn, this.#pass.isReady ? this.#links.values() : [])
  }
}
