/** Reads under way and what to do with their results. */
import { assert } from "../base/index.ts"
import type { ReadQuery, ReadResult } from "../ports/index.ts"
import type { Turn } from "./turn.ts"

type OnRead = (turn: Turn, result: ReadResult) => void

export class Reads {
  readonly #underWay = new Map<number, OnRead>()
  #next = 1

  start(turn: Turn, query: ReadQuery, onRead: OnRead): void {
    const read = this.#next++
    this.#underWay.set(read, onRead)
    turn.push({ type: "read", read, query })
  }

  onDone(turn: Turn, read: number, result: ReadResult): void {
    const onRead = this.#underWay.get(read)
    assert(onRead !== undefined, () => `unknown read ${read}`)
    this.#underWay.delete(read)
    onRead(turn, result)
  }
}
