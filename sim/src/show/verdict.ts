/** The head of the page: what came out, in words, and the run it came out of. */
import type { Millis } from "@causeway/crdt/base"
import type { RunReport } from "../run.ts"
import type { TimelineData } from "../timeline.ts"
import { tag, text } from "./markup.ts"
import type { Markup } from "./markup.ts"
import { totalBehind } from "./overview.ts"
import type { Page } from "./page.ts"
import { counted, duration, grouped, moment } from "./words.ts"

export function drawVerdict({ report, timeline, replay, invariants }: Page): Markup {
  const { failure } = report
  const head = tag(
    "div",
    { class: "verdict" },
    failure === undefined ? tick : cross,
    tag(
      "div",
      {},
      tag("h1", {}, text(failure === undefined ? "All promises held" : "A promise was broken")),
      tag("p", {}, text(story(report))),
    ),
  )
  const broken = failure === undefined ? [] : [drawFailure(report, invariants)]
  return tag(
    "header",
    { class: failure === undefined ? "kept" : "broken" },
    head,
    ...broken,
    drawFigures(report, timeline),
    tag("p", { class: "replay" }, text("Replay it: "), tag("code", {}, text(replay))),
  )
}

const mark = { class: "mark", viewBox: "0 0 40 40", "aria-hidden": "true" }
const tick = tag(
  "svg",
  mark,
  tag("circle", { cx: 20, cy: 20, r: 19 }),
  tag("path", { d: "M10 21l7 7l13 -15" }),
)
const cross = tag(
  "svg",
  mark,
  tag("path", { class: "sign", d: "M12 1h16l11 11v16l-11 11h-16l-11 -11v-16z" }),
  tag("path", { d: "M13 13l14 14m0 -14l-14 14" }),
)

/** One sentence or two: who, how long, what happened, how it ended. */
function story(report: RunReport): string {
  const { options, faults, writes, failure, convergences, virtualMs } = report
  const { nodes, clients, stockClients, seconds } = options
  const fired = [...faults.values()].filter((count) => count > 0)
  const times = fired.reduce((sum, count) => sum + count, 0)
  const broken =
    times === 0
      ? "nothing went wrong on the way"
      : `${counted(times, "fault")} of ${counted(fired.length, "kind")}`
  const who = `${counted(nodes, "node")}, ${counted(clients + stockClients, "client")}`
  const work = `${grouped(writes)} writes in ${duration(seconds * 1000)}`
  const what = `${who}, ${work}; ${broken}.`
  if (failure !== undefined) return `${what} The run stopped at ${moment(failure.atMs, virtualMs)}.`
  const ends = convergences.map(({ phase, nodes: count, tookMs }) => {
    const took = duration(tookMs)
    if (phase === "whole") return `Everything was equal everywhere ${took} after all was healed.`
    return `A core of ${counted(count, "node")} was equal after ${took}, the rest still broken.`
  })
  return [what, ...ends].join(" ")
}

function drawFailure({ failure, virtualMs }: RunReport, invariants: Page["invariants"]): Markup {
  if (failure === undefined) return text("")
  const known = invariants.find(({ name }) => name === failure.invariant)
  const promise = known === undefined ? "" : `: ${known.explain}.`
  const stack = failure.invariant === "assertion" && failure.stack !== undefined
  return tag(
    "div",
    { class: "failure" },
    tag("p", {}, tag("b", {}, text(failure.invariant)), text(promise)),
    tag(
      "p",
      {},
      text(`What was seen at ${moment(failure.atMs, virtualMs)}: `),
      tag("span", { class: "message" }, text(failure.message.slice(0, MESSAGE_MAX))),
    ),
    ...(stack ? [tag("pre", {}, text((failure.stack ?? "").slice(0, STACK_MAX)))] : []),
  )
}

const MESSAGE_MAX = 2000
const STACK_MAX = 8000

function drawFigures(report: RunReport, timeline: TimelineData): Markup {
  const acks = timeline.acks.reduce((sum, count) => sum + count, 0)
  const crashes = timeline.nodes
    .flatMap(({ process }) => process)
    .reduce((sum, { what, count }) => sum + (what === "crashed" ? count : 0), 0)
  const most = Math.max(0, ...totalBehind(timeline))
  const figures: readonly (readonly [string, string])[] = [
    ["seed", String(report.options.seed)],
    ["writes", grouped(report.writes)],
    ["acked", grouped(acks)],
    ["entries logged", grouped(report.entries)],
    ["longest split", words(longestSplit(timeline))],
    ["node crashes", grouped(crashes)],
    ["most missing", grouped(most)],
    ["equal after", report.convergedMs === undefined ? "never" : duration(report.convergedMs)],
  ]
  const items = figures.map(([name, value]) =>
    tag("div", {}, tag("dt", {}, text(name)), tag("dd", {}, text(value))),
  )
  return tag("dl", { class: "figures" }, ...items)
}

function words(ms: Millis): string {
  return ms === 0 ? "none" : duration(ms)
}

/** How long a node was on another side than most, at most. */
function longestSplit({ nodes }: TimelineData): Millis {
  const aside = nodes
    .flatMap(({ side }) => side)
    .filter(({ what }) => what === "alone" || Number(what) > 0)
  return Math.max(0, ...aside.map(({ fromMs, toMs }) => toMs - fromMs))
}
