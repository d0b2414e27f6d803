/**
 * When peers are told what this node durably holds, and which of it is news to them. In a small
 * mesh everybody is told soon after an adoption; in a larger one only who sent what was adopted is,
 * as it waits for that, and all others at the next interval: else one write would cost a frame for
 * each pair of nodes. Rule [L4].
 */
import { limits } from "../base/index.ts"
import type { Millis, OriginId } from "../base/index.ts"
import type { Head } from "../log/index.ts"
import { encodeLinkVector } from "../protocol/index.ts"
import type { Core } from "./core.ts"
import type { Link } from "./link.ts"
import type { Turn } from "./turn.ts"

export class Vectors {
  readonly #core: Core
  readonly #links: ReadonlyMap<number, Link>
  readonly #onTold: (turn: Turn, link: Link) => void
  /** When all peers are told, and when those that wait are. */
  #atMs: Millis
  #soonAtMs: Millis = Infinity

  /** `onTold`: it is a peer's turn in a round, whether or not there is news for it. */
  constructor(
    core: Core,
    links: ReadonlyMap<number, Link>,
    onTold: (turn: Turn, link: Link) => void,
    nowMs: Millis,
  ) {
    this.#core = core
    this.#links = links
    this.#onTold = onTold
    this.#atMs = nowMs + limits.linkVectorIntervalMs
  }

  /** Adopted entries are durable: told in one vector for all close by. */
  tellSoon(turn: Turn): void {
    const jitterMs = limits.linkVectorSoonMs * (0.5 + this.#core.config.random.next())
    const soonMs = turn.nowMs + jitterMs
    if (this.#links.size <= limits.linkEagerLinksMax) this.#atMs = Math.min(this.#atMs, soonMs)
    else this.#soonAtMs = Math.min(this.#soonAtMs, soonMs)
  }

  onDeadline(turn: Turn): void {
    if (turn.nowMs >= this.#atMs) this.#tellAll(turn)
    else if (turn.nowMs >= this.#soonAtMs) this.#tellWaiting(turn)
  }

  deadline(): Millis {
    return Math.min(this.#atMs, this.#soonAtMs)
  }

  #tellAll(turn: Turn): void {
    const jitterMs = limits.linkVectorIntervalMs * (0.5 + this.#core.config.random.next())
    this.#atMs = turn.nowMs + jitterMs
    this.#soonAtMs = Infinity
    const raised = this.#noteRaised()
    let shared: Uint8Array | undefined
    for (const link of this.#links.values()) {
      if (link.state.state !== "linked") continue
      const isWhole = link.untold.size === raised.size
      const news = this.#newsFor(link)
      // To most peers the same is news.
      const isShared = isWhole && news.size === raised.size
      if (news.size > 0) {
        const frame =
          (isShared ? shared : undefined) ?? encodeLinkVector({ type: "vector", heads: news })
        if (isShared) shared = frame
        turn.send(link.connection, frame)
      }
      this.#onTold(turn, link)
    }
  }

  #tellWaiting(turn: Turn): void {
    this.#soonAtMs = Infinity
    this.#noteRaised()
    for (const link of this.#links.values()) {
      const isWaiting = [...link.brought].some((origin) => link.untold.has(origin))
      if (link.state.state !== "linked" || !isWaiting) continue
      const news = this.#newsFor(link)
      if (news.size > 0)
        turn.send(link.connection, encodeLinkVector({ type: "vector", heads: news }))
    }
  }

  #noteRaised(): ReadonlySet<OriginId> {
    const raised = this.#core.holdings.takeRaised()
    for (const link of this.#links.values()) {
      for (const origin of raised) link.untold.add(origin)
    }
    return raised
  }

  #newsFor(link: Link): Map<OriginId, Head> {
    const news = new Map<OriginId, Head>()
    for (const origin of link.untold) {
      const head = this.#core.holdings.head(origin)
      if ((link.told.get(origin) ?? 0) >= head.seq) continue
      news.set(origin, head)
      link.told.set(origin, head.seq)
    }
    link.untold.clear()
    return news
  }
}
