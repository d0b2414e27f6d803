/** `sim mesh`: latency and frames of a healthy mesh of many far nodes, against the goals. */
import type { Command } from "commander"
import { measureMesh } from "../mesh.ts"
import { whole } from "./arguments.ts"

type Arguments = {
  readonly nodes: number
  readonly delay: number
  readonly seconds: number
  readonly writesPerSecond: readonly number[]
  readonly pushDelay?: number
}

const NODES_MAX = 50

export function addMesh(program: Command): void {
  program
    .command("mesh")
    .description("Measures how fast and how dear replication is in a healthy mesh of far nodes.")
    .option("--nodes <n>", "each linked with all others", whole(2, NODES_MAX), 25)
    .option("--delay <ms>", "from node to node, one way", whole(0, 10_000), 100)
    .option("--seconds <n>", "virtual seconds of writes", whole(1, 3600), 10)
    .option(
      "--push-delay <ms>",
      "how long a node may keep entries for others (what nodes do by themselves)",
      whole(0, 10_000),
    )
    .option(
      "--writes-per-second <n>",
      "over all nodes; repeatable (default: 20, 2000)",
      (text: string, before: readonly number[]) => [...before, whole(1, 100_000)(text)],
      [],
    )
    .action(({ nodes, delay, seconds, writesPerSecond, pushDelay }: Arguments) => {
      const rates = writesPerSecond.length > 0 ? writesPerSecond : [20, 2000]
      for (const rate of rates) {
        const size = { seed: 1, nodes, seconds, writesPerSecond: rate }
        const options = { ...size, delayMs: delay, pushDelayMs: pushDelay }
        const { writes, latenciesMs, ...frames } = measureMesh(options)
        const missing = writes * (nodes - 1) - latenciesMs.length
        const at = (share: number): string =>
          (latenciesMs[Math.floor(share * (latenciesMs.length - 1))] ?? NaN).toFixed(0)
        const each = (count: number): string => (count / writes).toFixed(1)
        process.stdout.write(
          `${nodes} nodes, ${delay} ms, ${rate} writes/s: disk to disk ${at(0.5)} ms median,` +
            ` ${at(0.99)} p99, ${at(1)} max; a write takes ${each(frames.entriesFrames)} frames` +
            ` of entries, ${each(frames.vectorFrames)} vectors, ${each(frames.wantFrames)} wants` +
            `${missing === 0 ? "" : `; ${missing} COPIES MISSING`}\n`,
        )
        if (missing > 0) process.exitCode = 1
      }
    })
}
