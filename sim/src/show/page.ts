/**
 * One run as one HTML page that needs nothing else: no network, no script to tell its story. Pure:
 * the same run gives the same page. At most `PAGE_BYTES_MAX` long, however long the run.
 */
import type { Invariant } from "../invariants/index.ts"
import type { RunReport } from "../run.ts"
import type { TimelineData } from "../timeline.ts"
import { drawChart, x } from "./chart.ts"
import type { Axis } from "./chart.ts"
import { clientChart } from "./client-rows.ts"
import { faultChart } from "./fault-rows.ts"
import { fit } from "./fit.ts"
import { linkChart } from "./link-rows.ts"
import { tag, text, verbatim, voidTag } from "./markup.ts"
import type { Markup } from "./markup.ts"
import { nodeChart } from "./node-rows.ts"
import { overviewChart, phaseBands } from "./overview.ts"
import { patterns } from "./patterns.ts"
import { script } from "./script.ts"
import { chosenStates, drawStates } from "./states.ts"
import { style } from "./style.ts"
import { drawEvents, drawFaults, drawInvariants } from "./tables.ts"
import { drawVerdict } from "./verdict.ts"
import { counted, duration, moment } from "./words.ts"

/** What `fit` and the limits of the tables leave room for. */
export const PAGE_BYTES_MAX = 1.5 * 1024 * 1024

export type Page = {
  readonly report: RunReport
  readonly timeline: TimelineData
  /** The command that replays the run. */
  readonly replay: string
  /** All that were watched, for their explanations. */
  readonly invariants: readonly Pick<Invariant, "name" | "explain">[]
}

export function renderPage(page: Page): string {
  const { report, invariants } = page
  const { timeline, gapMs } = fit(page.timeline)
  const axis: Axis = { endMs: timeline.endMs, bucketMs: timeline.bucketMs }
  const { options, failure } = report
  const title = `${failure === undefined ? "✔" : "✘"} seed ${options.seed} · Causeway simulator`
  const head = tag(
    "head",
    {},
    voidTag("meta", { charset: "utf-8" }),
    voidTag("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
    voidTag("meta", { name: "color-scheme", content: "light dark" }),
    tag("title", {}, text(title)),
    tag("style", {}, verbatim(style)),
  )
  const body = tag(
    "body",
    {},
    patterns,
    tag(
      "main",
      {},
      drawVerdict(page),
      guide,
      charts(page, timeline, axis),
      tag("p", { class: "note" }, text(resolution(axis, gapMs))),
      drawEvents(report),
      drawFaults(report),
      drawInvariants(invariants, failure?.invariant),
      tag("p", { class: "note" }, text(`Trace hash ${report.hash}.`)),
    ),
    tag("output", { id: "readout", "aria-live": "polite", hidden: true }),
    tag("script", {}, verbatim(script)),
  )
  return `<!doctype html>\n${tag("html", { lang: "en" }, head, body)}\n`
}

function charts({ report }: Page, timeline: TimelineData, axis: Axis): Markup {
  const states = chosenStates(timeline)
  const bands = phaseBands(timeline, axis)
  const ends = (top: number, bottom: number): Markup[] =>
    endLines(report, timeline, axis, top, bottom)
  const parts = [drawChart(overviewChart(timeline, states, axis), axis, bands, ends)]
  if (states.length > 0) parts.push(statesSection(timeline, axis))
  parts.push(drawChart(nodeChart(timeline, axis), axis, bands, ends))
  if (timeline.pairs.length > 0) parts.push(drawChart(linkChart(timeline, axis), axis, bands, ends))
  if (timeline.writerCount > 0) {
    parts.push(drawChart(clientChart(timeline, axis), axis, bands, ends))
  }
  if (timeline.faults.length > 0) {
    parts.push(drawChart(faultChart(timeline, report.schedule, axis), axis, bands, ends))
  }
  const cursor = tag("div", { id: "cursor", hidden: true })
  const attributes = {
    id: "charts",
    tabindex: 0,
    "aria-label": "Charts over time; arrow keys read off a moment",
    "data-end": Math.round(axis.endMs),
    "data-bucket": axis.bucketMs,
  }
  return tag("div", attributes, ...parts, cursor)
}

function statesSection(timeline: TimelineData, axis: Axis): Markup {
  const heading = tag("h2", {}, text("Who could talk to whom, in the states that lasted longest"))
  const drawing = drawStates(timeline, chosenStates(timeline), axis)
  return tag("section", { class: "chart" }, tag("div", { class: "head" }, heading), drawing)
}

/** When a promise was broken, or when all that had to be equal was. */
function endLines(
  { failure, convergences, virtualMs }: RunReport,
  { phases }: TimelineData,
  axis: Axis,
  top: number,
  bottom: number,
): Markup[] {
  if (failure !== undefined) {
    const at = x(axis, failure.atMs)
    const title = tag("title", {}, text(`broken at ${moment(failure.atMs, virtualMs)}`))
    const places = { x1: at, x2: at, y1: top - 4, y2: bottom }
    return [
      tag("line", { class: "violation", ...places }, title),
      tag("path", { class: "violated", d: `M${at - 6} ${top - 16}l12 12m0 -12l-12 12` }),
    ]
  }
  return convergences.flatMap(({ phase, nodes, tookMs }) => {
    const began = phases.find((other) => other.phase === phase)
    if (began === undefined) return []
    const at = x(axis, began.fromMs + tookMs)
    const words = `${counted(nodes, "node")} equal after ${duration(tookMs)}`
    const line = { class: "equal", x1: at, x2: at, y1: top, y2: bottom }
    return [
      tag("line", line, tag("title", {}, text(words))),
      tag("path", { class: "reached", d: `M${at - 4} ${top - 3}l4 5l4 -5z` }),
    ]
  })
}

function resolution({ bucketMs, endMs }: Axis, gapMs: number): string {
  return (
    `Time is virtual: ${duration(endMs)} of it. Counts are per ${duration(bucketMs)}; ` +
    `what is less than ${duration(gapMs)} apart is drawn as one.`
  )
}

const guide = tag(
  "ol",
  { class: "guide" },
  tag(
    "li",
    {},
    tag("b", {}, text("Time runs to the right, ")),
    text("the same in every chart. Point at a moment, or use the arrow keys, to read all of it."),
  ),
  tag(
    "li",
    {},
    tag("b", {}, text("Bars say what a node or client was in. ")),
    text("Nodes with the same letter could talk to each other, if need be over others."),
  ),
  tag(
    "li",
    {},
    tag("b", {}, text("Blue areas say what is missing. ")),
    text("They grow while nodes are cut off, and must shrink to nothing after the heal."),
  ),
)
