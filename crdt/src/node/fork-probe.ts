/**
 * Finds the last entry that two logs of one origin share, by asking the peer for single entries:
 * bisection, O(log entries) round trips. Only entries that a log could have count: they are held
 * against this node's own, hash and bytes. Rules [E3] [E5] [X1] [X2].
 */
import { bytesCompare, bytesEqual } from "../base/index.ts"
import type { Millis, OriginId } from "../base/index.ts"
import { chainHash } from "../log/index.ts"
import type { ReadResult } from "../ports/index.ts"
import { encodeLinkWant } from "../protocol/index.ts"
import type { LinkEntries } from "../protocol/index.ts"
import type { Core } from "./core.ts"
import type { Link } from "./link.ts"
import type { Turn } from "./turn.ts"

/** What a probe found out. */
export type Outcome =
  /** They differ behind `keepSeq`. Of the entries there the one with the greater hash stays. */
  | {
      readonly found: "fork"
      readonly keepSeq: number
      readonly isOurs: boolean
      readonly hash: Uint8Array
    }
  /** Behind `keepSeq`, where this node's log ends, theirs goes on. */
  | { readonly found: "continuation"; readonly keepSeq: number }
  /** They differ where one log, or both, begin later: the one that begins last stays. */
  | { readonly found: "floor"; readonly isOurs: boolean }
  /** What the peer says contradicts itself, or the log can't be read now. */
  | { readonly found: "nothing" }

export class ForkProbe {
  readonly link: Link
  readonly origin: OriginId
  readonly #core: Core
  readonly #onOutcome: (turn: Turn, outcome: Outcome) => void
  /** Both logs are the same up to `low`; they may be so up to `high`, and are not behind it. */
  #low = 0
  #high: number
  #seq = 0
  /** Where the logs begin, as far as that is known. */
  #ourFloor = 0
  #theirFloor = 0
  #isOver = false
  /** When it asked last. */
  askedMs: Millis

  constructor(
    core: Core,
    of: { readonly link: Link; readonly origin: OriginId; readonly high: number },
    nowMs: Millis,
    onOutcome: (turn: Turn, outcome: Outcome) => void,
  ) {
    this.#core = core
    this.link = of.link
    this.origin = of.origin
    this.#high = of.high
    this.askedMs = nowMs
    this.#onOutcome = onOutcome
  }

  /** Most often logs differ only right behind what they may share. */
  start(turn: Turn): void {
    this.#ask(turn, this.#high + 1)
  }

  stop(): void {
    this.#isOver = true
  }

  #ask(turn: Turn, seq: number): void {
    this.#seq = seq
    this.askedMs = turn.nowMs
    const { origin } = this
    turn.send(this.link.connection, encodeLinkWant({ type: "want", origin, fromSeq: seq }))
  }

  /** Entries that are no answer are left alone. */
  onEntries(turn: Turn, { run, previousHash }: LinkEntries): void {
    const record = run.records[0]
    if (run.firstSeq !== this.#seq || record === undefined) return
    const { origin, firstSeq: fromSeq } = run
    // Frames may be used again by the driver, and the log answers later.
    const theirs = { record: record.slice(), previousHash: previousHash.slice() }
    const query = { type: "origin", origin, fromSeq, bytesMax: 0 } as const
    this.#core.reads.start(turn, query, (later, result) => {
      if (!this.#isOver && this.#seq === fromSeq) this.#judge(later, theirs, result)
    })
  }

  /** The peer's log begins later than what it was asked for. */
  onTruncated(turn: Turn, floorSeq: number): void {
    if (this.#isOver || floorSeq < this.#seq) return
    this.#theirFloor = floorSeq
    const { origin } = this
    const fromSeq = this.#seq
    const query = { type: "origin", origin, fromSeq, bytesMax: 0 } as const
    this.#core.reads.start(turn, query, (later, result) => {
      if (this.#isOver || this.#seq !== fromSeq) return
      if (result.type === "truncated") this.#ourFloor = result.floor.seq
      this.#goOn(later)
    })
  }

  #judge(
    turn: Turn,
    theirs: { readonly record: Uint8Array; readonly previousHash: Uint8Array },
    result: ReadResult,
  ): void {
    if (result.type === "truncated") {
      this.#ourFloor = result.floor.seq
      return this.#goOn(turn)
    }
    if (result.type !== "origin") return this.#end(turn, { found: "nothing" })
    const ours = result.run.records[0]
    const seq = this.#seq
    if (!bytesEqual(theirs.previousHash, result.previousHash)) this.#high = seq - 2
    else if (ours !== undefined && bytesEqual(ours, theirs.record)) this.#low = seq
    else return this.#end(turn, outcomeOf(this.origin, seq, theirs, ours))
    this.#goOn(turn)
  }

  #goOn(turn: Turn): void {
    const floor = Math.max(this.#ourFloor, this.#theirFloor)
    if (floor > 0 && this.#high < floor) {
      return this.#end(turn, { found: "floor", isOurs: this.#ourFloor > this.#theirFloor })
    }
    // No log has such entries: what it says about them contradicts itself.
    if (this.#low > this.#high) return this.#end(turn, { found: "nothing" })
    const middle = this.#low + 1 + Math.floor((this.#high - this.#low) / 2)
    this.#ask(turn, Math.max(middle, floor + 1))
  }

  #end(turn: Turn, outcome: Outcome): void {
    this.#isOver = true
    this.#onOutcome(turn, outcome)
  }
}

function outcomeOf(
  origin: OriginId,
  seq: number,
  theirs: { readonly record: Uint8Array; readonly previousHash: Uint8Array },
  ours: Uint8Array | undefined,
): Outcome {
  const keepSeq = seq - 1
  if (ours === undefined) return { found: "continuation", keepSeq }
  const hash = chainHash(theirs.previousHash, origin, seq, theirs.record)
  const ourHash = chainHash(theirs.previousHash, origin, seq, ours)
  return { found: "fork", keepSeq, isOurs: bytesCompare(ourHash, hash) > 0, hash }
}
