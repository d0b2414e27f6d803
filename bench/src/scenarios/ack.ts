/**
 * Latency at light load, set against the price of one fsync on the same disk. In Causeway an update
 * is visible and acked (tier `node`, native protocol) after its commit; the other servers show and
 * ack from memory, which is what they are faster by.
 */
import { measureDiskSync } from "../measure/disk-sync.ts"
import { runJob } from "../load/load-process.ts"
import type { RunOutcome, Scenario } from "./scenario.ts"
import { nativeUrlOf, newFolder, targetOf, withServer } from "./scenario.ts"

export const ackScenario: Scenario = {
  name: "ack",
  title: "one update at a time: writer to reader, and ack where there is one",
  table: "latency",
  suits: () => true,
  run: async (context): Promise<RunOutcome> => {
    const folder = await newFolder(context)
    const overwrite = await measureDiskSync(folder, "overwrite")
    const append = await measureDiskSync(folder, "append")
    const result = await withServer(context, folder, (server) => {
      const target = targetOf(server)
      const nativeUrl = nativeUrlOf(server)
      return runJob({ kind: "ack", target, nativeUrl, count: context.scale.ackWrites })
    })
    const { ackP50Ms } = result.measures
    const measures = {
      ...result.measures,
      ...(ackP50Ms === undefined ? {} : { ackPerSync: ackP50Ms / append.p50Ms }),
      syncOverwriteP50Ms: overwrite.p50Ms,
      syncAppendP50Ms: append.p50Ms,
      visiblePerSync: (result.measures.visibleP50Ms ?? 0) / overwrite.p50Ms,
    }
    return { measures, failures: result.failures }
  },
}
