/** The story in one chart: how much is missing somewhere, and when it is all there. */
import type { Phase } from "../watcher.ts"
import type { TimelineData } from "../timeline.ts"
import { area, coarse, x } from "./chart.ts"
import type { Axis, Chart } from "./chart.ts"
import { tag, text } from "./markup.ts"
import type { Markup } from "./markup.ts"
import type { Reachability } from "./reach.ts"
import { stateRow } from "./states.ts"
import { duration, grouped, moment } from "./words.ts"

/** From the most words to the fewest: those that fit are shown. */
const phaseWords: Readonly<Record<Phase, readonly [string, ...string[]]>> = {
  safety: ["faults and writes", "faults"],
  core: ["some are well, the rest stays broken", "some are well", "core"],
  whole: ["all healed", "well"],
}

export function overviewChart(
  timeline: TimelineData,
  states: readonly Reachability[],
  axis: Axis,
): Chart {
  const missing = totalBehind(timeline)
  const { values: made, axis: madeAxis } = coarse(durable(timeline), axis)
  const most = Math.max(1, ...missing)
  const mostMade = Math.max(1, ...made)
  return {
    title: "How far the replicas are apart",
    legend: [
      { look: "behind", words: "entries that some node lacks, summed over the nodes" },
      { look: "made", words: "entries made durable, all nodes" },
    ],
    rows: [
      ...(states.length === 0 ? [] : [stateRow(states, axis)]),
      {
        label: "missing",
        hint: `≤ ${grouped(most)} entries`,
        height: 92,
        draw: (top) => [
          area(
            axis,
            missing,
            { top: top + 6, height: 84 },
            { look: "behind", unit: "entries missing, all nodes", max: most },
          ),
        ],
      },
      {
        label: "made durable",
        hint: `≤ ${grouped(mostMade)} per ${duration(madeAxis.bucketMs)}`,
        height: 38,
        draw: (top) => [
          area(
            madeAxis,
            made,
            { top: top + 5, height: 31 },
            { look: "made", unit: "entries made durable", max: mostMade },
          ),
        ],
      },
    ],
  }
}

/** Entries missing, summed over the nodes. */
export function totalBehind({ nodes }: TimelineData): number[] {
  return summed(nodes.map(({ behind }) => behind))
}

function durable({ nodes }: TimelineData): number[] {
  return summed(nodes.flatMap(({ own, adopted }) => [own, adopted]))
}

function summed(series: readonly (readonly number[])[]): number[] {
  const [first = []] = series
  return first.map((_, index) => series.reduce((sum, values) => sum + (values[index] ?? 0), 0))
}

/** The phases behind a chart's rows, with their names above it. */
export function phaseBands(timeline: TimelineData, axis: Axis) {
  return (top: number, bottom: number): Markup[] =>
    timeline.phases.flatMap(({ phase, fromMs }, index) => {
      const toMs = timeline.phases[index + 1]?.fromMs ?? axis.endMs
      const left = x(axis, fromMs)
      const width = x(axis, toMs) - left
      const band = { class: `phase ${phase}`, x: left, y: top - 29, width, height: 12 }
      const [words] = phaseWords[phase]
      const room = Math.floor(width / 6.4)
      const shown = phaseWords[phase].find((each) => each.length <= room) ?? ""
      const title = `${words}, from ${moment(fromMs, axis.endMs)} for ${duration(toMs - fromMs)}`
      return [
        tag("rect", band, tag("title", {}, text(title))),
        tag("rect", { ...band, class: `tint ${phase}`, y: top, height: bottom - top }),
        tag("text", { class: `phased ${phase}`, x: left + width / 2, y: top - 19.5 }, text(shown)),
      ]
    })
}
