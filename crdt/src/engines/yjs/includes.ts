/**
 * Whether a state already has all of an update: its operations, pending or not, and its deletions.
 * Goes by ids, as Yjs does: other content under the same id counts as the same.
 */
import type { Span } from "../engine.ts"
import { readUpdate } from "./update.ts"

/** O(bytes of both). @throws EngineError `invalid-update`. */
export function includesUpdate(state: Uint8Array, update: Uint8Array): boolean {
  const stateDeletions = new Map<number, number[]>()
  const updateDeletions = new Map<number, number[]>()
  const have = rangesOf(readUpdate(state, stateDeletions).spans)
  const asked = rangesOf(readUpdate(update, updateDeletions).spans)
  return covers(have, asked) && covers(stateDeletions, updateDeletions)
}

function rangesOf(spans: readonly Span[]): Map<string, number[]> {
  const ranges = new Map<string, number[]>()
  for (const { writer, from, to } of spans) {
    const known = ranges.get(writer)
    if (known === undefined) ranges.set(writer, [from, to])
    else known.push(from, to)
  }
  return ranges
}

function covers<Key>(have: Map<Key, number[]>, asked: Map<Key, number[]>): boolean {
  for (const [key, ranges] of asked) {
    if (!coversRanges(have.get(key) ?? [], ranges)) return false
  }
  return true
}

/** Both ascend; ranges in `have` may touch. */
function coversRanges(have: readonly number[], asked: readonly number[]): boolean {
  let index = 0
  for (let at = 0; at < asked.length; at += 2) {
    let reached = asked[at] ?? 0
    const to = asked[at + 1] ?? 0
    while (reached < to) {
      const haveFrom = have[index]
      const haveTo = have[index + 1]
      if (haveFrom === undefined || haveTo === undefined || haveFrom > reached) return false
      if (haveTo > reached) reached = haveTo
      if (reached < to) index += 2
    }
  }
  return true
}
