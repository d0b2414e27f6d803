/**
 * The complete decoder of Yjs updates, format V1 (yjs `utils/encoding.js` readClientsStructRefs,
 * `utils/DeleteSet.js` readDeleteSet). Invariant: whatever Yjs writes is accepted, and whatever is
 * accepted Yjs merges and applies to an empty document without throwing. Where Yjs reads more
 * than it writes, and then goes wrong later, the update is refused; each such place says why.
 */
import type { Span, UpdateFacts, Wait } from "../engine.ts"
import { contentRef, skipContent, type ContentTally } from "./content.ts"
import { Cursor, invalid } from "./cursor.ts"
import { clockMax } from "./limits.ts"

const refBits = 0x1f
const hasParentKey = 0x20
const hasRightOrigin = 0x40
const hasOrigin = 0x80

/** What is collected on the way; one per update. */
class Walk {
  readonly cursor: Cursor
  readonly spans: Span[] = []
  readonly waits: Wait[] = []
  readonly tally: ContentTally = { subdocuments: 0 }
  /** Only if asked for: per client the ranges deleted, as from and to in turn. */
  readonly deletions: Map<number, number[]> | undefined
  client = 0
  clock = 0
  /** Per foreign client the highest clock this section already waits for, the last one apart. */
  #foreign: Map<number, number> | undefined
  #lastForeign = -1
  #lastClock = -1

  constructor(update: Uint8Array, deletions?: Map<number, number[]>) {
    this.cursor = new Cursor(update)
    this.deletions = deletions
  }

  startSection(client: number, clock: number): void {
    this.client = client
    this.clock = clock
    this.#foreign = undefined
    this.#lastForeign = -1
    this.#lastClock = -1
  }

  endSpan(from: number): void {
    if (this.clock === from) return
    this.spans.push({ writer: String(this.client), from, to: this.clock })
  }

  waitFor(client: number, clock: number): void {
    if (client === this.#lastForeign) {
      if (clock <= this.#lastClock) return
    } else {
      if (this.#lastForeign >= 0) {
        this.#foreign ??= new Map()
        this.#foreign.set(this.#lastForeign, this.#lastClock)
      }
      if (clock <= (this.#foreign?.get(client) ?? -1)) return
      this.#lastForeign = client
    }
    this.#lastClock = clock
    this.waits.push({ writer: String(this.client), at: this.clock, on: String(client), clock })
  }
}

/**
 * O(bytes). `deletions`, if given, is filled with the ranges deleted of each client, as from and
 * to in turn, ascending. @throws EngineError `invalid-update`.
 */
export function readUpdate(update: Uint8Array, deletions?: Map<number, number[]>): UpdateFacts {
  const walk = new Walk(update, deletions)
  const sections = walk.cursor.varUint()
  // Yjs' merge takes for granted that clients come in descending order, and its apply that none
  // comes twice: it would drop the first of the two without a word.
  let above = Number.POSITIVE_INFINITY
  for (let index = 0; index < sections; index++) above = readSection(walk, above)
  readDeletions(walk)
  if (walk.cursor.remaining > 0) invalid("trailing bytes", walk.cursor.offset)
  return { spans: walk.spans, waits: walk.waits, needs: none, gives: none }
}

const none: readonly string[] = []

function readSection(walk: Walk, above: number): number {
  const { cursor } = walk
  const structs = cursor.varUint()
  const client = cursor.varUint()
  if (client >= above) invalid("clients out of order", cursor.offset)
  // Yjs allocates an array of this length before it reads the first struct.
  if (structs > cursor.remaining) invalid("truncated", cursor.offset)
  walk.startSection(client, cursor.varUint())
  let from = walk.clock
  for (let index = 0; index < structs; index++) {
    const info = cursor.u8()
    if ((info & refBits) === contentRef.skip) {
      // Yjs' two readers disagree about a Skip with other bits set.
      if (info !== contentRef.skip) invalid("unknown struct", cursor.offset - 1)
      walk.endSpan(from)
      advance(walk, cursor.varUint())
      from = walk.clock
    } else {
      advance(walk, readStruct(walk, info))
    }
  }
  walk.endSpan(from)
  return client
}

/** Yjs finds structs by their clocks, and finds nothing (and throws) among structs of length 0. */
function advance(walk: Walk, length: number): void {
  if (length === 0) invalid("empty struct", walk.cursor.offset)
  walk.clock += length
  if (walk.clock > clockMax) invalid("clock out of range", walk.cursor.offset)
}

/** Returns the struct's length on the clock. */
function readStruct(walk: Walk, info: number): number {
  const { cursor } = walk
  const ref = info & refBits
  if (ref === contentRef.gc) {
    if (info !== contentRef.gc) invalid("unknown struct", cursor.offset - 1)
    return cursor.varUint()
  }
  if ((info & hasOrigin) !== 0) readId(walk)
  if ((info & hasRightOrigin) !== 0) readId(walk)
  // With an origin the parent is the origin's, and Yjs sets the bit for a parent key without one.
  if ((info & (hasOrigin | hasRightOrigin)) === 0) {
    const parentIsRoot = cursor.varUint()
    if (parentIsRoot === 1) cursor.skipString()
    else if (parentIsRoot === 0) readId(walk)
    else invalid("unknown parent", cursor.offset)
    if ((info & hasParentKey) !== 0) cursor.skipString()
  }
  return skipContent(cursor, ref, walk.tally)
}

/** An origin or a parent. Yjs takes for granted that a client only points at its own past. */
function readId(walk: Walk): void {
  const { cursor } = walk
  const client = cursor.varUint()
  const clock = cursor.varUint()
  if (client !== walk.client) {
    if (clock >= clockMax) invalid("clock out of range", cursor.offset)
    walk.waitFor(client, clock)
  } else if (clock >= walk.clock) {
    invalid("points at its own future", cursor.offset)
  }
}

/**
 * Clients may come in any order (Yjs sorts them since 13.6 only), but none twice; ranges ascend.
 * Yjs encodes what it cannot delete yet as differences, which must not be negative, or other
 * operations than those meant are deleted later.
 */
function readDeletions(walk: Walk): void {
  const { cursor } = walk
  const clients = cursor.varUint()
  if (clients > cursor.remaining) invalid("truncated", cursor.offset)
  let above = Number.POSITIVE_INFINITY
  let seen: Set<number> | undefined
  const before: number[] = []
  for (let index = 0; index < clients; index++) {
    const client = cursor.varUint()
    if (client >= above) seen ??= new Set(before)
    if (seen?.has(client) === true) invalid("client deleted from twice", cursor.offset)
    if (seen === undefined) before.push(client)
    else seen.add(client)
    above = client
    let ranges: number[] | undefined
    if (walk.deletions !== undefined) {
      ranges = []
      walk.deletions.set(client, ranges)
    }
    const end = readRanges(cursor, ranges)
    if (end > 0) walk.waits.push({ writer: undefined, at: 0, on: String(client), clock: end - 1 })
  }
}

/** Returns where the last range ends. */
function readRanges(cursor: Cursor, ranges: number[] | undefined): number {
  const count = cursor.varUint()
  let end = 0
  for (let index = 0; index < count; index++) {
    const clock = cursor.varUint()
    const length = cursor.varUint()
    if (clock < end) invalid("deleted ranges out of order", cursor.offset)
    if (length === 0) invalid("empty deleted range", cursor.offset)
    end = clock + length
    if (end > clockMax) invalid("clock out of range", cursor.offset)
    ranges?.push(clock, end)
  }
  return end
}
