/** Under the charts: the last events before a violation, every fault with its meaning, and more. */
import type { RunReport } from "../run.ts"
import { tag, text } from "./markup.ts"
import type { Markup } from "./markup.ts"
import type { Page } from "./page.ts"
import { duration, grouped } from "./words.ts"

const LINE_MAX = 300
const LINES_MAX = 200
const ROWS_MAX = 200

/** What the trace says of a frame's way, of which there is much and which says little. */
const traffic = /^\s*[\d.]+ (?:send|arrive|step|lose|dial|opened|closed)\b/

export function drawEvents({ failure }: RunReport): Markup {
  if (failure === undefined) return text("")
  const lines = folded(failure.lastEvents.slice(-LINES_MAX)).map(({ line, count }) => {
    const look = traffic.test(line) ? "traffic" : undefined
    const times = count === 1 ? "" : `  (${count} times)`
    return tag("span", { class: look }, text(`${line.slice(0, LINE_MAX)}${times}\n`))
  })
  const box = tag("input", { type: "checkbox", id: "no-traffic" })
  return tag(
    "section",
    { class: "events" },
    tag("h2", {}, text("The last events before it")),
    tag("label", { class: "filter" }, box, text(" without frames on their way")),
    tag("pre", {}, ...lines),
  )
}

/** Neighbours that say the same become one, with the first one's time. */
function folded(lines: readonly string[]): readonly { line: string; count: number }[] {
  const folds: { line: string; count: number }[] = []
  for (const line of lines) {
    const last = folds.at(-1)
    if (last !== undefined && untimed(last.line) === untimed(line)) last.count += 1
    else folds.push({ line, count: 1 })
  }
  return folds
}

function untimed(line: string): string {
  return line.replace(/^\s*[\d.]+/, "")
}

export function drawFaults({ profile, faults }: RunReport): Markup {
  const rows = profile.faults.slice(0, ROWS_MAX).map(({ fault, everyMs }) => {
    const { name, explain, row } = fault
    const count = faults.get(name) ?? 0
    return tag(
      "tr",
      {},
      tag("th", { scope: "row" }, text(name)),
      tag("td", { class: "count" }, text(grouped(count))),
      tag("td", { class: "count" }, text(duration(everyMs))),
      tag("td", {}, text(explain)),
      tag("td", { class: "kind" }, text(row)),
    )
  })
  const head = ["fault", "fired", "drawn every", "what it does", "what it stands for"]
  return table("What could go wrong in this run", head, rows)
}

export function drawInvariants(invariants: Page["invariants"], broken: string | undefined): Markup {
  const rows = invariants.slice(0, ROWS_MAX).map(({ name, explain }) => {
    const isBroken = name === broken
    return tag(
      "tr",
      isBroken ? { class: "is-broken" } : {},
      tag("th", { scope: "row" }, text(name)),
      tag("td", {}, text(isBroken ? "✘ broken" : broken === undefined ? "✔ held" : "not broken")),
      tag("td", {}, text(explain)),
    )
  })
  return table("What was watched all along", ["promise", "verdict", "what it says"], rows)
}

function table(title: string, head: readonly string[], rows: readonly Markup[]): Markup {
  if (rows.length === 0) return text("")
  const cells = head.map((name) => tag("th", { scope: "col" }, text(name)))
  return tag(
    "section",
    { class: "list" },
    tag("h2", {}, text(title)),
    tag("table", {}, tag("thead", {}, tag("tr", {}, ...cells)), tag("tbody", {}, ...rows)),
  )
}
