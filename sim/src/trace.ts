/**
 * What happened, in order: hashed as it happens (the same seed gives the same hash), with the
 * last events kept to be shown around a violation. An event is its kind, up to three numbers and
 * the bytes it carried; text is only made when somebody looks.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import { assert, bytesToHex } from "@causeway/crdt/base"
import type { Millis } from "@causeway/crdt/base"
import { checksum } from "./checksum.ts"

/** Kinds of events and how their numbers read: `h` a host, `#` a number, `-` nothing. */
const kinds = {
  write: "h##",
  send: "hh#",
  arrive: "hh#",
  lose: "hh#",
  dial: "hh#",
  "dial-failed": "hh#",
  opened: "hh#",
  closed: "h##",
  append: "h##",
  durable: "h##",
  "append-failed": "h##",
  lost: "h##",
  crash: "h--",
  start: "h--",
  fault: "#--",
  heal: "#--",
  acked: "h##",
  step: "h--",
  note: "h##",
  reopen: "h--",
  disk: "h--",
  refused: "h--",
} as const
export type TraceKind = keyof typeof kinds

const kindNames = Object.keys(kinds)
const kindNumbers = new Map(kindNames.map((name, index) => [name, index]))

const FIELDS = 6
const BLOCK_EVENTS = 512

export class Trace {
  readonly #clock: { readonly nowMs: Millis }
  readonly #hash = sha256.create()
  readonly #block = new Float64Array(FIELDS * BLOCK_EVENTS)
  readonly #ring: Float64Array
  readonly #keep: number
  readonly #hosts: string[] = []
  readonly #details = new Map<number, string>()
  #events = 0
  #filled = 0

  constructor(clock: { readonly nowMs: Millis }, keep = 400) {
    this.#clock = clock
    this.#keep = keep
    this.#ring = new Float64Array(FIELDS * keep)
  }

  get events(): number {
    return this.#events
  }

  nameHost(host: number, name: string): void {
    this.#hosts[host] = name
  }

  hostName(host: number): string {
    return this.#hosts[host] ?? `host ${host}`
  }

  add(kind: TraceKind, first = 0, second = 0, third = 0, bytes?: Uint8Array): void {
    const number = kindNumbers.get(kind)
    assert(number !== undefined, "trace kind")
    const block = this.#block
    const start = this.#filled * FIELDS
    block[start] = this.#clock.nowMs
    block[start + 1] = number
    block[start + 2] = first
    block[start + 3] = second
    block[start + 4] = third
    block[start + 5] = bytes === undefined ? 0 : checksum(bytes)
    const kept = (this.#events % this.#keep) * FIELDS
    for (let field = 0; field < FIELDS; field++)
      this.#ring[kept + field] = block[start + field] ?? 0
    if (this.#details.size > 0) this.#details.delete(this.#events - this.#keep)
    this.#events += 1
    this.#filled += 1
    if (this.#filled === BLOCK_EVENTS) this.#flush()
  }

  /** Words for the event just added; they are shown, not hashed. */
  detail(text: string): void {
    this.#details.set(this.#events - 1, text)
  }

  #flush(): void {
    this.#hash.update(new Uint8Array(this.#block.buffer, 0, this.#filled * FIELDS * 8))
    this.#filled = 0
  }

  /** The hash of everything so far, in hex. */
  digest(): string {
    this.#flush()
    return bytesToHex(this.#hash.clone().digest())
  }

  /** The last `count` events, oldest first, one line each. */
  last(count: number): string[] {
    const lines: string[] = []
    const oldest = Math.max(0, this.#events - Math.min(count, this.#keep))
    for (let index = oldest; index < this.#events; index++) lines.push(this.#line(index))
    return lines
  }

  #line(index: number): string {
    const start = (index % this.#keep) * FIELDS
    const [atMs = 0, number = 0, ...values] = this.#ring.subarray(start, start + FIELDS)
    const kind = kindNames[number] ?? ""
    const shape = Object.entries(kinds).find(([name]) => name === kind)?.[1] ?? ""
    const words = Array.from(shape).map((letter, place) => this.#word(letter, values[place] ?? 0))
    const detail = this.#details.get(index) ?? ""
    const head = `${atMs.toFixed(3).padStart(12)} ${kind.padEnd(13)}`
    return `${head} ${words.join(" ")} ${detail}`.trimEnd()
  }

  #word(letter: string, value: number): string {
    if (letter === "h") return this.hostName(value).padEnd(4)
    return letter === "#" ? String(value) : ""
  }
}
