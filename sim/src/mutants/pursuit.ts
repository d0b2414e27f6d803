/** One mutant's hunt: patched runs until a catch that counts, and the unpatched ones beside it. */
import { hunt } from "./hunter.ts"
import type { Catch } from "./hunt-options.ts"
import type { Simulated } from "./mutant.ts"
import type { Judged, Task } from "./task.ts"

/** Seeds that must be clean without the patch before the hunt begins. */
const CONTROL_SEEDS = 3
/** Past it, the unpatched sources are too bad to prove anything with. */
const DIRTY_MAX = 5

/** By options: on which of the first seeds the unpatched sources fail. */
export type SeedControls = Map<string, Promise<Catch[]>>

export class Pursuit {
  readonly #task: Task
  readonly #judge: Simulated
  readonly #controls: SeedControls
  readonly #dirty: Catch[] = []

  constructor(task: Task, judge: Simulated, controls: SeedControls) {
    this.#task = task
    this.#judge = judge
    this.#controls = controls
  }

  async run(): Promise<Judged> {
    const caught = await this.#pursue()
    const dirty = this.#dirty
    if (caught === undefined) return { verdict: this.#uncaught(), caught, dirty }
    return { verdict: "caught", caught, dirty, tally: await this.#tally() }
  }

  #uncaught(): "dirty" | "survived" {
    return this.#dirty.length > DIRTY_MAX ? "dirty" : "survived"
  }

  /** The first catch on a seed that is clean without the patch. */
  async #pursue(): Promise<Catch | undefined> {
    const { seedsMax } = this.#task.asked
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
    const key = JSON.stringify(this.#judge.options)
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
    const { tallySeeds } = this.#task.asked
    if (tallySeeds === undefined) return tally
    for (const { invariant } of await this.#patched(() => this.#hunt(1, tallySeeds, true))) {
      tally.set(invariant, (tally.get(invariant) ?? 0) + 1)
    }
    return tally
  }

  #patched<Result>(run: () => Promise<Result>): Promise<Result> {
    return this.#task.scratch.patched(this.#task.mutant, run)
  }

  #hunt(fromSeed: number, toSeed: number, all: boolean): Promise<Catch[]> {
    const { scratch, mutant, asked } = this.#task
    const { options } = this.#judge
    return hunt(
      scratch.folder,
      { options, fromSeed, toSeed, all },
      { signal: asked.signal, onSeed: (seed) => asked.onProgress(mutant, `seed ${seed}`) },
    )
  }
}
