/**
 * Rows over one time axis. A row says how high it is and draws itself at a height that it is
 * given; a chart stacks them under a heading. All charts of a page have the same width and axis,
 * so that a moment is at the same place in each of them.
 */
import type { Millis } from "@causeway/crdt/base"
import { joined } from "./grid.ts"
import type { Span } from "./lane.ts"
import { short, tag, text } from "./markup.ts"
import type { Markup } from "./markup.ts"

/** In the charts' own units, which are about a pixel each. */
export const chartWidth = 1200
export const plotLeft = 140
export const plotRight = 1190
/** For the axis and the names of the phases. */
const HEADING_HEIGHT = 32
const TICKS_MAX = 14
const BAR_WIDTH_MIN = 1.6
const COUNT_BUCKETS = 160
/** Of a letter of a row's name, which is bold. A name that would not fit is drawn narrower. */
const NAME_LETTER_WIDTH = 7.6
/** Between a row's name and the plot. */
const NAME_GAP = 10
/** Of a letter in a bar. */
const LETTER_WIDTH = 6.4

export type Axis = { readonly endMs: Millis; readonly bucketMs: Millis }

export type Row = {
  readonly label: string
  readonly hint?: string
  readonly height: number
  readonly draw: (top: number) => readonly Markup[]
  /** Of a row for a fault: choosing its label shows when it was under way. */
  readonly fault?: boolean
}

export type LegendItem = { readonly look: string; readonly words: string; readonly letter?: string }

export type Chart = {
  readonly title: string
  readonly legend: readonly LegendItem[]
  readonly rows: readonly Row[]
}

export function x(axis: Axis, ms: Millis): number {
  return plotLeft + ((plotRight - plotLeft) * ms) / Math.max(1, axis.endMs)
}

/** `under`: drawn behind the rows, from top to bottom, `over` before them. */
export function drawChart(
  chart: Chart,
  axis: Axis,
  under: (top: number, bottom: number) => readonly Markup[],
  over: (top: number, bottom: number) => readonly Markup[],
): Markup {
  const bottom = HEADING_HEIGHT + chart.rows.reduce((sum, { height }) => sum + height, 0)
  let top = HEADING_HEIGHT
  const rows = chart.rows.map((row) => {
    const drawn = drawRow(row, top)
    top += row.height
    return drawn
  })
  const svg = tag(
    "svg",
    { viewBox: `0 0 ${chartWidth} ${short(bottom + 6)}`, role: "img", "aria-label": chart.title },
    ...under(HEADING_HEIGHT, bottom),
    ...gridLines(axis, HEADING_HEIGHT, bottom),
    ...rows,
    ...over(HEADING_HEIGHT, bottom),
  )
  const legend = chart.legend.map(drawLegendItem)
  const heading = tag("h2", {}, text(chart.title))
  const head = tag("div", { class: "head" }, heading, tag("ul", { class: "legend" }, ...legend))
  return tag("section", { class: "chart" }, head, svg)
}

function drawRow(row: Row, top: number): Markup {
  const { label, hint, height } = row
  const middle = top + Math.min(height / 2, 22)
  const isSmall = hint === undefined || height < 24
  const widthMax = plotLeft - NAME_GAP - 2
  const isLong = label.length * NAME_LETTER_WIDTH > widthMax
  const fitted = isLong ? { textLength: widthMax, lengthAdjust: "spacingAndGlyphs" } : {}
  const y = isSmall ? middle + 4 : middle - 2
  const name = tag("text", { class: "name", x: plotLeft - NAME_GAP, y, ...fitted }, text(label))
  const below =
    hint === undefined || height < 24
      ? []
      : [tag("text", { class: "hint", x: plotLeft - NAME_GAP, y: middle + 11 }, text(hint))]
  const line = tag("line", { class: "rule", x1: 0, x2: plotRight, y1: top, y2: top })
  const choice = row.fault === true ? { tabindex: 0, role: "button", "aria-pressed": "false" } : {}
  const labels = tag("g", { class: row.fault === true ? "label choice" : "label", ...choice }, name)
  const attributes = { class: "row", "data-name": label }
  return tag("g", attributes, line, labels, ...below, ...row.draw(top))
}

function gridLines(axis: Axis, top: number, bottom: number): Markup[] {
  return ticks(axis.endMs).flatMap((ms) => {
    const at = x(axis, ms)
    return [
      tag("line", { class: "grid", x1: at, x2: at, y1: top, y2: bottom }),
      tag("text", { class: "tick", x: at, y: top - 6 }, text(tickWords(ms, axis.endMs))),
    ]
  })
}

const stepsMs = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800]

function ticks(endMs: Millis): Millis[] {
  const seconds = stepsMs.find((step) => endMs / (step * 1000) <= TICKS_MAX) ?? endMs / 10_000
  const stepMs = seconds * 1000
  return Array.from({ length: Math.floor(endMs / stepMs) + 1 }, (_, index) => index * stepMs)
}

function tickWords(ms: Millis, endMs: Millis): string {
  const seconds = Math.round(ms / 1000)
  if (endMs < 180_000) return `${seconds} s`
  const two = (value: number): string => String(value).padStart(2, "0")
  if (endMs < 3_600_000) return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)} h`
}

function drawLegendItem({ look, words, letter }: LegendItem): Markup {
  const swatch = tag("rect", { class: look, width: 22, height: 11, rx: 2 })
  const inside = letter === undefined ? [] : [tag("text", { x: 11, y: 9.5 }, text(letter))]
  const svg = tag("svg", { viewBox: "0 0 22 11", class: "swatch" }, swatch, ...inside)
  return tag("li", {}, svg, text(words))
}

export type BarLook = {
  readonly look: string
  readonly label?: string
  readonly title: string
}

/** Spans as bars; a bar's label is drawn where it fits. */
export function bars(
  axis: Axis,
  spans: readonly Span[],
  place: { readonly top: number; readonly height: number },
  lookOf: (span: Span) => BarLook,
): Markup[] {
  return spans.flatMap((span) => {
    const left = x(axis, span.fromMs)
    const width = Math.max(BAR_WIDTH_MIN, x(axis, span.toMs) - left)
    const { look, label, title } = lookOf(span)
    const bar = tag(
      "rect",
      { class: look, x: left, y: place.top, width, height: place.height },
      tag("title", {}, text(title)),
    )
    if (label === undefined || label.length * LETTER_WIDTH + 4 > width) return [bar]
    const y = place.top + place.height / 2 + 3.6
    return [bar, tag("text", { class: "in", x: left + width / 2, y }, text(label))]
  })
}

export type AreaLook = {
  readonly look: string
  /** What the values are, for whoever reads them off. */
  readonly unit: string
  readonly max: number
  /** Downwards from the top instead of upwards from the bottom. */
  readonly hangs?: boolean
}

/** Counts in fewer buckets, so that they are more than a point or two wide. */
export function coarse(
  counts: readonly number[],
  axis: Axis,
): { readonly values: readonly number[]; readonly axis: Axis } {
  const factor = Math.max(1, Math.round(counts.length / COUNT_BUCKETS))
  const bucketMs = axis.bucketMs * factor
  return { values: joined(counts, factor, "sum"), axis: { ...axis, bucketMs } }
}

/** Values as steps. A value above zero is never too small to be seen. */
export function area(
  axis: Axis,
  values: readonly number[],
  place: { readonly top: number; readonly height: number },
  { look, unit, max, hangs = false }: AreaLook,
): Markup {
  const base = hangs ? place.top : place.top + place.height
  const direction = hangs ? 1 : -1
  const yOf = (value: number): number => {
    if (value === 0) return base
    return base + direction * Math.max(1.2, (place.height * value) / Math.max(1, max))
  }
  let path = `M${short(x(axis, 0))} ${short(base)}`
  let last = base
  for (const [index, value] of values.entries()) {
    const y = yOf(value)
    if (y === last) continue
    path += `H${short(x(axis, Math.min(axis.endMs, index * axis.bucketMs)))}V${short(y)}`
    last = y
  }
  path += `H${short(x(axis, axis.endMs))}V${short(base)}Z`
  return tag("path", {
    class: look,
    d: path,
    "data-unit": unit,
    "data-bucket": axis.bucketMs,
    "data-values": packed(values),
  })
}

/** `0*12,3,0*4`: runs of equal values as one. */
function packed(values: readonly number[]): string {
  const runs: { value: number; count: number }[] = []
  for (const value of values) {
    const last = runs.at(-1)
    if (last?.value === value) last.count += 1
    else runs.push({ value, count: 1 })
  }
  return runs.map(({ value, count }) => (count === 1 ? value : `${value}*${count}`)).join()
}
