/**
 * What a Y.Doc has and a node lacks, but for what is on its way there anyway. State vectors do
 * not tell about deletions, so a difference in deletions alone is not noticed; one that is sent
 * for other reasons carries them. What waits for its predecessors is its writer's to send.
 */
import { encodeShown } from "@causeway/crdt/engines/yjs"
import * as Y from "yjs"

export function yjsLacking(
  ydoc: Y.Doc,
  summary: Uint8Array,
  outgoing: readonly Uint8Array[],
): Uint8Array | undefined {
  const known = Y.decodeStateVector(summary)
  cover(known, outgoing)
  const held = Y.decodeStateVector(Y.encodeStateVector(ydoc))
  const lacks = [...held].some(([client, clock]) => clock > (known.get(client) ?? 0))
  return lacks ? encodeShown(ydoc, Y.encodeStateVector(known)) : undefined
}

/** Raises `known` by the updates that continue it without a gap. */
function cover(known: Map<number, number>, updates: readonly Uint8Array[]): void {
  if (updates.length === 0) return
  for (const struct of Y.decodeUpdate(Y.mergeUpdates([...updates])).structs) {
    const { client, clock } = struct.id
    const covered = known.get(client) ?? 0
    if (struct instanceof Y.Skip || clock > covered) continue
    known.set(client, Math.max(covered, clock + struct.length))
  }
}
