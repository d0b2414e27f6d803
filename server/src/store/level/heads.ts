/**
 * The origins the log holds, where each begins and ends, and what all of it takes, as the last
 * batch left it: in memory, O(origins). It moves only after a batch is durable, so what it says
 * is never ahead of the disk.
 */
import { Writer } from "@causeway/crdt/base"
import type { OriginId } from "@causeway/crdt/base"
import { emptyHead } from "@causeway/crdt/log"
import type { Head } from "@causeway/crdt/log"
import { saltOf } from "../seal.ts"
import type { LevelDatabase } from "./database.ts"
import { headKey, metaKey, originOfHeadKey, rangeOf } from "./keys.ts"
import { decodeHead, decodeValue, encodeHead, sealValue } from "./values.ts"

/** One object per origin, replaced whole. */
export type HeldOrigin = {
  readonly origin: OriginId
  /** Where its checksums start from (../seal.ts). */
  readonly salt: number
  /** Where it begins: above it every entry is there. */
  readonly floor: Head
  readonly head: Head
}

/** About what there is: bytes of records, of snapshots; and how many origins. */
export type Sizes = {
  readonly logBytes: number
  readonly snapshotBytes: number
  readonly originCount: number
}

const sizesKey = metaKey("sizes")

export class HeldOrigins {
  readonly #byOrigin = new Map<OriginId, HeldOrigin>()
  /** Everything of an origin up to here is folded, or of no document. Never ahead of the truth. */
  readonly foldedTo = new Map<OriginId, number>()
  sizes: Sizes = { logBytes: 0, snapshotBytes: 0, originCount: 0 }
  /** Whether no head is missing or unreadable. */
  isWhole = true

  /** O(origins). */
  static async load(database: LevelDatabase): Promise<HeldOrigins> {
    const origins = new HeldOrigins()
    for await (const page of database.readablePages(rangeOf("h"))) {
      for (const [key, value] of page) {
        const origin = originOfHeadKey(key)
        const ends = decodeValue(key, value, (reader) => {
          return { floor: decodeHead(reader), head: decodeHead(reader) }
        })
        if (origin !== undefined && ends !== undefined) {
          origins.set({ ...newOrigin(origin), ...ends })
        }
      }
    }
    const sizes = decodeValue(sizesKey, database.getReadable(sizesKey), (reader) => {
      const [logBytes, snapshotBytes] = [reader.varUint(), reader.varUint()]
      return { logBytes, snapshotBytes, originCount: reader.varUint() }
    })
    origins.sizes = sizes ?? origins.sizes
    origins.isWhole = origins.sizes.originCount === origins.#byOrigin.size
    return origins
  }

  get(origin: OriginId): HeldOrigin | undefined {
    return this.#byOrigin.get(origin)
  }

  set(held: HeldOrigin): void {
    this.#byOrigin.set(held.origin, held)
  }

  delete(origin: OriginId): void {
    this.#byOrigin.delete(origin)
  }

  all(): HeldOrigin[] {
    return [...this.#byOrigin.values()]
  }
}

export function newOrigin(origin: OriginId): HeldOrigin {
  return { origin, salt: saltOf(origin), floor: emptyHead, head: emptyHead }
}

/** The value under the origin's head key. */
export function headValue({ origin, floor, head }: HeldOrigin): Buffer {
  const writer = new Writer(48)
  encodeHead(writer, floor)
  encodeHead(writer, head)
  return sealValue(headKey(origin), writer.finish())
}

export function sizesOperation({ logBytes, snapshotBytes, originCount }: Sizes) {
  const writer = new Writer(24).varUint(Math.max(0, logBytes)).varUint(Math.max(0, snapshotBytes))
  return [sizesKey, sealValue(sizesKey, writer.varUint(originCount).finish())] as const
}
