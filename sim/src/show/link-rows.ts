/** Paths between nodes, a row per pair: which directions were cut, and from when to when. */
import type { TimelineData } from "../timeline.ts"
import { bars } from "./chart.ts"
import type { Axis, Chart } from "./chart.ts"
import { duration, moment } from "./words.ts"

export function linkChart({ pairs }: TimelineData, axis: Axis): Chart {
  return {
    title: "Paths between nodes",
    legend: [
      { look: "cut", words: "cut both ways" },
      { look: "there", words: "cut one way: nothing gets from n1 to n2", letter: "no" },
    ],
    rows: pairs.map(({ one, other, cut }) => ({
      label: `${one} – ${other}`,
      height: 19,
      draw: (top) => {
        const place = { top: top + 3, height: 13 }
        return bars(axis, cut, place, (span) => {
          const when = `${moment(span.fromMs, axis.endMs)} for ${duration(span.toMs - span.fromMs)}`
          if (span.what === "both") return { look: "cut", title: `no path, at ${when}` }
          const [from, to] = span.what === "there" ? [one, other] : [other, one]
          const title = `nothing gets from ${from} to ${to}, at ${when}`
          return { look: "there", label: `no ${from}→${to}`, title }
        })
      },
    })),
  }
}
