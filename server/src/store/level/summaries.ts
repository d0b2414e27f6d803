/**
 * What is known of a document besides its entries: of which origins it has how many and the last
 * one's seq, and what its snapshot holds. A read that finds fewer entries is told so: LevelDB does
 * not verify its tables, and ends a range early where a key is damaged. The recent ones are in
 * memory.
 */
import { parseOriginId, Writer } from "@causeway/crdt/base"
import type { OriginId, Reader } from "@causeway/crdt/base"
import { VersionVector } from "@causeway/crdt/clock"
import { GenerationCache } from "../cache.ts"
import type { LevelDatabase } from "./database.ts"
import { documentKeys } from "./keys.ts"
import { decodeValue, sealValue } from "./values.ts"

/** Past it the least recent are read again. A few MB when full. */
const cachedMax = 8192
const ORIGIN_BYTES_MAX = 128

export type Share = { readonly count: number; readonly lastSeq: number }
export type Shares = ReadonlyMap<OriginId, Share>
export type Folded = { readonly vector: VersionVector; readonly stateBytes: number }

/** Replaced whole, never changed. */
export type Summary = {
  /** Undefined if they are damaged. */
  readonly shares: Shares | undefined
  readonly folded: Folded | undefined
  /** Whether there is a snapshot of which it can't be told what it holds. */
  readonly isFoldedLost: boolean
}

export class Summaries {
  readonly #database: LevelDatabase
  readonly #cache = new GenerationCache<string, Summary>(cachedMax)

  constructor(database: LevelDatabase) {
    this.#database = database
  }

  /** `key`: the document's. */
  get(key: Buffer): Summary {
    const name = key.toString("latin1")
    const cached = this.#cache.get(name)
    if (cached !== undefined) return cached
    const sharesKey = documentKeys.shares(key)
    const foldedKey = documentKeys.folded(key)
    const shares = this.#database.get(sharesKey)
    const folded = this.#database.get(foldedKey)
    const summary = {
      shares: decodeShares(sharesKey, shares),
      folded: decodeFolded(foldedKey, folded),
    }
    const isFoldedLost = folded !== undefined && summary.folded === undefined
    this.set(key, { ...summary, isFoldedLost })
    return { ...summary, isFoldedLost }
  }

  /** What the database holds from now on. */
  set(key: Buffer, summary: Summary): void {
    this.#cache.set(key.toString("latin1"), summary)
  }
}

/** For each origin the last seq that there is an entry or an effect of. */
export function vectorOf({ shares, folded }: Pick<Summary, "shares" | "folded">): VersionVector {
  const vector = folded?.vector.clone() ?? new VersionVector()
  for (const [origin, { lastSeq }] of shares ?? []) vector.raise(origin, lastSeq)
  return vector
}

/** The value under a key of shares; none for a document without entries. */
export function sharesValue(key: Buffer, shares: Shares): Buffer | undefined {
  if (shares.size === 0) return undefined
  const writer = new Writer(64).varUint(shares.size)
  for (const [origin, { count, lastSeq }] of shares) {
    writer.string(origin).varUint(count).varUint(lastSeq)
  }
  return sealValue(key, writer.finish())
}

/** Undefined if they are damaged; none if there is no value. */
export function decodeShares(key: Buffer, value: Buffer | undefined): Shares | undefined {
  return value === undefined ? new Map() : decodeValue(key, value, readShares)
}

function readShares(reader: Reader): Shares {
  const shares = new Map<OriginId, Share>()
  for (let left = reader.varUint(); left > 0; left--) {
    const origin = parseOriginId(reader.string(ORIGIN_BYTES_MAX))
    const share = { count: reader.varUint(), lastSeq: reader.varUint() }
    if (origin !== undefined) shares.set(origin, share)
  }
  return shares
}

export function foldedValue(key: Buffer, folded: Folded | undefined): Buffer | undefined {
  if (folded === undefined) return undefined
  const writer = new Writer(64).varUint(folded.stateBytes)
  folded.vector.encode(writer)
  return sealValue(key, writer.finish())
}

export function decodeFolded(key: Buffer, value: Buffer | undefined): Folded | undefined {
  return decodeValue(key, value, (reader) => {
    const stateBytes = reader.varUint()
    return { stateBytes, vector: VersionVector.decode(reader) }
  })
}
