/** A run that once broke a promise: its form, and how its faults are pinned. */
import type { FaultEvent } from "../faults/index.ts"
import type { SimOptions } from "../options.ts"

export type Scenario = {
  readonly name: string
  /** What the product did wrong. */
  readonly story: string
  readonly options: SimOptions
}

/** One occurrence of a fault. `seed` is its randomness: which host it hits, above all. */
export function at(atMs: number, fault: string, lastsMs: number, seed: number): FaultEvent {
  return { fault, atMs, lastsMs, seed }
}
