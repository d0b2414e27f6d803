/**
 * What is covered of one Yjs document: per client the clock up to which every operation and all
 * that it points at are known. Says of each update what a Y.Doc would (yjs `utils/encoding.js`
 * integrateStructs): a client's operations take effect in order, each after its origins and its
 * parent; the first that cannot holds back those behind it, deletions hold back nothing.
 */
import type { Frontier, UpdateFacts, Wait } from "../engine.ts"
import { writeStateVector } from "./state-vector.ts"

/** An update of which parts still wait. */
type Update = { bytes: number; open: number }

/** Part of an update that takes effect in order: one span of one client, or the deletions. */
type Part = {
  readonly update: Update
  /** Undefined for deletions. */
  readonly writer: string | undefined
  readonly from: number
  readonly to: number
  readonly waits: readonly Wait[]
  /** The first wait that is not known to be over. */
  next: number
}

/** Waits until `covered` of some client exceeds `clock`. */
type Waiter = { readonly clock: number; readonly part: Part }

export class YjsFrontier implements Frontier {
  readonly #covered = new Map<string, number>()
  /** Per client waited for; highest clock first, so that those that can go on are at the end. */
  readonly #waiters = new Map<string, Waiter[]>()
  /** Clients whose covered clock has grown while parts wait for them. */
  #grown: string[] = []
  #pendingBytes = 0

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /** O(spans + waits) when nothing waits, and a logarithm more for what does. */
  add(facts: UpdateFacts, bytes: number): "covered" | "pending" {
    const update: Update = { bytes, open: 0 }
    for (const part of partsOf(facts, update)) {
      update.open += 1
      if (this.#advance(part)) update.open -= 1
    }
    if (update.open > 0) this.#pendingBytes += bytes
    this.#drain()
    return update.open === 0 ? "covered" : "pending"
  }

  contradicts(): boolean {
    return false
  }

  summary(): Uint8Array {
    const clocks: [number, number][] = []
    for (const [writer, clock] of this.#covered) clocks.push([Number(writer), clock])
    return writeStateVector(clocks)
  }

  /** Takes a part as far as it goes; true when it is through. */
  #advance(part: Part): boolean {
    const { writer, waits } = part
    if (writer === undefined) return this.#waitsOver(part, waits.length)
    const covered = this.#covered.get(writer) ?? 0
    if (covered >= part.to) return true
    if (covered < part.from) {
      this.#wait(writer, part.from - 1, part)
      return false
    }
    const through = this.#waitsOver(part, waits.length)
    this.#cover(writer, through ? part.to : (waits[part.next]?.at ?? part.to))
    return through
  }

  #waitsOver(part: Part, count: number): boolean {
    for (; part.next < count; part.next += 1) {
      const wait = part.waits[part.next]
      if (wait === undefined || (this.#covered.get(wait.on) ?? 0) > wait.clock) continue
      this.#wait(wait.on, wait.clock, part)
      return false
    }
    return true
  }

  #cover(writer: string, clock: number): void {
    if (clock <= (this.#covered.get(writer) ?? 0)) return
    this.#covered.set(writer, clock)
    if (this.#waiters.has(writer)) this.#grown.push(writer)
  }

  #wait(on: string, clock: number, part: Part): void {
    const waiters = this.#waiters.get(on)
    if (waiters === undefined) {
      this.#waiters.set(on, [{ clock, part }])
      return
    }
    let low = 0
    let high = waiters.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((waiters[middle]?.clock ?? 0) > clock) low = middle + 1
      else high = middle
    }
    waiters.splice(low, 0, { clock, part })
  }

  #drain(): void {
    for (let writer = this.#grown.pop(); writer !== undefined; writer = this.#grown.pop()) {
      const waiters = this.#waiters.get(writer)
      let last = waiters?.at(-1)
      while (last !== undefined && last.clock < (this.#covered.get(writer) ?? 0)) {
        waiters?.pop()
        if (this.#advance(last.part)) this.#close(last.part.update)
        last = waiters?.at(-1)
      }
      if (waiters?.length === 0) this.#waiters.delete(writer)
    }
  }

  #close(update: Update): void {
    update.open -= 1
    if (update.open === 0) this.#pendingBytes -= update.bytes
  }
}

/** Deletions come last, as in an update, so that they find what the same update brings. */
function partsOf(facts: UpdateFacts, update: Update): Part[] {
  const parts: Part[] = []
  const { waits } = facts
  let index = 0
  for (const { writer, from, to } of facts.spans) {
    const start = index
    for (let wait = waits[index]; wait?.writer === writer && wait.at < to; wait = waits[index]) {
      index += 1
    }
    parts.push({ update, writer, from, to, waits: slice(waits, start, index), next: 0 })
  }
  if (index < waits.length) {
    const rest = slice(waits, index, waits.length)
    parts.push({ update, writer: undefined, from: 0, to: 0, waits: rest, next: 0 })
  }
  return parts
}

const noWaits: readonly Wait[] = []

function slice(waits: readonly Wait[], from: number, to: number): readonly Wait[] {
  return from === to ? noWaits : waits.slice(from, to)
}
