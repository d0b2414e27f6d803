/**
 * Who could talk to whom, drawn: the states of the network that lasted longest, in order of time.
 * Few nodes stand in a circle with a line for each path; many stand in a box per side.
 */
import type { TimelineData } from "../timeline.ts"
import { x } from "./chart.ts"
import type { Axis, Row } from "./chart.ts"
import { short, tag, text, voidTag } from "./markup.ts"
import type { Markup } from "./markup.ts"
import { isSplit, weight } from "./reach.ts"
import type { Reachability, Side } from "./reach.ts"
import { counted, duration, moment, sideLetter, sideLook } from "./words.ts"

const STATES_SHOWN_MAX = 8
const CIRCLE_NODES_MAX = 9
const CIRCLE = { x: 75, y: 62, radius: 44, dot: 11 } as const
const COLUMNS = 5

/** The states that say most, in order of time. */
export function chosenStates({ states }: TimelineData): readonly Reachability[] {
  return states
    .toSorted((left, right) => weight(right) - weight(left))
    .slice(0, STATES_SHOWN_MAX)
    .sort((left, right) => left.fromMs - right.fromMs)
}

/** Where they are on the axis: a number each. */
export function stateRow(states: readonly Reachability[], axis: Axis): Row {
  return {
    label: "pictures",
    height: 21,
    draw: (top) =>
      states.flatMap(({ fromMs, toMs }, index) => {
        const left = x(axis, fromMs)
        const width = Math.max(2, x(axis, toMs) - left)
        const at = left + width / 2
        return [
          tag("rect", { class: "stated", x: left, y: top + 9, width, height: 4 }),
          tag("circle", { class: "number", cx: at, cy: top + 11, r: 8 }),
          tag("text", { class: "numbered", x: at, y: top + 14.7 }, text(index + 1)),
        ]
      }),
  }
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
    const number = tag("b", {}, text(index + 1))
    const caption = tag(
      "figcaption",
      {},
      number,
      text(` ${when}`),
      voidTag("br", {}),
      text(briefly(state)),
    )
    return tag("figure", {}, drawing, caption)
  })
  return tag("div", { class: "states" }, ...figures)
}

/** What kind of state it is. */
function briefly({ sides, cuts, down }: Reachability): string {
  if (cuts.length === 0) return `${counted(down.length, "node")} down`
  const up = sides.length - down.length
  if (!isSplit(sides)) return `no split, ${cuts.length} of ${up * (up - 1)} ways cut`
  const alone = sides.filter((side) => side === "alone").length
  const shared = new Set(sides.filter((side) => typeof side === "number")).size
  return `split into ${shared + alone}`
}

function lookOf(side: Side, split: boolean): string {
  if (side === undefined) return "down"
  if (side === "alone") return "alone"
  return split ? sideLook(side) : "up"
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
  const split = isSplit(state.sides)
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
    const look = lookOf(side, split)
    const name = tag("text", { class: "dot", x: place.x, y: place.y + 4 }, text(names[index] ?? ""))
    const dot = { class: look, cx: place.x, cy: place.y, r: CIRCLE.dot + 2 }
    return tag("g", {}, tag("circle", dot), name, ...(look === "down" ? [cross(place)] : []))
  })
  const label = { viewBox: "0 0 150 122", role: "img", "aria-label": inWords(state, names) }
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
  const path = `M${short(left + 7)} ${short(top - 15)}l8 8m0 -8l-8 8`
  return tag("path", { class: "cross", d: path })
}

/** A box per side, a pill per node. */
function boxes(state: Reachability, names: readonly string[]): Markup {
  const split = isSplit(state.sides)
  let top = 2
  const parts = grouped(state.sides).flatMap(([side, nodes]) => {
    const height = Math.ceil(nodes.length / COLUMNS) * 21 + 5
    const look = lookOf(side, split)
    const box = tag("rect", { class: "box", x: 16, y: top, width: 133, height, rx: 4 })
    const middle = top + height / 2
    const title = split || side === undefined ? boxTitle(side, middle) : text("")
    const pills = nodes.flatMap((node, index) => {
      const left = 18.5 + 26 * (index % COLUMNS)
      const y = top + 4 + 21 * Math.floor(index / COLUMNS)
      const place = { x: left, y, width: 24, height: 18, rx: 9 }
      const name = tag("text", { class: "dot", x: left + 12, y: y + 13 }, text(names[node] ?? ""))
      return [tag("rect", { class: look, ...place }), name]
    })
    top += height + 4
    return [box, title, ...pills]
  })
  const attributes = { viewBox: `0 0 150 ${Math.max(122, top)}`, class: "boxes", role: "img" }
  return tag("svg", { ...attributes, "aria-label": inWords(state, names) }, ...parts)
}

function boxTitle(side: Side, middle: number): Markup {
  if (typeof side === "number") {
    return tag("text", { class: "boxed", x: 7, y: middle + 4 }, text(sideLetter(side)))
  }
  const transform = `translate(11 ${short(middle)}) rotate(-90)`
  return tag("text", { class: "boxed sideways", transform }, text(side ?? "down"))
}

/** The nodes of each side, the biggest first, then those alone, then those that are down. */
function grouped(sides: readonly Side[]): readonly (readonly [Side, readonly number[]])[] {
  const groups = new Map<Side, number[]>()
  for (const [node, side] of sides.entries()) {
    groups.set(side, [...(groups.get(side) ?? []), node])
  }
  const rank = (side: Side): number => {
    if (side === undefined) return sides.length + 1
    return side === "alone" ? sides.length : side
  }
  return [...groups].sort(([left], [right]) => rank(left) - rank(right))
}

function inWords({ sides, cuts }: Reachability, names: readonly string[]): string {
  const words = grouped(sides).map(([side, nodes]) => {
    const list = nodes.map((node) => names[node] ?? "").join(" ")
    if (side === undefined) return `down: ${list}`
    return side === "alone" ? `alone: ${list}` : `side ${sideLetter(side)}: ${list}`
  })
  return `${words.join("; ")}; ${cuts.length} directions cut`
}
