/**
 * Every batch is numbered, and the numbers of the last ones stand in a ring of keys. A batch that
 * LevelDB lost from the middle of its log (it skips what is damaged there, and goes on behind it)
 * shows as a number that is missing. The ring holds far more batches than the log ever does.
 */
import type { LevelDatabase, Operation } from "./database.ts"
import { rangeOf, slotKey } from "./keys.ts"
import { decodeNumber, decodeValue, encodeNumber, sealValue } from "./values.ts"

const slots = 32_768

export class BatchRing {
  /** The last batch's number. */
  #last: number
  /** Whether no batch is missing. */
  readonly isWhole: boolean

  private constructor(last: number, isWhole: boolean) {
    this.#last = last
    this.isWhole = isWhole
  }

  /** O(slots). */
  static async load(database: LevelDatabase): Promise<BatchRing> {
    let last = 0
    const found = new Set<number>()
    for await (const page of database.readablePages(rangeOf("b"))) {
      for (const [key, value] of page) {
        const number = decodeValue(key, value, decodeNumber)
        if (number === undefined || !slotKey(number % slots).equals(key)) continue
        found.add(number)
        last = Math.max(last, number)
      }
    }
    let isWhole = true
    for (let number = Math.max(1, last - slots + 1); number <= last; number++) {
      isWhole &&= found.has(number)
    }
    return new BatchRing(last, isWhole)
  }

  /** What the next batch has to write. */
  get next(): Operation {
    const number = this.#last + 1
    const key = slotKey(number % slots)
    return [key, sealValue(key, encodeNumber(number))]
  }

  /** The next batch was written. */
  advance(): void {
    this.#last += 1
  }
}
