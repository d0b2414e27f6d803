/**
 * Plays cases, a few at a time, and never throws: a case that cannot be played (no Redis, no right
 * to mount) is skipped with the reason, one that fails to be played is an error of the run.
 */
import { runPooled } from "../load/pool.ts"
import type { MatrixCase } from "./cases.ts"
import type { Contender, ContenderName } from "./contenders.ts"
import { Stage } from "./stage.ts"
import { findingsOf } from "./verdict.ts"
import type { Finding, Observation } from "./verdict.ts"

export type Run = {
  readonly case: string
  readonly contender: ContenderName
  readonly time: number
  readonly seconds: number
} & (
  | {
      readonly outcome: "played"
      readonly findings: readonly Finding[]
      readonly observation: Observation
    }
  | { readonly outcome: "failed"; readonly error: string }
)

export type Skipped = {
  readonly case: string
  readonly contender: ContenderName
  readonly why: string
}

/** What this machine has of what cases need. */
type Machine = {
  /** The path of redis-server, if it is installed. */
  readonly redis: string | undefined
  readonly whyNoSmallDisk: string | undefined
}

export type RunPlan = {
  readonly cases: readonly MatrixCase[]
  readonly contenders: readonly Contender[]
  readonly machine: Machine
  readonly times: number
  /** Runs at the same time: nearly all of a run is waiting. */
  readonly atOnce: number
  readonly root: string
  readonly progress: (line: string) => void
}

const redisMissing =
  "redis-server is not installed (Debian and Ubuntu: apt-get install redis-server)"

function whySkipped(one: MatrixCase, contender: Contender, machine: Machine): string | undefined {
  if (one.nodes === "several" && contender.needsRedis && machine.redis === undefined) {
    return redisMissing
  }
  return one.disk === "small" ? machine.whyNoSmallDisk : undefined
}

/** What of `plan` cannot be played here. */
export function skippedOf(plan: Pick<RunPlan, "cases" | "contenders" | "machine">): Skipped[] {
  const { cases, contenders, machine } = plan
  return cases.flatMap((one) =>
    contenders.flatMap((contender) => {
      const why = whySkipped(one, contender, machine)
      return why === undefined ? [] : [{ case: one.name, contender: contender.name, why }]
    }),
  )
}

/** Every case against every contender, each `times` times. */
export async function playAll(plan: RunPlan): Promise<Run[]> {
  const { cases, contenders, times, atOnce, progress } = plan
  const all = Array.from({ length: times }, (_, index) => index + 1).flatMap((time) =>
    cases.flatMap((one) =>
      contenders
        .filter((contender) => whySkipped(one, contender, plan.machine) === undefined)
        .map((contender) => ({ one, contender, time })),
    ),
  )
  return runPooled(all, atOnce, async ({ one, contender, time }) => {
    const run = await playOnce(plan.root, one, contender, time)
    progress(`${one.name}, ${contender.name}, ${time}/${times}: ${summaryOf(run)}`)
    return run
  })
}

async function playOnce(
  root: string,
  one: MatrixCase,
  contender: Contender,
  time: number,
): Promise<Run> {
  const startMs = performance.now()
  const what = { case: one.name, contender: contender.name, time }
  const seconds = (): number => Math.round((performance.now() - startMs) / 100) / 10
  let stage
  try {
    stage = await Stage.open({ contender, nodes: one.nodes, disk: one.disk, root })
    const observation = await one.play(stage)
    const findings = findingsOf(observation)
    return { ...what, seconds: seconds(), outcome: "played", findings, observation }
  } catch (error) {
    const crashed = stage?.cluster.failures().join("\n") ?? ""
    const told = `${String(error)}\n${crashed}`.trim()
    return { ...what, seconds: seconds(), outcome: "failed", error: told }
  } finally {
    await stage?.close()
  }
}

function summaryOf(run: Run): string {
  if (run.outcome === "failed") return `FAILED: ${run.error}`
  return run.findings.length === 0 ? "kept" : run.findings.join(", ")
}
