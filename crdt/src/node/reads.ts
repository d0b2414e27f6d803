/**
 * Reads under way and what to do with their results. Reads of whole documents or their tails take
 * turns, so that a thousand sessions that come at once neither stand in front of the next append
 * nor fill the memory with results; a read that nobody wants any more is never started.
 */
import { assert, limits } from "../base/index.ts"
import type { ReadQuery, ReadResult } from "../ports/index.ts"
import type { Turn } from "./turn.ts"

type OnRead = (turn: Turn, result: ReadResult) => void
type Waiting = { readonly query: ReadQuery; readonly onRead: OnRead }

export class Reads {
  readonly #underWay = new Map<number, OnRead>()
  /** By who waits: a session or a document, one read each. */
  readonly #waiting = new Map<object, Waiting>()
  readonly #onDamage: (turn: Turn) => void
  #documentReads = 0
  #next = 1

  /** `onDamage` hears of each read that a damaged record made fail. */
  constructor(onDamage: (turn: Turn) => void) {
    this.#onDamage = onDamage
  }

  /** Reads at once. */
  start(turn: Turn, query: ReadQuery, onRead: OnRead): void {
    const read = this.#next++
    this.#underWay.set(read, onRead)
    turn.push({ type: "read", read, query })
  }

  /** Reads when it is `reader`'s turn, unless that is cancelled before. */
  queue(turn: Turn, reader: object, query: ReadQuery, onRead: OnRead): void {
    this.#waiting.set(reader, { query, onRead })
    this.#pump(turn)
  }

  /** True if the reader still waited; then its read is never started. */
  cancel(reader: object): boolean {
    return this.#waiting.delete(reader)
  }

  #pump(turn: Turn): void {
    for (const [reader, { query, onRead }] of this.#waiting) {
      if (this.#documentReads >= limits.documentReadsMax) return
      this.#waiting.delete(reader)
      this.#documentReads += 1
      this.start(turn, query, (later, result) => {
        this.#documentReads -= 1
        onRead(later, result)
        this.#pump(later)
      })
    }
  }

  onDone(turn: Turn, read: number, result: ReadResult): void {
    const onRead = this.#underWay.get(read)
    assert(onRead !== undefined, () => `unknown read ${read}`)
    this.#underWay.delete(read)
    onRead(turn, result)
    if (result.type === "failed" && result.code === "corrupt") this.#onDamage(turn)
  }
}
