/** The clients: what they wrote, what was acked, what waits; with few of them, a row for each. */
import type { TimelineData } from "../timeline.ts"
import { area, bars, coarse } from "./chart.ts"
import type { Axis, Chart, Row } from "./chart.ts"
import { counted, duration, grouped, moment } from "./words.ts"

type Writer = TimelineData["writers"][number]

export function clientChart(timeline: TimelineData, axis: Axis): Chart {
  const rows = [
    workRow(timeline, axis),
    levelRow(
      "connected",
      timeline.connected,
      axis,
      `of ${timeline.writerCount}`,
      "clients connected",
    ),
    levelRow("not acked yet", timeline.pending, axis, "updates", "updates not acked yet"),
  ]
  const most = Math.max(0, ...timeline.writers.flatMap(({ pending }) => pending))
  return {
    title: "Clients",
    legend: [
      { look: "writes", words: "writes" },
      { look: "acks", words: "acks" },
      { look: "home", words: "connected to that node", letter: "n1" },
      { look: "crashed", words: "crashed" },
      { look: "lost", words: "crashed, storage lost" },
      { look: "pending", words: "updates not acked yet" },
    ],
    rows: [...rows, ...timeline.writers.map((writer) => writerRow(writer, axis, most))],
  }
}

/** Writes upwards, acks downwards. */
function workRow(timeline: TimelineData, fine: Axis): Row {
  const { values: writes, axis } = coarse(timeline.writes, fine)
  const { values: acks } = coarse(timeline.acks, fine)
  const max = Math.max(1, ...writes, ...acks)
  return {
    label: "writes, acks",
    hint: `≤ ${grouped(max)} per ${duration(axis.bucketMs)}`,
    height: 54,
    draw: (top) => [
      area(axis, writes, { top: top + 4, height: 22 }, { look: "writes", unit: "writes", max }),
      area(
        axis,
        acks,
        { top: top + 27, height: 22 },
        { look: "acks", unit: "acks", max, hangs: true },
      ),
    ],
  }
}

function levelRow(
  label: string,
  values: readonly number[],
  axis: Axis,
  words: string,
  unit: string,
): Row {
  const max = Math.max(1, ...values)
  const look = label === "connected" ? "connected" : "pending"
  return {
    label,
    hint: `≤ ${grouped(max)} ${words}`,
    height: 34,
    draw: (top) => [area(axis, values, { top: top + 4, height: 27 }, { look, unit, max })],
  }
}

function writerRow({ name, process, home, pending }: Writer, axis: Axis, most: number): Row {
  return {
    label: name,
    height: 23,
    draw: (top) => {
      const bar = { top: top + 3, height: 11 }
      const when = ({ fromMs, toMs }: { fromMs: number; toMs: number }): string =>
        `at ${moment(fromMs, axis.endMs)} for ${duration(toMs - fromMs)}`
      return [
        ...bars(axis, home, bar, (span) => {
          const many = span.count > 1 ? ` (of ${counted(span.count, "connection")})` : ""
          const title = `connected to ${span.what}${many}, ${when(span)}`
          return { look: "home", label: span.what, title }
        }),
        ...bars(axis, process, bar, (span) => {
          const words = span.what === "lost" ? "storage lost" : "crashed"
          return { look: span.what, label: words, title: `${words}, ${when(span)}` }
        }),
        area(
          axis,
          pending,
          { top: top + 15, height: 7 },
          { look: "pending", unit: "updates not acked yet", max: most },
        ),
      ]
    },
  }
}
