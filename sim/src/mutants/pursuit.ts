/** One mutant's hunt: patched runs until a catch that counts, and the unpatched ones beside it. */
import { hunt } from "./hunter.ts"
import type { Catch } from "./hunt-options.ts"
import type { MutantOptions, MutantResult } from "./index.ts"
import type { Mutant } from "./mutant.ts"
import type { Scratch } from "./scratch.ts"

/** Seeds that must be clean without the patch before the hunt begins. */
const CONTROL_SEEDS = 3
/** Past it, the unpatched sources are too bad to prove anything with. */
const DIRTY_MAX = 5

/** By options: on which of the first seeds the unpatched sources fail. */
export type Controls = Map<string, Promise<Catch[]>>

export class Pursuit {
  readonly #scratch: Scratch
  readonly #mutant: Mutant
  readonly #options: MutantOptions
  readonly #controls: Controls
  readonly #dirty: Catch[] = []

  constructor(scratch: Scratch, mutant: Mutant, options: MutantOptions, controls: Controls) {
    this.#scratch = scratch
    this.#mutant = mutant
    this.#options = options
    this.#controls = controls
  }

  async run(): Promise<MutantResult> {
    const startMs = performance.now()
    const result = {
      mutant: this.#mutant,
      verdict: "broken" as MutantResult["verdict"], // cast: it may still become another
      caught: undefined,
      dirty: this.#dirty,
      tally: new Map<string, number>(),
      error: undefined,
    }
    const ms = (): number => performance.now() - startMs
    try {
      const caught = await this.#pursue()
      if (caught === undefined) return { ...result, verdict: this.#uncaught(), ms: ms() }
      return { ...result, verdict: "caught", caught, tally: await this.#tally(), ms: ms() }
    } catch (error) {
      this.#options.signal.throwIfAborted()
      const said = error instanceof Error ? error : new Error(String(error))
      return { ...result, error: said, ms: ms() }
    }
  }

  #uncaught(): "dirty" | "survived" {
    return this.#dirty.length > DIRTY_MAX ? "dirty" : "survived"
  }

  /** The first catch on a seed that is clean without the patch. */
  async #pursue(): Promise<Catch | undefined> {
    const { seedsMax } = this.#options
    this.#dirty.push(...(await this.#control()))
    for (let seed = 1; seed <= seedsMax && this.#dirty.length <= DIRTY_MAX;) {
      const from = seed
      const [caught] = await this.#patched(() => this.#hunt(from, seedsMax, false))
      if (caught === undefined) return undefined
      if (await this.#isClean(caught.seed)) return caught
      seed = caught.seed + 1
    }
    return undefined
  }

  /** The first seeds without any patch; mutants with the same options share them. */
  #control(): Promise<Catch[]> {
    const key = JSON.stringify(this.#mutant.options)
    const control = this.#controls.get(key) ?? this.#hunt(1, CONTROL_SEEDS, true)
    this.#controls.set(key, control)
    return control
  }

  async #isClean(seed: number): Promise<boolean> {
    if (seed > CONTROL_SEEDS) this.#dirty.push(...(await this.#hunt(seed, seed, false)))
    return this.#dirty.every((one) => one.seed !== seed)
  }

  async #tally(): Promise<Map<string, number>> {
    const tally = new Map<string, number>()
    const { tallySeeds } = this.#options
    if (tallySeeds === undefined) return tally
    for (const { invariant } of await this.#patched(() => this.#hunt(1, tallySeeds, true))) {
      tally.set(invariant, (tally.get(invariant) ?? 0) + 1)
    }
    return tally
  }

  async #patched<Result>(run: () => Promise<Result>): Promise<Result> {
    try {
      await this.#scratch.apply(this.#mutant)
      return await run()
    } finally {
      await this.#scratch.revert()
    }
  }

  #hunt(fromSeed: number, toSeed: number, all: boolean): Promise<Catch[]> {
    const { options } = this.#mutant
    return hunt(
      this.#scratch.folder,
      { options, fromSeed, toSeed, all },
      {
        signal: this.#options.signal,
        onSeed: (seed) => this.#options.onProgress(this.#mutant, seed),
      },
    )
  }
}
