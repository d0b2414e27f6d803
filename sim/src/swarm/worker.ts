/** One process of a swarm: runs the options it is sent, one after the other, and answers each. */
import type { SimOptions } from "../options.ts"
import { runToEnd } from "../run.ts"
import { loadCatalogue } from "./load-catalogue.ts"
import { summaryOf } from "./summary.ts"

const catalogue = await loadCatalogue(process.argv[2])

process.on("message", (options: SimOptions) => {
  const startMs = performance.now()
  const report = runToEnd(options, catalogue)
  const realMs = performance.now() - startMs
  // Left alone, V8 lets buffers of finished runs pile up to hundreds of MB before it looks.
  globalThis.gc?.()
  process.send?.(summaryOf(report, realMs, process.memoryUsage.rss()))
})
// The swarm ended, in whatever way.
process.on("disconnect", () => process.exit())
// Such a signal often reaches every process of the group; the swarm decides what it means.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => undefined)
