/** What a table of mutants is asked for, and what it says of each. */
import type { Catch } from "./hunt-options.ts"
import type { Mutant } from "./mutant.ts"
import type { Scratch } from "./scratch.ts"
import type { FailedTest } from "./vitest.ts"

/** One mutant to judge, in a copy of the repository that nobody else uses meanwhile. */
export type Task = {
  readonly scratch: Scratch
  readonly mutant: Mutant
  readonly asked: MutantOptions
}

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
  /** `at`: the seed, or the test. */
  onProgress(mutant: Mutant, at: string): void
  onResult(result: MutantResult): void
}

export type MutantResult = Judged & {
  readonly mutant: Mutant
  /** By invariant, on how many of the tallied seeds it was the one that noticed. */
  readonly tally: ReadonlyMap<string, number>
  /** Why it is broken. */
  readonly error: Error | undefined
  readonly ms: number
}

export type Judged = {
  /**
   * `dirty`: the simulator finds fault with the unpatched sources on too many seeds to judge, or
   * the test does.
   * `broken`: the patch does not apply, or what it gives does not load.
   */
  readonly verdict: "caught" | "survived" | "dirty" | "broken"
  readonly caught: Catch | FailedTest | undefined
  /** What the unpatched sources fail on: these seeds, or tests, prove nothing. */
  readonly dirty: readonly (Catch | FailedTest)[]
  readonly tally?: ReadonlyMap<string, number>
}
