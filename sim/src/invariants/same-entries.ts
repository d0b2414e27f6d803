/**
 * Whether a node has all the entries that another has. Of the same entries one that folds them may
 * know more deletions, as Yjs makes some by itself: what differs then no entry would bring.
 */
import type { HostId } from "../reachability.ts"
import type { World } from "../world.ts"

export function hasEntriesOf({ nodes }: World, one: HostId, other: HostId): boolean {
  const [held, asked] = [one, other].map((host) => nodes[host]?.core?.status().vector)
  if (held === undefined || asked === undefined) return false
  return Object.entries(asked).every(([origin, seq]) => (held[origin] ?? 0) >= seq)
}
