/** The nodes: was it up, on which side of a split, what ailed its disk, how far was it behind. */
import type { TimelineData } from "../timeline.ts"
import { area, bars, plotLeft, x } from "./chart.ts"
import type { Axis, BarLook, Chart, LegendItem, Row } from "./chart.ts"
import type { Span } from "./lane.ts"
import { short, tag, text } from "./markup.ts"
import type { Markup } from "./markup.ts"
import { duration, grouped, moment, sideLetter, sideLook } from "./words.ts"

type Node = TimelineData["nodes"][number]

/** Up to so many nodes there is room for words in their rows. */
const TALL_ROWS_MAX = 8

const tall = { height: 84, flags: 12, bar: 15, disk: 11, area: 26 } as const
const flat = { height: 34, flags: 3, bar: 9, disk: 4, area: 12 } as const

const legend: readonly LegendItem[] = [
  { look: "up", words: "up" },
  { look: "side0", words: "biggest side of a split", letter: "A" },
  { look: "side1", words: "another side", letter: "B" },
  { look: "alone", words: "alone" },
  { look: "limited", words: "some paths cut" },
  { look: "crashed", words: "crashed" },
  { look: "stopped", words: "stopped" },
  { look: "paused", words: "paused" },
  { look: "slow", words: "disk slow" },
  { look: "full", words: "disk full" },
  { look: "failing", words: "disk failing" },
  { look: "clock", words: "clock fast or slow" },
  { look: "behind", words: "entries it lacks" },
  { look: "started", words: "starts again", letter: "▸" },
  { look: "flagged", words: "disk changed, fork noticed", letter: "◆" },
  { look: "watched", words: "clock jumped", letter: "◆" },
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
      const bar = { top: top + size.flags + 3, height: size.bar }
      const disk = { top: bar.top + bar.height + 1, height: size.disk }
      const behind = { top: disk.top + disk.height + 2, height: size.area }
      const endMs = axis.endMs
      return [
        upBar(node, axis, bar),
        ...bars(axis, node.side, bar, (span) => splitLook(span, endMs)),
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

function splitLook(span: Span, endMs: number): BarLook {
  if (span.what === "limited") {
    return { look: "limited", title: `some paths cut, at ${lasting(span, endMs)}` }
  }
  if (span.what === "alone") {
    return { look: "alone", label: "alone", title: `alone, at ${lasting(span, endMs)}` }
  }
  const side = Number(span.what)
  const letter = sideLetter(side)
  const title = `side ${letter} of a split, at ${lasting(span, endMs)}`
  return { look: sideLook(side), label: letter, title }
}

function processLook(span: Span, endMs: number): BarLook {
  return { look: span.what, label: span.what, title: `${span.what} at ${lasting(span, endMs)}` }
}

function diskLook(span: Span, endMs: number): BarLook {
  const title = `disk: ${span.detail}, at ${lasting(span, endMs)}`
  const isPlain = span.what === "full" || span.what === "failing"
  return { look: span.what, label: isPlain ? `disk ${span.what}` : span.detail, title }
}

function clockLook(span: Span, endMs: number): BarLook {
  return { look: "clock", title: `clock at ${span.detail} of time, at ${lasting(span, endMs)}` }
}

/** Flags without a word beside them, of which there are many. */
const silent: ReadonlySet<string> = new Set(["clock", "renewed"])

/** Moments worth a flag: a new life, a disk that was changed, a clock that jumped. */
function flags(marks: readonly Span[], axis: Axis, top: number, isTall: boolean): Markup[] {
  return marks.flatMap((mark, index) => {
    const at = x(axis, mark.fromMs)
    const words = mark.detail === "" ? mark.what : `${mark.what}: ${mark.detail}`
    const title = tag("title", {}, text(`${words}, at ${moment(mark.fromMs, axis.endMs)}`))
    if (mark.what === "started") {
      const path = `M${short(at)} ${top}v${isTall ? 15 : 9}l5 -4l-5 -4`
      return [tag("path", { class: "start", d: path }, title)]
    }
    const look = mark.what === "clock" ? "flag watch" : "flag"
    const middle = isTall ? top - 6 : top
    const path = `M${short(at)} ${middle + 4}l4 -4l-4 -4l-4 4z`
    const flag = tag("path", { class: look, d: path }, title)
    const next = marks.slice(index + 1).find(({ what }) => what !== "started")
    const room = x(axis, next?.fromMs ?? axis.endMs) - at
    if (!isTall || silent.has(mark.what) || room < mark.what.length * 6 + 12) return [flag]
    return [flag, tag("text", { class: "flagged", x: at + 6, y: middle + 3.5 }, text(mark.what))]
  })
}
