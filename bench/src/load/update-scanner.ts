/**
 * Reads which clocks a Yjs update (V1) covers, without decoding it: a server may merge several
 * updates into one frame or split a frame in two, so frames must not be counted, clocks must. Knows
 * the structs the recorded updates can turn into (text, deleted text, garbage, skipped ranges);
 * anything else is an error, because guessing would count wrong. Layout: yjs `encoding.js`.
 */
import { ByteCursor } from "./byte-cursor.ts"

/** Told of each contiguous range `[start, end)` of `client`'s clock, in the order of the update. */
export type ExtentSink = (client: number, start: number, end: number) => void

const refGarbage = 0
const refDeleted = 1
const refString = 4
const refSkip = 10
const hasOrigin = 0x80
const hasRightOrigin = 0x40
const hasParentSub = 0x20

export class UpdateScanner {
  readonly #cursor = new ByteCursor()

  /** Scans the update that starts at `at` in `bytes`; @throws RangeError on anything unknown. */
  scan(bytes: Uint8Array, at: number, sink: ExtentSink): void {
    const cursor = this.#cursor
    cursor.aim(bytes, at)
    for (let clients = cursor.varUint(); clients > 0; clients -= 1) {
      const structs = cursor.varUint()
      const client = cursor.varUint()
      this.#scanClient(client, cursor.varUint(), structs, sink)
    }
  }

  #scanClient(client: number, clock: number, structs: number, sink: ExtentSink): void {
    const cursor = this.#cursor
    let start = clock
    let end = clock
    for (let left = structs; left > 0; left -= 1) {
      const info = cursor.byte()
      if ((info & 31) === refSkip) {
        if (end > start) sink(client, start, end)
        end += cursor.varUint()
        start = end
      } else {
        end += this.#structUnits(info)
      }
    }
    if (end > start) sink(client, start, end)
  }

  #structUnits(info: number): number {
    const cursor = this.#cursor
    const ref = info & 31
    if (ref === refGarbage) return cursor.varUint()
    if ((info & hasOrigin) !== 0) this.#skipId()
    if ((info & hasRightOrigin) !== 0) this.#skipId()
    if ((info & (hasOrigin | hasRightOrigin)) === 0) this.#skipParent(info)
    if (ref === refString) return cursor.stringUnits()
    if (ref === refDeleted) return cursor.varUint()
    throw new RangeError(`struct of kind ${ref} is in none of the recorded updates`)
  }

  #skipId(): void {
    this.#cursor.varUint()
    this.#cursor.varUint()
  }

  #skipParent(info: number): void {
    if (this.#cursor.varUint() === 1) this.#cursor.stringUnits()
    else this.#skipId()
    if ((info & hasParentSub) !== 0) this.#cursor.stringUnits()
  }
}
