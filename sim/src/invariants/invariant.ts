/**
 * An invariant is a small plain object: what it is called, what it promises, and a watcher that
 * throws where it sees the promise broken (`demand` in `violation.ts`). To add one, write an
 * object and list it in `index.ts`, or hand it to a run in a catalogue of your own.
 */
import type { SimRandom } from "../random.ts"
import type { Watcher } from "../watcher.ts"
import type { World } from "../world.ts"

export type Invariant = {
  readonly name: string
  /** One sentence: what a user may rely on. */
  readonly explain: string
  /**
   * Its watcher for one run, with randomness of its own from the seed. Undefined: the oracle
   * watches it.
   */
  readonly watch?: (world: World, random: SimRandom) => Watcher
}
