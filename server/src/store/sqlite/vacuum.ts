/**
 * Gives back what truncation freed: a few pages at a time, after a reply and not before it. Pages
 * that are free are reused first; only when many are does the file shrink. A database of before
 * version 2 only reuses them.
 */
import type { Database } from "better-sqlite3"
import { errorMessage } from "../errors.ts"

/** It looks once in so many appends, unless it is at work. */
const lookEvery = 64
/** Free pages (4 KiB each), and their share of all, that make it begin. */
const freeMin = 256
const shareMin = 1 / 8
/** Pages given back after one append. */
const stepPages = 32

export class Vacuum {
  readonly #database: Database
  readonly #onTrouble: (message: string) => void
  #untilLook = lookEvery
  #isAtWork = false

  constructor(database: Database, onTrouble: (message: string) => void) {
    this.#database = database
    this.#onTrouble = onTrouble
  }

  /** To be called after an append's reply. Failing is reported, and tried again later. */
  runIfDue(): void {
    this.#untilLook -= 1
    if (!this.#isAtWork && this.#untilLook > 0) return
    this.#untilLook = lookEvery
    try {
      const free = this.#number("freelist_count")
      this.#isAtWork = free > freeMin && free > shareMin * this.#number("page_count")
      if (this.#isAtWork) this.#database.pragma(`incremental_vacuum(${stepPages})`)
      // Where nothing was given back, the database is one that can't.
      this.#isAtWork &&= this.#number("freelist_count") < free
    } catch (error) {
      this.#isAtWork = false
      this.#onTrouble(`vacuum failed: ${errorMessage(error)}`)
    }
  }

  #number(name: string): number {
    return Number(this.#database.pragma(name, { simple: true }))
  }
}
