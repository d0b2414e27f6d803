/**
 * Proof that the simulator would notice: every mutant is applied to a scratch copy and hunted
 * with seeds 1, 2, 3 … until an invariant catches it. A catch counts only if the same seed is
 * clean without the patch.
 */
import { hunt } from "./hunter.ts"
import type { Catch } from "./hunter.ts"
import type { HuntOptions } from "./hunt-options.ts"
import { listMutants, repository } from "./mutant.ts"
import type { Mutant } from "./mutant.ts"
import { Scratch } from "./scratch.ts"

export { listMutants } from "./mutant.ts"
export type { Mutant } from "./mutant.ts"

export type MutantOptions = {
  /** How many are hunted at a time. */
  readonly jobs: number
  /** Names; undefined: all. */
  readonly only: readonly string[] | undefined
  readonly seedsMax: number
  readonly signal: AbortSignal
  /** The repository to copy; this one if undefined. */
  readonly root?: string
  onProgress(mutant: Mutant, seed: number): void
  onResult(result: MutantResult): void
}

export type MutantResult = {
  readonly mutant: Mutant
  /**
   * `dirty`: the simulator finds fault with the unpatched sources too. `broken`: the patch does
   * not apply, or what it gives does not load.
   */
  readonly verdict: "caught" | "survived" | "dirty" | "broken"
  readonly caught: Catch | undefined
  /** Why it is broken. */
  readonly error?: Error
  readonly ms: number
}

/** Seeds that must be clean without any patch, for each set of options, before a hunt begins. */
const CONTROL_SEEDS = 3

/** Hunts them all; results in the order of names. @throws AbortError if `signal` says so. */
export async function runMutants(options: MutantOptions): Promise<MutantResult[]> {
  const all = listMutants(options.root)
  const unknown = options.only?.find((name) => !all.some((mutant) => mutant.name === name))
  if (unknown !== undefined) throw new Error(`no mutant is called ${unknown}`)
  const queue = all.filter(({ name }) => options.only?.includes(name) ?? true)
  const results: MutantResult[] = []
  const controls = new Map<string, Promise<Catch | undefined>>()
  const workers = Array.from({ length: Math.min(options.jobs, queue.length) }, async () => {
    const scratch = await Scratch.create(options.root ?? repository)
    try {
      for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
        const result = await new Hunter(scratch, mutant, options, controls).run()
        options.onResult(result)
        results.push(result)
      }
    } finally {
      await scratch.remove()
    }
  })
  const ends = await Promise.allSettled(workers)
  for (const end of ends) if (end.status === "rejected") throw end.reason
  return results.sort((one, two) => (one.mutant.name < two.mutant.name ? -1 : 1))
}

class Hunter {
  readonly #scratch: Scratch
  readonly #mutant: Mutant
  readonly #options: MutantOptions
  /** What the unpatched sources do, by options and seeds; shared by all. */
  readonly #controls: Map<string, Promise<Catch | undefined>>

  constructor(
    scratch: Scratch,
    mutant: Mutant,
    options: MutantOptions,
    controls: Map<string, Promise<Catch | undefined>>,
  ) {
    this.#scratch = scratch
    this.#mutant = mutant
    this.#options = options
    this.#controls = controls
  }

  async run(): Promise<MutantResult> {
    const { options } = this.#mutant
    const startMs = performance.now()
    const result = (verdict: MutantResult["verdict"], caught?: Catch): MutantResult => {
      return { mutant: this.#mutant, verdict, caught, ms: performance.now() - startMs }
    }
    const flaw = await this.#control(options, 1, CONTROL_SEEDS)
    if (flaw !== undefined) return result("dirty", flaw)
    const caught = await this.#hunt()
    if (caught instanceof Error) return { ...result("broken"), error: caught }
    if (caught === undefined) return result("survived")
    const alike = await this.#control(options, caught.seed, caught.seed)
    return alike === undefined ? result("caught", caught) : result("dirty", alike)
  }

  async #hunt(): Promise<Catch | Error | undefined> {
    const { options } = this.#mutant
    try {
      await this.#scratch.apply(this.#mutant)
      const task = { options, fromSeed: 1, toSeed: this.#options.seedsMax }
      return await hunt(this.#scratch.folder, task, {
        signal: this.#options.signal,
        onSeed: (seed) => this.#options.onProgress(this.#mutant, seed),
      })
    } catch (error) {
      this.#options.signal.throwIfAborted()
      return error instanceof Error ? error : new Error(String(error))
    } finally {
      await this.#scratch.revert()
    }
  }

  #control(options: HuntOptions, fromSeed: number, toSeed: number): Promise<Catch | undefined> {
    const key = JSON.stringify([options, fromSeed, toSeed])
    const known = this.#controls.get(key)
    if (known !== undefined) return known
    const task = { options, fromSeed, toSeed }
    const control = hunt(this.#scratch.folder, task, {
      signal: this.#options.signal,
      onSeed: () => undefined,
    })
    this.#controls.set(key, control)
    return control
  }
}
