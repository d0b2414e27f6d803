/**
 * How far acked updates are saved beyond the node that acked them: for each tier the number that
 * was reached, and marks that say where the rest is logged. Marks are of one connection each, as
 * only one life of a node is sure to go on with the log it has: a later head under the same name
 * may be another log's. What no mark places counts as lost: it never reaches a tier. Rule [T8].
 */
import { DecodeError, limits, Reader, Writer } from "../base/index.ts"
import type { OriginId } from "../base/index.ts"
import type { Head } from "../log/index.ts"
import { decodeHeads, encodeHeads, tierMarksMax } from "../protocol/index.ts"
import type { TierMark } from "../protocol/index.ts"

export type HigherTier = "quorum" | "all"
export const higherTiers = ["quorum", "all"] as const satisfies readonly HigherTier[]

type Position = {
  /** Everything up to here is at the tier, but what is lost. */
  readonly reached: number
  /** What is after the one and up to the other is lost; equal if nothing is. */
  readonly lostFrom: number
  readonly lostTo: number
}

const start: Position = { reached: 0, lostFrom: 0, lostTo: 0 }
const VERSION = 1

export class TierPositions {
  #positions: Record<HigherTier, Position> = { quorum: start, all: start }
  #marks: TierMark[] = []
  /** Whether the last mark is of this connection. */
  #isOpen = false
  /** Acked, and placed by a mark or lost. */
  #placedTo = 0
  /** Where the node said that what it acks next is logged. */
  #heads: ReadonlyMap<OriginId, Head> | undefined
  /** Numbers up to here were welcomed as logged; the node is to say where. */
  #unplacedTo: number | undefined

  /** `ackedSeq`: every number up to here has left the outbox. */
  constructor(stored: Uint8Array | undefined, ackedSeq: number) {
    const isRead = stored === undefined || this.#decode(stored)
    if (!isRead || ackedSeq > this.#placedTo) this.#lose(ackedSeq)
  }

  /** Acked numbers, all of them placed by a mark or lost. */
  get placedTo(): number {
    return this.#placedTo
  }

  /** A node has yet to say where it logged what it welcomed. */
  get isUnplaced(): boolean {
    return this.#unplacedTo !== undefined
  }

  stateOf(tier: HigherTier, seq: number): "reached" | "pending" | "lost" {
    const { reached, lostFrom, lostTo } = this.#positions[tier]
    if (seq > lostFrom && seq <= lostTo) return "lost"
    return seq <= reached ? "reached" : "pending"
  }

  /** What a node has to know to go on: `fromSeq` and the marks from there. */
  wantOf(tier: HigherTier): { readonly fromSeq: number; readonly marks: readonly TierMark[] } {
    const done = this.#doneTo(tier)
    return { fromSeq: done + 1, marks: this.#marks.filter(({ toSeq }) => toSeq > done) }
  }

  /** A connection begins. `isTold`: its node says where it logs. */
  connected(loggedSeq: number, isTold: boolean): void {
    this.disconnected()
    if (loggedSeq <= this.#placedTo) return
    if (isTold) this.#unplacedTo = loggedSeq
    else this.#lose(loggedSeq)
  }

  disconnected(): void {
    this.#isOpen = false
    this.#heads = undefined
    // Their place was never said.
    if (this.#unplacedTo !== undefined) this.#lose(this.#unplacedTo)
    this.#unplacedTo = undefined
  }

  /** What is acked from here on stands within these heads, and what was welcomed. */
  logged(heads: ReadonlyMap<OriginId, Head>): void {
    this.#heads = heads
    const seq = this.#unplacedTo
    if (seq === undefined) return
    this.#unplacedTo = undefined
    this.#place(seq, heads)
  }

  /** A node acked everything up to `seq`. */
  acked(seq: number): void {
    if (seq <= this.#placedTo) return
    if (this.#heads === undefined) this.#lose(seq)
    else this.#place(seq, this.#heads)
  }

  /** False if nobody can know that: no node acked it. */
  tierAcked(tier: HigherTier, seq: number): boolean {
    if (seq > this.#placedTo) return false
    this.#raise(tier, seq)
    if (tier === "all") {
      // An ack covers nothing that is lost, and what is lost of the one tier may be of both.
      const { lostFrom, lostTo } = this.#positions.all
      if (lostTo > lostFrom) this.#loseOf("quorum", lostTo)
      this.#raise("quorum", seq)
    }
    this.#prune()
    return true
  }

  /** A node found that what is not at the tier up to `seq` never will be. */
  lost(tier: HigherTier, seq: number): boolean {
    if (seq > this.#placedTo) return false
    this.#loseOf(tier, seq)
    this.#prune()
    return true
  }

  #doneTo(tier: HigherTier): number {
    const { reached, lostTo } = this.#positions[tier]
    return Math.max(reached, lostTo)
  }

  #prune(): void {
    const doneTo = Math.min(...higherTiers.map((tier) => this.#doneTo(tier)))
    const kept = this.#marks.filter(({ toSeq }) => toSeq > doneTo)
    if (kept.length === 0) this.#isOpen = false
    this.#marks = kept
  }

  #raise(tier: HigherTier, seq: number): void {
    const position = this.#positions[tier]
    this.#positions[tier] = { ...position, reached: Math.max(position.reached, seq) }
  }

  #place(seq: number, heads: ReadonlyMap<OriginId, Head>): void {
    const last = this.#isOpen ? this.#marks.pop() : undefined
    // Heads of one connection only grow.
    this.#marks.push({ toSeq: seq, heads: new Map([...(last?.heads ?? []), ...heads]) })
    this.#isOpen = true
    this.#placedTo = seq
    while (this.#marks.length > tierMarksMax || headsOf(this.#marks) > limits.originsMax) {
      const [oldest] = this.#marks
      for (const tier of higherTiers) this.#loseOf(tier, oldest?.toSeq ?? 0)
      this.#marks.shift()
    }
  }

  #lose(seq: number): void {
    for (const tier of higherTiers) this.#loseOf(tier, seq)
    this.#placedTo = Math.max(this.#placedTo, seq)
    this.#prune()
  }

  #loseOf(tier: HigherTier, seq: number): void {
    if (seq <= this.#doneTo(tier)) return
    const { reached, lostFrom, lostTo } = this.#positions[tier]
    // Of two gaps, what is between them counts as lost too.
    const from = lostTo > lostFrom ? lostFrom : reached
    this.#positions[tier] = { reached, lostFrom: from, lostTo: seq }
  }

  encode(): Uint8Array {
    const writer = new Writer(128).u8(VERSION).varUint(this.#placedTo)
    for (const tier of higherTiers) {
      const { reached, lostFrom, lostTo } = this.#positions[tier]
      writer.varUint(reached).varUint(lostFrom).varUint(lostTo)
    }
    writer.varUint(this.#marks.length)
    for (const { toSeq, heads } of this.#marks) encodeHeads(writer.varUint(toSeq), heads)
    return writer.finish()
  }

  /** False if this is not what `encode` made. */
  #decode(bytes: Uint8Array): boolean {
    try {
      const reader = new Reader(bytes)
      if (reader.u8() !== VERSION) return false
      const placedTo = reader.varUint()
      const [quorum, all] = [positionFrom(reader), positionFrom(reader)]
      const marks = reader.list(tierMarksMax, (): TierMark => {
        return { toSeq: reader.varUint(), heads: decodeHeads(reader) }
      })
      reader.end()
      this.#placedTo = placedTo
      this.#positions = { quorum, all }
      this.#marks = marks
      return true
    } catch (error) {
      if (error instanceof DecodeError) return false
      throw error
    }
  }
}

function positionFrom(reader: Reader): Position {
  return { reached: reader.varUint(), lostFrom: reader.varUint(), lostTo: reader.varUint() }
}

function headsOf(marks: readonly TierMark[]): number {
  return marks.reduce((count, { heads }) => count + heads.size, 0)
}
