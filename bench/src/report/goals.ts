/**
 * The goals this project has set itself, each with the figure that decides it. Only goals whose
 * runs took place are listed; a miss is shown as a miss and does not fail the benchmark.
 */
import type { MeasureName } from "../measure/measures.ts"
import type { ServerName } from "../servers/catalog.ts"
import type { Results } from "./results.ts"
import { formatSpread, renderTable } from "./table.ts"

type Goal = {
  readonly text: string
  readonly scenario: string
  readonly measure: MeasureName
  /** Where the goal is relative: the server Causeway is divided by. */
  readonly base?: ServerName
  readonly atMost: number
}

const goals: readonly Goal[] = [
  {
    text: "1x100 at 2,000 upd/s: CPU per delivered update ÷ Hocuspocus+SQLite",
    scenario: "1x100-2000",
    measure: "cpuMicrosPerDelivered",
    base: "hocuspocus-sqlite",
    atMost: 0.5,
  },
  {
    text: "1x100 at 2,000 upd/s: CPU per delivered update ÷ bare relay",
    scenario: "1x100-2000",
    measure: "cpuMicrosPerDelivered",
    base: "relay",
    atMost: 0.6,
  },
  {
    text: "300x2 at 2,000 upd/s: CPU per update ÷ Hocuspocus+SQLite",
    scenario: "300x2",
    measure: "cpuMicrosPerSent",
    base: "hocuspocus-sqlite",
    atMost: 0.7,
  },
  {
    text: "light load: p50 until the native ack ÷ one fsync",
    scenario: "ack",
    measure: "ackPerSync",
    atMost: 2,
  },
  {
    text: "light load: p99 until the native ack, ms",
    scenario: "ack",
    measure: "ackP99Ms",
    atMost: 25,
  },
  {
    text: "3,000 open documents: RSS ÷ bare relay",
    scenario: "idle-3000",
    measure: "residentMb",
    base: "relay",
    atMost: 1.5,
  },
  {
    text: "start with 100,000 documents: ready, ms",
    scenario: "start-100k",
    measure: "readyMs",
    atMost: 1000,
  },
  {
    text: "start with 100,000 documents: RSS, MB",
    scenario: "start-100k",
    measure: "residentMb",
    atMost: 150,
  },
  {
    text: "SIGKILL under load: updates seen, then lost",
    scenario: "sigkill",
    measure: "seenLost",
    atMost: 0,
  },
]

/** The goals as a table, or undefined when nothing that decides one was measured. */
export function renderGoals(results: Results): string | undefined {
  const rows = goals.flatMap(({ text, scenario, measure, base, atMost }) => {
    const figure =
      base === undefined
        ? results.figure(scenario, "causeway", measure)
        : results.ratio(scenario, measure, "causeway", base)
    if (figure === undefined) return []
    const met = figure.median <= atMost ? "yes" : "NO"
    return [[text, met, `≤ ${atMost}`, formatSpread(figure)]]
  })
  if (rows.length === 0) return undefined
  return `## Goals\n\n${renderTable(["goal", "met", "wanted", "measured"], rows, 2)}`
}
