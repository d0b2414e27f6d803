/**
 * A document with an update of somebody else's. What Automerge 3.5.0 then shows is now and then not
 * what it holds: where that is found the document is loaded anew from its own bytes.
 */
import type * as Automerge from "@automerge/automerge"
import type { Conflicts } from "./automerge-conflicts.ts"

export function withUpdate<T>(
  library: typeof Automerge,
  before: Automerge.Doc<T>,
  conflicts: Conflicts,
  update: Uint8Array,
): Automerge.Doc<T> {
  let patches: readonly Automerge.Patch[] = []
  const patchCallback = (made: readonly Automerge.Patch[]): void => {
    patches = made
  }
  const after = library.loadIncremental(before, update, { patchCallback })
  if (conflicts.note(patches, after)) return after
  const again = library.load<T>(library.save(after), { actor: library.getActorId(after) })
  conflicts.note(patches, again)
  return again
}
