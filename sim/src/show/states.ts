/**
 * Who could talk to whom, drawn: the states of the network that lasted longest, in order of time.
 * Few nodes stand in a circle with a line for each path; many stand in a box per side.
 */
import type { TimelineData } from "../timeline.ts"
import { x } from "./chart.ts"
import type { Axis } from "./chart.ts"
import { short, tag, text } from "./markup.ts"
import type { Markup } from "./markup.ts"
import type { Reachability } from "./reach.ts"
import { duration, moment, sideLetter } from "./words.ts"

const STATES_SHOWN_MAX = 8
const CIRCLE_NODES_MAX = 9
const CIRCLE = { x: 75, y: 70, radius: 48, dot: 11 } as const
const COLUMNS = 5
const SIDE_LOOKS = 4

/** The longest of all states, in order of time. */
export function chosenStates({ states }: TimelineData): readonly Reachability[] {
  return states
    .toSorted((left, right) => right.toMs - right.fromMs - (left.toMs - left.fromMs))
    .slice(0, STATES_SHOWN_MAX)
    .sort((left, right) => left.fromMs - right.fromMs)
}

/** Where they are on the axis: a number each. */
export function stateMarks(states: readonly Reachability[], axis: Axis) {
  return (top: number): Markup[] =>
    states.flatMap(({ fromMs, toMs }, index) => {
      const at = x(axis, (fromMs + toMs) / 2)
      const width = Math.max(2, x(axis, toMs) - x(axis, fromMs))
      return [
        tag("rect", { class: "stated", x: x(axis, fromMs), y: top - 2, width, height: 3 }),
        tag("circle", { class: "number", cx: at, cy: top + 8, r: 7 }),
        tag("text", { class: "numbered", x: at, y: top + 11.5 }, text(index + 1)),
      ]
    })
}

export function drawStates(
  timeline: TimelineData,
  states: readonly Reachability[],
  axis: Axis,
): Markup {
  const names = timeline.nodes.map(({ name }) => name)
  const figures = states.map((state, index) => {
    const drawing = names.length <= CIRCLE_NODES_MAX ? circle(state, names) : boxes(state, names)
    const when = `${moment(state.fromMs, axis.endMs)}, ${duration(state.toMs - state.fromMs)}`
    const caption = tag("figcaption", {}, tag("b", {}, text(index + 1)), text(` ${when}`))
    return tag("figure", {}, drawing, caption)
  })
  return tag("div", { class: "states" }, ...figures)
}

function lookOf(side: number | undefined, isSplit: boolean): string {
  if (side === undefined) return "down"
  if (!isSplit) return "up"
  return side < SIDE_LOOKS ? `side${side}` : "side-more"
}

function circle(state: Reachability, names: readonly string[]): Markup {
  const places = names.map((_, index) => {
    const angle = (2 * Math.PI * index) / names.length - Math.PI / 2
    return {
      x: CIRCLE.x + CIRCLE.radius * Math.cos(angle),
      y: CIRCLE.y + CIRCLE.radius * Math.sin(angle),
    }
  })
  const cuts = new Set(state.cuts.map(([from, to]) => `${from} ${to}`))
  const isSplit = state.sides.some((side) => side !== undefined && side > 0)
  const lines = names.flatMap((_, one) =>
    [...names.keys()].slice(one + 1).flatMap((other) => {
      if (state.down.includes(one) || state.down.includes(other)) return []
      const there = !cuts.has(`${one} ${other}`)
      const back = !cuts.has(`${other} ${one}`)
      if (!there && !back) return []
      const [from, to] = there ? [places[one], places[other]] : [places[other], places[one]]
      if (from === undefined || to === undefined) return []
      return there && back ? [line(from, to)] : [arrow(from, to)]
    }),
  )
  const dots = places.map((place, index) => {
    const side = state.sides[index]
    const look = lookOf(side, isSplit)
    const name = tag("text", { class: "dot", x: place.x, y: place.y + 4 }, text(names[index] ?? ""))
    const dot = { class: look, cx: place.x, cy: place.y, r: CIRCLE.dot + 2 }
    return tag("g", {}, tag("circle", dot), name, ...(look === "down" ? [cross(place)] : []))
  })
  const label = { viewBox: "0 0 150 140", role: "img", "aria-label": inWords(state, names) }
  return tag("svg", label, ...lines, ...dots)
}

type Point = { readonly x: number; readonly y: number }

function line(from: Point, to: Point): Markup {
  return tag("line", { class: "path", x1: from.x, y1: from.y, x2: to.x, y2: to.y })
}

/** Frames get there, but not back. */
function arrow(from: Point, to: Point): Markup {
  const length = Math.hypot(to.x - from.x, to.y - from.y)
  const share = (length - CIRCLE.dot - 4) / length
  const end = { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share }
  const places = { x1: from.x, y1: from.y, x2: end.x, y2: end.y }
  return tag("line", { class: "path one-way", ...places, "marker-end": "url(#arrow)" })
}

function cross({ x: left, y: top }: Point): Markup {
  const size = CIRCLE.dot
  const path = `M${short(left - size)} ${short(top - size)}l${2 * size} ${2 * size}m0 ${-2 * size}`
  return tag("path", { class: "cross", d: `${path}l${-2 * size} ${2 * size}` })
}

/** A box per side, a dot per node. */
function boxes(state: Reachability, names: readonly string[]): Markup {
  const sides = new Map<number | undefined, number[]>()
  for (const [node, side] of state.sides.entries()) {
    sides.set(side, [...(sides.get(side) ?? []), node])
  }
  const isSplit = [...sides.keys()].some((side) => side !== undefined && side > 0)
  let top = 2
  const parts = [...sides]
    .toSorted(([left], [right]) => (left ?? 99) - (right ?? 99))
    .flatMap(([side, nodes]) => {
      const rows = Math.ceil(nodes.length / COLUMNS)
      const height = rows * 22 + 4
      const look = lookOf(side, isSplit)
      const letter = side === undefined ? "down" : isSplit ? sideLetter(side) : ""
      const box = tag("rect", { class: "box", x: 16, y: top, width: 130, height, rx: 4 })
      const title = tag(
        "text",
        { class: "boxed", x: 8, y: top + height / 2 + 4 },
        text(letter.slice(0, 1)),
      )
      const dots = nodes.flatMap((node, index) => {
        const at = {
          x: 30 + 25.5 * (index % COLUMNS),
          y: top + 13 + 22 * Math.floor(index / COLUMNS),
        }
        const dot = { class: look, x: at.x - 11, y: at.y - 9, width: 22, height: 18, rx: 9 }
        const name = tag("text", { class: "dot", x: at.x, y: at.y + 4 }, text(names[node] ?? ""))
        return [tag("rect", dot), name]
      })
      top += height + 5
      return [box, title, ...dots]
    })
  const label = { viewBox: `0 0 150 ${Math.max(140, top)}`, role: "img" }
  return tag("svg", { ...label, "aria-label": inWords(state, names) }, ...parts)
}

function inWords(state: Reachability, names: readonly string[]): string {
  const sides = new Map<string, string[]>()
  for (const [node, side] of state.sides.entries()) {
    const word = side === undefined ? "down" : `side ${sideLetter(side)}`
    sides.set(word, [...(sides.get(word) ?? []), names[node] ?? ""])
  }
  return [...sides].map(([word, nodes]) => `${word}: ${nodes.join(" ")}`).join("; ")
}
