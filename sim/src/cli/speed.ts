/** `sim speed`: how much faster than the real world it runs, on one core, with the spread. */
import type { Command } from "commander"
import { allFaults } from "../faults/index.ts"
import type { SimOptions } from "../options.ts"
import { startRun } from "../run.ts"
import { toEnd } from "./advance.ts"
import { exitCodes, whole } from "./arguments.ts"
import { interruption } from "./interruption.ts"

type Arguments = { readonly rounds: number; readonly json: boolean }
type Size = Omit<SimOptions, "seed"> & { readonly goal: number }

const size = { stockClients: 0, seconds: 60 } as const
const all = allFaults.map(({ name }) => name)

const sizes: readonly Size[] = [
  { ...size, nodes: 5, clients: 10, writesPerSecond: 50, faults: all, goal: 200 },
  {
    ...size,
    nodes: 5,
    clients: 10,
    writesPerSecond: 50,
    faults: all,
    workload: "mixed",
    goal: 200,
  },
  { ...size, nodes: 5, clients: 10, writesPerSecond: 50, faults: [], goal: 200 },
  { ...size, nodes: 25, clients: 50, writesPerSecond: 20, faults: all, goal: 40 },
  { ...size, nodes: 100, clients: 50, writesPerSecond: 5, faults: all, seconds: 20, goal: 5 },
]

export function addSpeed(program: Command): void {
  program
    .command("speed")
    .description("Measures how many times faster than real time runs of several sizes are.")
    .option("--rounds <n>", "seeds per size", whole(1, 1000), 5)
    .option("--json", "one JSON object per size on stdout", false)
    .action(async ({ rounds, json }: Arguments) => {
      // What the first run pays for is paid once in a swarm.
      await measure({ ...size, nodes: 3, clients: 6, writesPerSecond: 10 }, 1)
      for (const one of sizes) {
        if (interruption.signal.aborted) break
        const { times, writes, realMs, failures } = await measure(one, rounds)
        const [low = 0, middle = 0, high = 0] = [0, 0.5, 1].map((at) => quantile(times, at))
        const perWrite = (realMs * 1000) / writes
        if (failures > 0) process.exitCode = exitCodes.broken
        const verdict = failures === 0 ? "" : `, ${failures} VIOLATIONS`
        if (json)
          process.stdout.write(
            `${JSON.stringify({ ...one, low, middle, high, perWrite, failures })}\n`,
          )
        else {
          process.stdout.write(
            `${label(one).padEnd(62)} ${middle.toFixed(0).padStart(4)} × ` +
              `(${low.toFixed(0)}–${high.toFixed(0)}), goal ${one.goal} ×, ` +
              `${perWrite.toFixed(0)} µs a write${verdict}\n`,
          )
        }
      }
    })
}

async function measure(options: Omit<SimOptions, "seed">, rounds: number) {
  const times: number[] = []
  let [writes, realMs, failures] = [0, 0, 0]
  for (let seed = 1; seed <= rounds; seed++) {
    const startMs = performance.now()
    const report = await toEnd(startRun({ ...options, seed }), true)
    if (report === undefined) break
    const tookMs = performance.now() - startMs
    times.push(report.virtualMs / tookMs)
    writes += report.writes
    realMs += tookMs
    if (report.failure !== undefined) failures += 1
  }
  return { times: times.sort((one, other) => one - other), writes, realMs, failures }
}

function quantile(sorted: readonly number[], at: number): number {
  return sorted[Math.round((sorted.length - 1) * at)] ?? 0
}

function label({ nodes, clients, writesPerSecond, faults, workload }: Size): string {
  const what = faults?.length === 0 ? "no faults" : "all faults"
  const load = workload === undefined ? "drawn workloads" : workload
  return `${nodes} nodes, ${clients} clients, ${writesPerSecond} writes/s, ${what}, ${load}`
}
