/** For tests of what an invariant's watchers saw: of no use is one that compares nothing. */
import { builtIn } from "../../catalogue.ts"
import type { Catalogue } from "../../catalogue.ts"
import type { SimRandom } from "../../random.ts"
import type { Watcher } from "../../watcher.ts"
import type { World } from "../../world.ts"
import type { Invariant } from "../invariant.ts"

/** A catalogue like `from`, of which the watchers of that invariant are kept, one for each run. */
export function keeping<One extends Watcher>(
  invariant: Invariant,
  make: (world: World, random: SimRandom) => One,
  from: Catalogue = builtIn,
): { readonly kept: readonly One[]; readonly catalogue: Catalogue } {
  const kept: One[] = []
  const watch = (world: World, random: SimRandom): One => {
    const one = make(world, random)
    kept.push(one)
    return one
  }
  const others = from.invariants.filter(({ name }) => name !== invariant.name)
  return { kept, catalogue: { ...from, invariants: [...others, { ...invariant, watch }] } }
}
