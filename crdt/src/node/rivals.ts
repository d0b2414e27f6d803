/**
 * Rivals: peers that hold this node's own origin otherwise than it does. Then this node's log was
 * put back or copied, and what it writes on may be taken for something else; or the peer is wrong.
 * A claim is only reported. Evidence are entries: asked for one by one (bisection, O(log entries)
 * round trips), they show the last entry that both have, and from there on the log is to be
 * opened anew. One probe at a time, only while a reopening is allowed. Rules [E3] [E5] [L6].
 */
import { bytesEqual, limits } from "../base/index.ts"
import type { Millis } from "../base/index.ts"
import type { Head } from "../log/index.ts"
import type { ReadResult } from "../ports/index.ts"
import { encodeLinkWant } from "../protocol/index.ts"
import type { LinkEntries } from "../protocol/index.ts"
import type { Core } from "./core.ts"
import { decodes } from "./link-pull.ts"
import type { Link } from "./link.ts"
import type { Turn } from "./turn.ts"

/** Both logs are the same up to `low`; they may be so up to `high`, and are not behind it. */
type Probe = { readonly link: Link; low: number; high: number; seq: number; atMs: Millis }

export class Rivals {
  readonly #core: Core
  readonly #links: ReadonlyMap<number, Link>
  readonly #report: (turn: Turn, link: Link, seq: number) => void
  /** Claims that wait for their turn, in order of their coming; one per link. */
  readonly #claims = new Set<Link>()
  #probe: Probe | undefined

  constructor(
    core: Core,
    links: ReadonlyMap<number, Link>,
    report: (turn: Turn, link: Link, seq: number) => void,
  ) {
    this.#core = core
    this.#links = links
    this.#report = report
  }

  /** Looks at what a peer says it holds of our origin; heads alone tell unless it holds less. */
  check(turn: Turn, link: Link, mayRead: boolean): void {
    const { config, holdings, reads } = this.#core
    const theirs = link.heads.get(config.origin)
    if (theirs === undefined || theirs.seq === link.agreedSeq || this.#claims.has(link)) return
    const ours = holdings.head(config.origin)
    if (theirs.seq > ours.seq) this.#claim(turn, link, ours.seq)
    else if (theirs.seq === ours.seq) this.#compare(turn, link, theirs, ours.hash)
    else if (mayRead) {
      const fromSeq = theirs.seq + 1
      const query = { type: "origin", origin: config.origin, fromSeq, bytesMax: 0 } as const
      reads.start(turn, query, (later, result) => {
        if (this.#links.get(link.connection) !== link || result.type !== "origin") return
        this.#compare(later, link, theirs, result.previousHash)
      })
    }
  }

  #compare(turn: Turn, link: Link, theirs: Head, hash: Uint8Array): void {
    if (bytesEqual(theirs.hash, hash)) link.agreedSeq = theirs.seq
    else this.#claim(turn, link, theirs.seq)
  }

  /** Reported once; our own entries are no use to this peer, all others go on. */
  #claim(turn: Turn, link: Link, seq: number): void {
    if (this.#claims.has(link)) return
    this.#claims.add(link)
    link.streams.delete(this.#core.config.origin)
    this.#report(turn, link, seq)
    this.#start(turn)
  }

  /** Probes the claim that waits longest, if nothing is probed and it may lead to anything. */
  #start(turn: Turn): void {
    const { config, holdings, mayReopen } = this.#core
    const [link] = this.#claims
    if (this.#probe !== undefined || link === undefined || !mayReopen(turn, "overtaken")) return
    const theirs = link.heads.get(config.origin)?.seq ?? 0
    const ours = holdings.head(config.origin).seq
    const high = theirs > ours ? ours : theirs - 1
    this.#probe = { link, low: 0, high, seq: 0, atMs: turn.nowMs }
    // Most often ours is a part of theirs.
    this.#ask(turn, this.#probe, high + 1)
  }

  #ask(turn: Turn, probe: Probe, seq: number): void {
    probe.seq = seq
    probe.atMs = turn.nowMs
    const { origin } = this.#core.config
    turn.send(probe.link.connection, encodeLinkWant({ type: "want", origin, fromSeq: seq }))
  }

  /** Entries of our own origin are never adopted. Gives false if they break the protocol. */
  onEntries(turn: Turn, link: Link, { run, previousHash }: LinkEntries): boolean {
    const probe = this.#probe
    const record = run.records[0]
    if (probe?.link !== link || run.firstSeq !== probe.seq || record === undefined) return true
    if (!decodes(record)) return false
    const { origin, firstSeq: fromSeq } = run
    // Frames may be used again by the driver, and the log answers later.
    const evidence = { record: record.slice(), previousHash: previousHash.slice() }
    this.#core.reads.start(
      turn,
      { type: "origin", origin, fromSeq, bytesMax: 0 },
      (later, result) => {
        if (this.#probe === probe && probe.seq === fromSeq)
          this.#judge(later, probe, evidence, result)
      },
    )
    return true
  }

  #judge(
    turn: Turn,
    probe: Probe,
    theirs: { readonly record: Uint8Array; readonly previousHash: Uint8Array },
    result: ReadResult,
  ): void {
    if (result.type !== "origin") return this.#giveUp()
    const ours = result.run.records[0]
    if (!bytesEqual(theirs.previousHash, result.previousHash)) probe.high = probe.seq - 2
    else if (ours !== undefined && bytesEqual(ours, theirs.record)) probe.low = probe.seq
    else return this.#core.reopen(turn, { why: "overtaken", keepSeq: probe.seq - 1 })
    // No log has such entries: what it says about them contradicts itself.
    if (probe.low > probe.high) return this.#giveUp()
    this.#ask(turn, probe, probe.low + 1 + Math.floor((probe.high - probe.low) / 2))
  }

  /** The claim stays, behind the others. */
  #giveUp(): void {
    const link = this.#probe?.link
    this.#probe = undefined
    if (link !== undefined && this.#claims.delete(link)) this.#claims.add(link)
  }

  sweep(turn: Turn): void {
    if (this.#probe !== undefined && turn.nowMs - this.#probe.atMs > limits.linkWantMs) {
      this.#giveUp()
    }
    for (const link of this.#links.values()) {
      if (link.state.state === "linked") this.check(turn, link, true)
    }
    this.#start(turn)
  }

  onLinkDown(link: Link): void {
    this.#claims.delete(link)
    if (this.#probe?.link === link) this.#probe = undefined
  }
}
