/**
 * The fault scoreboard of a swarm, made from what fired: for each line of the scoreboard and each
 * fault in it, how often it fired and in how many runs. A fault that never fired tests nothing.
 */
import { scoreboardRows } from "../faults/index.ts"
import type { Fault } from "../faults/index.ts"
import type { RunSummary } from "./summary.ts"

export type Score = {
  readonly row: string
  readonly fault: string
  readonly explain: string
  /** In how many runs it was on, and in how many of these it fired. */
  readonly runsOn: number
  readonly runsFired: number
  readonly fired: number
}

export class Scoreboard {
  readonly #faults: readonly Fault[]
  readonly #counts = new Map<string, { runsOn: number; runsFired: number; fired: number }>()
  #runs = 0

  constructor(faults: readonly Fault[]) {
    this.#faults = faults
    for (const { name } of faults) this.#counts.set(name, { runsOn: 0, runsFired: 0, fired: 0 })
  }

  add({ faults }: RunSummary): void {
    this.#runs += 1
    for (const [name, fired] of Object.entries(faults)) {
      const count = this.#counts.get(name)
      if (count === undefined) continue
      count.runsOn += 1
      count.fired += fired
      if (fired > 0) count.runsFired += 1
    }
  }

  /** In the order of the scoreboard's lines. */
  get scores(): Score[] {
    return scoreboardRows.flatMap((row) =>
      this.#faults
        .filter((fault) => fault.row === row)
        .map(({ name, explain }) => {
          const count = this.#counts.get(name) ?? { runsOn: 0, runsFired: 0, fired: 0 }
          return { row, fault: name, explain, ...count }
        }),
    )
  }

  get neverFired(): string[] {
    return this.scores.filter(({ fired }) => fired === 0).map(({ fault }) => fault)
  }

  /** For a terminal. */
  toText(): string {
    const scores = this.scores
    const width = Math.max(...scoreboardRows.map((row) => row.length))
    const lines = scores.map(({ row, fault, runsOn, runsFired, fired }, index) => {
      const head = scores[index - 1]?.row === row ? "" : row
      const runs = `${runsFired} of ${runsOn}`
      return `${head.padEnd(width)}  ${fault.padEnd(18)} ${String(fired).padStart(8)}  ${runs}`
    })
    const title = `${"line of the scoreboard".padEnd(width)}  ${"fault".padEnd(18)}`
    return [`${title} ${"fired".padStart(8)}  in runs that had it`, ...lines].join("\n")
  }

  toMarkdown(): string {
    const lines = this.scores.map(
      ({ row, fault, explain, runsOn, runsFired, fired }) =>
        `| ${row} | \`${fault}\` | ${explain} | ${fired} | ${runsFired} of ${runsOn} |`,
    )
    return [
      `Made by \`npm run sim -- swarm --scoreboard\` from ${this.#runs} runs.`,
      "",
      "| line | fault | what it is | fired | in runs that had it |",
      "|---|---|---|---|---|",
      ...lines,
      "",
    ].join("\n")
  }
}
