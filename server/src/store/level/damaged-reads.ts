/**
 * Reads of a database whose tables may be damaged. LevelDB ends a range early where a key is
 * damaged, or fails it: what is behind is asked for key by key until there is something again.
 */
import type { OriginId } from "@causeway/crdt/base"
import type { LevelDatabase } from "./database.ts"
import { isDamage } from "./failures.ts"
import { newOrigin } from "./heads.ts"
import type { HeldOrigin, HeldOrigins } from "./heads.ts"
import { dotOfKey, entryKey, entryRange, rangeOf } from "./keys.ts"

type Wanted = { readonly origin: OriginId; readonly floor: number; readonly to: number }

/** An origin's entries that are there, in order of seq, sound or not. */
export async function* damagedEntries(
  database: LevelDatabase,
  { origin, floor, to }: Wanted,
): AsyncGenerator<readonly [seq: number, entry: Buffer]> {
  let next = 1
  while (next <= to) {
    for await (const page of database.readablePages(entryRange(origin, next, to))) {
      for (const [key, entry] of page) {
        const dot = dotOfKey(key)
        if (dot === undefined || dot.origin !== origin || dot.seq < next) continue
        yield [dot.seq, entry]
        next = dot.seq + 1
      }
    }
    // Up to its floor an origin may lack entries; above it none should be missing.
    for (next = Math.max(next, floor + 1); next <= to; next++) {
      const entry = database.getReadable(entryKey(origin, next))
      if (entry === undefined) continue
      yield [next, entry]
      next += 1
      break
    }
  }
}

/** Origins with entries that have no readable head. O(log). */
export async function lostOrigins(
  database: LevelDatabase,
  known: HeldOrigins,
): Promise<HeldOrigin[]> {
  const ends = new Map<OriginId, number>()
  try {
    for await (const page of database.keyPages(rangeOf("e"))) {
      for (const dot of page.map(dotOfKey)) {
        if (dot !== undefined && known.get(dot.origin) === undefined) ends.set(dot.origin, dot.seq)
      }
    }
  } catch (error) {
    if (!isDamage(error)) throw error
  }
  return [...ends].map(([origin, seq]) => {
    const held = newOrigin(origin)
    return { ...held, head: { ...held.head, seq } }
  })
}
