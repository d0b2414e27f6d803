/**
 * The sending half of links: the own origin's new entries go to every peer as they are committed,
 * or under load a push delay apart; whatever is older, or of another origin and asked for,
 * is read from the log. Everything stays within the peer's window, oldest first, round-robin over
 * origins. Rules [L3] [L5] [L15].
 */
import { limits } from "../base/index.ts"
import type { Millis, OriginId } from "../base/index.ts"
import type { Head, LogRun } from "../log/index.ts"
import type { ReadResult } from "../ports/index.ts"
import { encodeLinkEntries, encodeLinkTruncated } from "../protocol/index.ts"
import type { LinkWant } from "../protocol/index.ts"
import type { Core } from "./core.ts"
import type { Link } from "./link.ts"
import type { Turn } from "./turn.ts"

/** Own entries that are durable and not pushed yet: one message to each peer at most. */
type Waiting = {
  readonly firstSeq: number
  readonly previousHash: Uint8Array
  readonly records: Uint8Array[]
  bytes: number
}

export class LinkPush {
  readonly #core: Core
  readonly #links: ReadonlyMap<number, Link>
  #waiting: Waiting | undefined
  /** Each push moves it on by the delay, from now at least: how far ahead it is, is the load. */
  #pacedToMs: Millis = -Infinity

  constructor(core: Core, links: ReadonlyMap<number, Link>) {
    this.#core = core
    this.#links = links
  }

  /** A commit added `records` to the own log, the first of them `firstSeq`. */
  onOwnCommitted(
    turn: Turn,
    firstSeq: number,
    previousHash: Uint8Array,
    records: readonly Uint8Array[],
  ): void {
    if (records.length === 0) return
    const bytes = totalBytes(records)
    const before = this.#waiting
    const fits =
      before !== undefined &&
      before.records.length + records.length <= limits.linkFrameEntriesMax &&
      before.bytes + bytes <= limits.linkFrameBytes
    if (fits) {
      for (const record of records) before.records.push(record)
      before.bytes += bytes
    } else {
      this.flush(turn)
      this.#waiting = { firstSeq, previousHash, records: [...records], bytes }
    }
    if (this.#isFull() || turn.nowMs >= this.deadline()) this.flush(turn)
  }

  /** Nothing more may join what waits. */
  #isFull(): boolean {
    const { records, bytes } = this.#waiting ?? { records: [], bytes: 0 }
    return records.length >= limits.linkFrameEntriesMax || bytes >= limits.linkFrameBytes
  }

  onDeadline(turn: Turn): void {
    if (turn.nowMs >= this.deadline()) this.flush(turn)
  }

  deadline(): Millis {
    if (this.#waiting === undefined) return Infinity
    return this.#pacedToMs - this.#delayMs() * (limits.pushBurst - 1)
  }

  /** Under load pushes are so far apart; by default what keeps a large mesh's messages few. */
  #delayMs(): Millis {
    const { size } = this.#links
    const { pushDelayMs } = this.#core.config
    if (pushDelayMs !== undefined) return pushDelayMs
    if (size <= limits.linkEagerLinksMax) return 0
    return Math.min(size * limits.pushDelayEachMs, limits.pushDelayDefaultMsMax)
  }

  /** Sends what waits, to each peer in one message if it has got all before it. */
  flush(turn: Turn): void {
    const waiting = this.#waiting
    if (waiting === undefined) return
    this.#waiting = undefined
    this.#pacedToMs = Math.max(this.#pacedToMs, turn.nowMs) + this.#delayMs()
    const { firstSeq, previousHash, records, bytes } = waiting
    const { origin } = this.#core.config
    const fits = records.length <= limits.linkFrameEntriesMax && bytes <= limits.linkFrameBytes
    const ready: Link[] = []
    for (const link of this.#links.values()) {
      if (link.state.state !== "linked") continue
      const stream = link.streams.get(origin)
      const isLive = stream?.nextSeq === firstSeq && !link.isReading && link.isOpen
      if (isLive && fits) ready.push(link)
      else this.pump(turn, link)
    }
    if (ready.length === 0) return
    const run = { origin, firstSeq, records }
    const frame = encodeLinkEntries({ type: "entries", run, previousHash })
    for (const link of ready) this.#noteSent(link, run)
    turn.multicast(
      ready.map((link) => link.connection),
      [frame],
    )
  }

  #noteSent(link: Link, run: LogRun): void {
    const lastSeq = run.firstSeq + run.records.length - 1
    link.noteSent(run.origin, lastSeq, totalBytes(run.records))
    const stream = link.streams.get(run.origin)
    if (stream !== undefined) stream.nextSeq = lastSeq + 1
  }

  /** A peer that had to be given documents goes on with entries from where those end. */
  onHeads(turn: Turn, link: Link, heads: ReadonlyMap<OriginId, Head>): void {
    const { origin } = this.#core.config
    const head = heads.get(origin)
    if (head !== undefined && !link.streams.has(origin) && !link.forked.has(origin)) {
      link.streams.set(origin, { nextSeq: head.seq + 1 })
    }
    this.pump(turn, link)
  }

  /** A peer asks for what it lacks, or lost on its way to its disk. */
  onWant(turn: Turn, link: Link, want: LinkWant): void {
    if (want.fromSeq > this.#core.holdings.head(want.origin).seq) return
    link.rewind(want.origin, want.fromSeq)
    this.pump(turn, link)
  }

  /** Reads the next piece for this link, if it has room and anything is to be sent. */
  pump(turn: Turn, link: Link): void {
    if (link.state.state !== "linked" || link.isReading || !link.isOpen) return
    const origin = this.#nextOrigin(link)
    if (origin === undefined) return
    const stream = link.streams.get(origin)
    if (stream === undefined) return
    link.isReading = true
    const fromSeq = stream.nextSeq
    const bytesMax = Math.min(limits.linkFrameBytes, link.windowLeft)
    const query = { type: "origin", origin, fromSeq, bytesMax } as const
    this.#core.reads.start(turn, query, (later, result) => {
      link.isReading = false
      if (this.#links.get(link.connection) !== link) return
      this.#onRead(later, link, origin, fromSeq, result)
    })
  }

  /** The first stream that is behind what we hold; it goes to the end of the round. */
  #nextOrigin(link: Link): OriginId | undefined {
    for (const [origin, stream] of link.streams) {
      if (stream.nextSeq <= this.#lastSeq(origin)) {
        link.streams.delete(origin)
        link.streams.set(origin, stream)
        return origin
      }
      // Another origin's stream answers one want: it ends where our log ends.
      if (origin !== this.#core.config.origin) link.streams.delete(origin)
    }
    return undefined
  }

  /** Up to where entries may be sent: those that wait, wait for every peer. */
  #lastSeq(origin: OriginId): number {
    const isOwn = origin === this.#core.config.origin
    if (isOwn && this.#waiting !== undefined) return this.#waiting.firstSeq - 1
    return this.#core.holdings.head(origin).seq
  }

  #onRead(turn: Turn, link: Link, origin: OriginId, fromSeq: number, result: ReadResult): void {
    const stream = link.streams.get(origin)
    // A want may have moved the stream meanwhile: then read again from there.
    if (stream?.nextSeq === fromSeq) {
      if (result.type === "truncated") {
        // It comes back with a want once it has what they amount to.
        link.streams.delete(origin)
        const { seq: floorSeq } = result.floor
        turn.send(link.connection, encodeLinkTruncated({ type: "truncated", origin, floorSeq }))
        return this.pump(turn, link)
      }
      if (result.type !== "origin" || result.run.records.length === 0) {
        // Unreadable now. The own stream goes on with the next commit; another origin's entries
        // the peer may find elsewhere.
        if (origin !== this.#core.config.origin) link.streams.delete(origin)
        return
      }
      const records = result.run.records.slice(0, limits.linkFrameEntriesMax)
      const run = { ...result.run, records }
      this.#noteSent(link, run)
      const { previousHash } = result
      turn.send(link.connection, encodeLinkEntries({ type: "entries", run, previousHash }))
    }
    this.pump(turn, link)
  }
}

function totalBytes(records: readonly Uint8Array[]): number {
  let bytes = 0
  for (const record of records) bytes += record.length
  return bytes
}
