/** Runs a seed with a timeline that watches it, which changes nothing about the run. */
import { assert } from "@causeway/crdt/base"
import { builtIn } from "../catalogue.ts"
import type { Catalogue } from "../catalogue.ts"
import type { SimOptions } from "../options.ts"
import { startRun } from "../run.ts"
import type { Run, RunReport } from "../run.ts"
import { Timeline } from "../timeline.ts"
import type { TimelineData } from "../timeline.ts"

/** A run to be advanced bit by bit, and what was recorded of it so far. */
type Recording = { readonly run: Run; readonly timeline: () => TimelineData }

export function startRecording(options: SimOptions, catalogue: Catalogue = builtIn): Recording {
  let timeline: Timeline | undefined
  const recorder = {
    name: "timeline",
    explain: "records the run for `show`; promises nothing",
    watch: (world: ConstructorParameters<typeof Timeline>[0]) => (timeline = new Timeline(world)),
  }
  const invariants = [...catalogue.invariants, recorder]
  const run = startRun(options, { ...catalogue, invariants })
  return {
    run,
    timeline: () => {
      assert(timeline !== undefined, "a run starts every watcher")
      return timeline.data()
    },
  }
}

/** The whole run. */
export function recordRun(
  options: SimOptions,
  catalogue: Catalogue = builtIn,
): { readonly report: RunReport; readonly timeline: TimelineData } {
  const { run, timeline } = startRecording(options, catalogue)
  for (;;) {
    const report = run.advance(60_000)
    if (report !== undefined) return { report, timeline: timeline() }
  }
}
