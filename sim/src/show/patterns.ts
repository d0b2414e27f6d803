/**
 * Hatching, so that nothing is told by colour alone, and colours that people tell apart whatever
 * their eyes (Okabe and Ito 2008): each look has its own of both.
 */
import { tag } from "./markup.ts"
import type { Markup } from "./markup.ts"

function pattern(id: string, size: number, ...marks: readonly Markup[]): Markup {
  const ground = tag("rect", { class: "ground", width: size, height: size })
  const attributes = { id, width: size, height: size, patternUnits: "userSpaceOnUse" }
  return tag("pattern", attributes, ground, ...marks)
}

function stroke(d: string): Markup {
  return tag("path", { class: "hatch", d })
}

const dot = tag("circle", { class: "dots", cx: 2.5, cy: 2.5, r: 1.1 })

const arrow = tag(
  "marker",
  {
    id: "arrow",
    viewBox: "0 0 8 8",
    refX: 7,
    refY: 4,
    markerWidth: 7,
    markerHeight: 7,
    orient: "auto",
  },
  tag("path", { d: "M0 0l8 4l-8 4z", class: "tip" }),
)

export const patterns = tag(
  "svg",
  { class: "patterns", "aria-hidden": "true" },
  tag(
    "defs",
    {},
    arrow,
    pattern("p-side1", 7, stroke("M-1 8L8 -1M-1 1L1 -1M6 8L8 6")),
    pattern("p-side2", 5, dot),
    pattern("p-side3", 5, stroke("M2.5 0V5")),
    pattern("p-side-more", 6, stroke("M0 0L6 6M6 0L0 6")),
    pattern("p-alone", 9, stroke("M-1 -1L10 10M-1 8L1 10M8 -1L10 1")),
    pattern("p-limited", 5, stroke("M0 2.5H5")),
    pattern("p-stopped", 5, stroke("M-1 1L1 -1M0 5L5 0M4 6L6 4")),
    pattern("p-paused", 6, stroke("M2 0V6M4 0V6")),
    pattern("p-slow", 4, stroke("M0 2H4")),
    pattern("p-failing", 6, stroke("M0 0L6 6M6 0L0 6")),
    pattern("p-trouble", 5, dot),
    pattern("p-lost", 6, stroke("M0 0L6 6M6 0L0 6")),
    pattern("p-there", 7, stroke("M-1 8L8 -1M-1 1L1 -1M6 8L8 6")),
    pattern("p-fault2", 5, stroke("M2.5 0V5")),
  ),
)
