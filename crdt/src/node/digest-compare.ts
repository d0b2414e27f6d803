/**
 * Compares what documents amount to with peers, in the background: of two linked nodes the one
 * with the smaller id sends its root now and then; where sums differ both go down the tree by
 * turns, within a budget of bytes per round. The same vector with different content is a
 * divergence; another vector is a lag, which is the log's business. Whether a divergence is still
 * on is asked for its document alone: no sum tells it while others differ. Rules [G4] [G5].
 */
import { bytesEqual, limits } from "../base/index.ts"
import type { Millis } from "../base/index.ts"
import { bucketOf, DIGEST_BYTES } from "../log/index.ts"
import type { DigestLeaf } from "../log/index.ts"
import { encodeLinkDigests, SHORT_SUM_BYTES } from "../protocol/index.ts"
import type { DigestPart } from "../protocol/index.ts"
import type { Core } from "./core.ts"
import { bucketLevel, digestFanOut } from "./digest-tree.ts"
import type { DigestTree } from "./digest-tree.ts"
import type { Divergences } from "./divergences.ts"
import type { Link } from "./link.ts"
import type { Turn } from "./turn.ts"

/**
 * What a link may still send in this round, whether a bucket is being read for it, and which
 * divergences the peer is still to be asked about.
 */
type Round = { bytesLeft: number; isReading: boolean; asks: DigestLeaf[] }

export class DigestCompare {
  readonly #core: Core
  readonly #tree: DigestTree
  readonly #divergences: Divergences
  readonly #isLinked: (link: Link) => boolean
  readonly #rounds = new WeakMap<Link, Round>()
  #roundAtMs: Millis

  constructor(options: {
    readonly core: Core
    readonly tree: DigestTree
    readonly divergences: Divergences
    readonly isLinked: (link: Link) => boolean
    readonly nowMs: Millis
  }) {
    const { core, tree, divergences, isLinked, nowMs } = options
    this.#core = core
    this.#tree = tree
    this.#divergences = divergences
    this.#isLinked = isLinked
    this.#roundAtMs = nowMs + this.#pauseMs()
  }

  #pauseMs(): Millis {
    return limits.digestRoundMs * (0.5 + this.#core.config.random.next())
  }

  deadline(): Millis {
    return this.#roundAtMs
  }

  /** `links`: those that are linked. */
  onDeadline(turn: Turn, links: Iterable<Link>): void {
    if (turn.nowMs < this.#roundAtMs) return
    this.#roundAtMs = turn.nowMs + this.#pauseMs()
    this.#divergences.keepOnly(turn, new Set(this.#core.members.active()))
    for (const link of links) {
      const round = this.#round(link)
      round.bytesLeft = limits.digestRoundBytes
      const { state } = link
      if (state.state !== "linked") continue
      round.asks = this.#rotated(this.#divergences.leavesFor(state.peer.node))
      this.#askNext(turn, link)
      if (this.#core.config.node > state.peer.node) continue
      const sum = this.#tree.sum(0, 0, DIGEST_BYTES)
      this.#send(turn, link, { part: "root", sum })
    }
  }

  /** Begins elsewhere each time: one that lags is not answered, and must not hold up the others. */
  #rotated(leaves: DigestLeaf[]): DigestLeaf[] {
    if (leaves.length < 2) return leaves
    const first = Math.floor(this.#core.config.random.next() * leaves.length)
    return [...leaves.slice(first), ...leaves.slice(0, first)]
  }

  /** One at a time, as the peer reads one bucket at a time. */
  #askNext(turn: Turn, link: Link): void {
    const leaf = this.#round(link).asks.pop()
    if (leaf === undefined) return
    const bucket = bucketOf(leaf.document)
    this.#send(turn, link, { part: "leaves", bucket, isAnswer: false, leaves: [leaf] })
  }

  #round(link: Link): Round {
    const round = this.#rounds.get(link) ?? {
      bytesLeft: limits.digestRoundBytes,
      isReading: false,
      asks: [],
    }
    this.#rounds.set(link, round)
    return round
  }

  /** What is over the budget waits for the next round, which starts elsewhere in the tree. */
  #send(turn: Turn, link: Link, part: DigestPart): void {
    const frame = encodeLinkDigests({ type: "digests", ...part })
    const round = this.#round(link)
    if (link.isCongested || frame.length > round.bytesLeft) return
    round.bytesLeft -= frame.length
    turn.send(link.connection, frame)
  }

  onDigests(turn: Turn, link: Link, message: DigestPart): void {
    switch (message.part) {
      case "root":
        return this.#onRoot(turn, link, message.sum)
      case "sums":
        return this.#onSums(turn, link, message.level, message.index, message.sums)
      case "leaves":
        return this.#onLeaves(turn, link, message.bucket, message.leaves, message.isAnswer)
    }
  }

  /** Equal roots end what differed; the one who asked is told where he may not know. */
  #onRoot(turn: Turn, link: Link, theirs: Uint8Array): void {
    if (link.state.state !== "linked") return
    const { node } = link.state.peer
    const sum = this.#tree.sum(0, 0, DIGEST_BYTES)
    const isAnswer = this.#core.config.node < node
    if (bytesEqual(theirs, sum)) {
      const wereAny = this.#divergences.end(turn, node)
      if (wereAny && !isAnswer) this.#send(turn, link, { part: "root", sum })
    } else if (!isAnswer) this.#sendSums(turn, link, 0, 0)
  }

  #sendSums(turn: Turn, link: Link, level: number, index: number): void {
    const sums = this.#tree.children(level, index, SHORT_SUM_BYTES)
    this.#send(turn, link, { part: "sums", level, index, sums })
  }

  #onSums(
    turn: Turn,
    link: Link,
    level: number,
    index: number,
    theirs: readonly Uint8Array[],
  ): void {
    const ours = this.#tree.children(level, index, SHORT_SUM_BYTES)
    const first = Math.floor(this.#core.config.random.next() * digestFanOut)
    for (let step = 0; step < digestFanOut; step++) {
      const child = (first + step) % digestFanOut
      const [our, their] = [ours[child], theirs[child]]
      if (our === undefined || their === undefined || bytesEqual(our, their)) continue
      const place = index * digestFanOut + child
      if (level + 1 < bucketLevel) this.#sendSums(turn, link, level + 1, place)
      else this.#sendLeaves(turn, link, place)
    }
  }

  #sendLeaves(turn: Turn, link: Link, bucket: number): void {
    this.#readLeaves(turn, link, bucket, (later, held) => {
      const leaves = held.slice(0, limits.digestLeavesMax)
      this.#send(later, link, { part: "leaves", bucket, isAnswer: false, leaves })
    })
  }

  /** One bucket at a time per link: what comes meanwhile is for the next round. */
  #readLeaves(
    turn: Turn,
    link: Link,
    bucket: number,
    onLeaves: (turn: Turn, leaves: readonly DigestLeaf[]) => void,
  ): void {
    const round = this.#round(link)
    if (round.isReading) return
    round.isReading = true
    this.#core.reads.start(turn, { type: "leaves", bucket }, (later, result) => {
      round.isReading = false
      if (result.type === "leaves" && this.#isLinked(link)) onLeaves(later, result.leaves)
    })
  }

  #onLeaves(
    turn: Turn,
    link: Link,
    bucket: number,
    theirs: readonly DigestLeaf[],
    isAnswer: boolean,
  ): void {
    this.#readLeaves(turn, link, bucket, (later, held) => {
      if (link.state.state !== "linked") return
      const { node } = link.state.peer
      const ours = new Map(held.map((leaf) => [leaf.document, leaf]))
      const news: DigestLeaf[] = []
      for (const their of theirs) {
        const our = ours.get(their.document)
        // Another vector is a lag, which the log's entries make up for.
        if (our === undefined || !bytesEqual(our.vector, their.vector)) continue
        // Who says one alone may ask whether they are the same again.
        const isNews = this.#divergences.judge(later, our, node, their)
        if (isNews || theirs.length === 1) news.push(our)
      }
      if (isAnswer) this.#askNext(later, link)
      if (isAnswer || news.length === 0) return
      this.#send(later, link, { part: "leaves", bucket, isAnswer: true, leaves: news })
    })
  }
}
