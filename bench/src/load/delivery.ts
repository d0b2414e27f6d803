/**
 * Counts what one reader has received of one document's recording, by clocks. Invariant: `updates`
 * is the number of whole recorded updates received without a gap from the first, each counted once,
 * however the server cut or merged its frames. What should not happen is counted apart: ranges
 * that skip ahead, clocks of a client that is not the writer.
 */
import { unitsPerUpdate } from "./recording.ts"

/** Told of the recorded updates `[first, end)` that have just become complete. */
export type DeliverySink = (first: number, end: number) => void

export class Delivery {
  readonly #client: number
  readonly #sink: DeliverySink
  #clock = 0
  #updates = 0
  #gaps = 0
  #strangers = 0

  constructor(client: number, sink: DeliverySink) {
    this.#client = client
    this.#sink = sink
  }

  get updates(): number {
    return this.#updates
  }

  get gaps(): number {
    return this.#gaps
  }

  get strangers(): number {
    return this.#strangers
  }

  /** Takes a range of clocks as `UpdateScanner` reports them. */
  cover(client: number, start: number, end: number): void {
    if (client !== this.#client) {
      this.#strangers += 1
      return
    }
    if (start > this.#clock) {
      this.#gaps += 1
      return
    }
    if (end <= this.#clock) return
    this.#clock = end
    const first = this.#updates
    this.#updates = Math.floor(end / unitsPerUpdate)
    if (this.#updates > first) this.#sink(first, this.#updates)
  }
}
