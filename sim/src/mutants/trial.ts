/** One mutant's trial by a test file: it must pass without the patch and fail with it. */
import type { Tested } from "./mutant.ts"
import type { Judged, Task } from "./task.ts"
import { failedTests } from "./vitest.ts"
import type { FailedTest } from "./vitest.ts"

/** By test: what fails without any patch. */
export type TestControls = Map<string, Promise<FailedTest[]>>

/** @throws Error if the tests give no verdict, with the patch or without. */
export async function tryTest(
  { scratch, mutant, asked }: Task,
  judge: Tested,
  controls: TestControls,
): Promise<Judged> {
  const run = (): Promise<FailedTest[]> => failedTests(scratch.folder, judge, asked.signal)
  const key = JSON.stringify([judge.file, judge.title])
  asked.onProgress(mutant, `${judge.file} unpatched`)
  const control = controls.get(key) ?? run()
  controls.set(key, control)
  const dirty = await control
  if (dirty.length > 0) return { verdict: "dirty", caught: undefined, dirty }
  asked.onProgress(mutant, judge.file)
  const [caught] = await scratch.patched(mutant, run)
  return { verdict: caught === undefined ? "survived" : "caught", caught, dirty }
}
