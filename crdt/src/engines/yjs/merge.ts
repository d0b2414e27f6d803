/**
 * Merging and cutting updates as bytes, by Yjs' own code but without a document. Yjs re-sorts its
 * readers for each struct, so a flat merge of many updates is superlinear: a tree is not.
 */
import * as Y from "yjs"
import { asEngineError } from "./failure.ts"
import { readStateVector } from "./state-vector.ts"
import { readUpdate } from "./update.ts"

/** No structs, no deletions. */
export const emptyUpdate: Uint8Array = Uint8Array.of(0, 0)

const branchesMax = 16

function isEmpty(update: Uint8Array): boolean {
  return update.length === 2 && update[0] === 0 && update[1] === 0
}

/** O(bytes · log updates). @throws EngineError `invalid-update`. */
export function mergeUpdates(updates: readonly Uint8Array[]): Uint8Array {
  for (const update of updates) readUpdate(update)
  let level = updates.filter((update) => !isEmpty(update))
  while (level.length > 1) {
    const above: Uint8Array[] = []
    for (let index = 0; index < level.length; index += branchesMax) {
      const branch = level.slice(index, index + branchesMax)
      above.push(asEngineError(() => Y.mergeUpdates(branch)))
    }
    level = above
  }
  return level[0] ?? emptyUpdate
}

/**
 * A state vector says nothing of deletions, so all of them are in every difference: it is empty
 * only if the holder lacks no operation and nothing was ever deleted. O(bytes).
 */
export function differenceOf(state: Uint8Array, summary: Uint8Array): Uint8Array {
  readStateVector(summary)
  readUpdate(state)
  return asEngineError(() => Y.diffUpdate(state, summary))
}
