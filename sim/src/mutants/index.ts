/**
 * Proof that somebody would notice: every mutant is applied to a scratch copy and hunted with
 * seeds 1, 2, 3 … until an invariant catches it, or, where the simulator can't see it, tried by a
 * test that must fail. A catch counts only if the same seed, or test, is clean without the patch.
 */
import { listMutants, repository } from "./mutant.ts"
import { Pursuit } from "./pursuit.ts"
import type { SeedControls } from "./pursuit.ts"
import { Scratch } from "./scratch.ts"
import type { MutantOptions, MutantResult, Task } from "./task.ts"
import { tryTest } from "./trial.ts"
import type { TestControls } from "./trial.ts"

export { listMutants } from "./mutant.ts"

type Controls = { readonly seeds: SeedControls; readonly tests: TestControls }

/** Hunts them all; results in the order of names. */
export async function runMutants(options: MutantOptions): Promise<MutantResult[]> {
  const root = options.root ?? repository
  const all = listMutants(root)
  const unknown = options.only?.find((name) => !all.some((mutant) => mutant.name === name))
  if (unknown !== undefined) throw new Error(`no mutant is called ${unknown}`)
  const queue = all.filter(({ name }) => options.only?.includes(name) ?? true)
  const results: MutantResult[] = []
  const controls: Controls = { seeds: new Map(), tests: new Map() }
  const workers = Array.from({ length: Math.min(options.jobs, queue.length) }, async () => {
    const scratch = await Scratch.create(root)
    try {
      for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
        const result = await judge({ scratch, mutant, asked: options }, controls)
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

async function judge(task: Task, controls: Controls): Promise<MutantResult> {
  const { mutant, asked } = task
  const startMs = performance.now()
  const ms = (): number => performance.now() - startMs
  try {
    const judged =
      mutant.judge.type === "simulator"
        ? await new Pursuit(task, mutant.judge, controls.seeds).run()
        : await tryTest(task, mutant.judge, controls.tests)
    return { mutant, tally: new Map(), error: undefined, ...judged, ms: ms() }
  } catch (error) {
    asked.signal.throwIfAborted()
    const said = error instanceof Error ? error : new Error(String(error))
    const nothing = { caught: undefined, dirty: [], tally: new Map() }
    return { mutant, verdict: "broken", ...nothing, error: said, ms: ms() }
  }
}
