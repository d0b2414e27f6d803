/**
 * Proof that the simulator would notice: every mutant is applied to a scratch copy and hunted
 * with seeds 1, 2, 3 … until an invariant catches it. A catch counts only if the same seed is
 * clean without the patch.
 */
import type { Catch } from "./hunt-options.ts"
import { listMutants, repository } from "./mutant.ts"
import type { Mutant } from "./mutant.ts"
import { Pursuit } from "./pursuit.ts"
import type { Controls } from "./pursuit.ts"
import { Scratch } from "./scratch.ts"

export { listMutants } from "./mutant.ts"

export type MutantOptions = {
  /** How many are hunted at a time. */
  readonly jobs: number
  /** Names; undefined: all. */
  readonly only?: readonly string[] | undefined
  readonly seedsMax: number
  /**
   * After the catch, this many seeds are run to their ends: how often each invariant is the one
   * that notices. Undefined: none.
   */
  readonly tallySeeds?: number | undefined
  /** Ends the hunt early: what is known by then is given. */
  readonly signal: AbortSignal
  /** The repository to copy; this one if undefined. */
  readonly root?: string | undefined
  onProgress(mutant: Mutant, seed: number): void
  onResult(result: MutantResult): void
}

export type MutantResult = {
  readonly mutant: Mutant
  /**
   * `dirty`: the simulator finds fault with the unpatched sources on too many seeds to judge.
   * `broken`: the patch does not apply, or what it gives does not load.
   */
  readonly verdict: "caught" | "survived" | "dirty" | "broken"
  readonly caught: Catch | undefined
  /** What the unpatched sources fail on: these seeds prove nothing. */
  readonly dirty: readonly Catch[]
  /** By invariant, on how many of the tallied seeds it was the one that noticed. */
  readonly tally: ReadonlyMap<string, number>
  /** Why it is broken. */
  readonly error: Error | undefined
  readonly ms: number
}

/** Hunts them all; results in the order of names. */
export async function runMutants(options: MutantOptions): Promise<MutantResult[]> {
  const root = options.root ?? repository
  const all = listMutants(root)
  const unknown = options.only?.find((name) => !all.some((mutant) => mutant.name === name))
  if (unknown !== undefined) throw new Error(`no mutant is called ${unknown}`)
  const queue = all.filter(({ name }) => options.only?.includes(name) ?? true)
  const results: MutantResult[] = []
  const controls: Controls = new Map()
  const workers = Array.from({ length: Math.min(options.jobs, queue.length) }, async () => {
    const scratch = await Scratch.create(root)
    try {
      for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
        const result = await new Pursuit(scratch, mutant, options, controls).run()
        options.onResult(result)
        results.push(result)
      }
    } catch (error) {
      // Whatever it is, it is no reason to go on.
      queue.length = 0
      if (!options.signal.aborted) throw error
    } finally {
      await scratch.remove()
    }
  })
  for (const end of await Promise.allSettled(workers)) {
    if (end.status === "rejected") throw end.reason
  }
  return results.sort((one, two) => (one.mutant.name < two.mutant.name ? -1 : 1))
}
