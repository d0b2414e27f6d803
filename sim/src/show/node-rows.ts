/** The nodes: was it up, on which side of a split, what ailed its disk, how far was it behind. */
import type { TimelineData } from "../timeline.ts"
import { area, bars, plotLeft, x } from "./chart.ts"
import type { Axis, BarLook, Chart, LegendItem, Row } from "./chart.ts"
import type { Span } from "./lane.ts"
import { tag, text } from "./markup.ts"
import type { Markup } from "./markup.ts"
import { duration, grouped, moment, sideLetter } from "./words.ts"

type Node = TimelineData["nodes"][number]

/** Up to so many nodes there is room for words in their rows. */
const TALL_ROWS_MAX = 8
/** Sides past these look alike; their letters differ. */
const SIDE_LOOKS = 4

const tall = { height: 74, bar: 15, disk: 11, area: 26 } as const
const flat = { height: 32, bar: 9, disk: 4, area: 12 } as const

const legend: readonly LegendItem[] = [
  { look: "up", words: "up" },
  { look: "side0", words: "a side of a split", letter: "A" },
  { look: "side1", words: "another", letter: "B" },
  { look: "limited", words: "some paths cut" },
  { look: "crashed", words: "crashed" },
  { look: "stopped", words: "stopped" },
  { look: "paused", words: "paused" },
  { look: "slow", words: "disk slow" },
  { look: "full", words: "disk full" },
  { look: "failing", words: "disk failing" },
  { look: "behind", words: "entries it lacks" },
]

export function nodeChart({ nodes }: TimelineData, axis: Axis): Chart {
  const most = Math.max(0, ...nodes.flatMap(({ behind }) => behind))
  return {
    title: "Nodes",
    legend,
    rows: nodes.map((node) => nodeRow(node, axis, most, nodes.length <= TALL_ROWS_MAX)),
  }
}

function nodeRow(node: Node, axis: Axis, most: number, isTall: boolean): Row {
  const size = isTall ? tall : flat
  const own = Math.max(0, ...node.behind)
  return {
    label: node.name,
    hint: own === 0 ? "never behind" : `lacked ≤ ${grouped(own)}`,
    height: size.height,
    draw: (top) => {
      const bar = { top: top + 4, height: size.bar }
      const disk = { top: bar.top + bar.height + 1, height: size.disk }
      const behind = { top: disk.top + disk.height + 2, height: size.area }
      const endMs = axis.endMs
      return [
        upBar(node, axis, bar),
        ...bars(axis, node.side, bar, (span) => sideLook(span, endMs)),
        ...bars(axis, node.process, bar, (span) => processLook(span, endMs)),
        ...bars(axis, node.disk, disk, (span) => diskLook(span, endMs)),
        ...bars(axis, node.clock, { top: disk.top, height: 3 }, (span) => clockLook(span, endMs)),
        area(axis, node.behind, behind, { look: "behind", unit: "entries behind", max: most }),
        ...flags(node.marks, axis, bar.top, isTall),
      ]
    },
  }
}

/** The whole time in which the node existed; other bars lie on it. */
function upBar(node: Node, axis: Axis, place: { top: number; height: number }): Markup {
  const width = x(axis, axis.endMs) - plotLeft
  return tag("rect", { class: "up", x: plotLeft, y: place.top, width, height: place.height })
}

function lasting({ fromMs, toMs, count }: Span, endMs: number): string {
  const many = count > 1 ? `, ${count} times` : ""
  return `${moment(fromMs, endMs)} for ${duration(toMs - fromMs)}${many}`
}

function sideLook(span: Span, endMs: number): BarLook {
  if (span.what === "limited") {
    return { look: "limited", title: `some paths cut, at ${lasting(span, endMs)}` }
  }
  const side = Number(span.what)
  const letter = sideLetter(side)
  const look = side < SIDE_LOOKS ? `side${side}` : "side-more"
  return { look, label: letter, title: `side ${letter} of a split, at ${lasting(span, endMs)}` }
}

function processLook(span: Span, endMs: number): BarLook {
  return { look: span.what, label: span.what, title: `${span.what} at ${lasting(span, endMs)}` }
}

function diskLook(span: Span, endMs: number): BarLook {
  const title = `disk: ${span.detail}, at ${lasting(span, endMs)}`
  const words = span.what === "slow" ? span.detail : `disk ${span.what}`
  return { look: span.what, label: words, title }
}

function clockLook(span: Span, endMs: number): BarLook {
  return { look: "clock", title: `clock at ${span.detail} of time, at ${lasting(span, endMs)}` }
}

/** Moments worth a flag: a new life, a disk that was changed, a clock that jumped. */
function flags(marks: readonly Span[], axis: Axis, top: number, isTall: boolean): Markup[] {
  let freeFrom = 0
  return marks.flatMap((mark) => {
    const at = x(axis, mark.fromMs)
    const words = mark.detail === "" ? mark.what : `${mark.what}: ${mark.detail}`
    const title = tag("title", {}, text(`${words}, at ${moment(mark.fromMs, axis.endMs)}`))
    if (mark.what === "started") {
      const height = isTall ? 7 : 5
      const path = `M${at} ${top - 1}l${height} ${height / 2 + 2}l-${height} ${height / 2 + 2}z`
      return [tag("path", { class: "start", d: path }, title)]
    }
    const flag = tag("path", { class: "flag", d: `M${at} ${top + 6}l4 -5l-4 -5l-4 5z` }, title)
    if (!isTall || at < freeFrom) return [flag]
    freeFrom = at + mark.what.length * 6 + 14
    return [flag, tag("text", { class: "flagged", x: at + 6, y: top + 2 }, text(mark.what))]
  })
}
