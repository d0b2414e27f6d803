/** Every kind of fault that fired, and when: bars where it lasted, ticks where it took no time. */
import type { TimelineData } from "../timeline.ts"
import { bars } from "./chart.ts"
import type { Axis, Chart } from "./chart.ts"
import type { FaultEvent } from "../faults/index.ts"
import type { Span } from "./lane.ts"
import { duration, moment } from "./words.ts"

export function faultChart(
  { faults }: TimelineData,
  schedule: readonly FaultEvent[],
  axis: Axis,
): Chart {
  const fired = faults.toSorted((left, right) => (left.name < right.name ? -1 : 1))
  return {
    title: "Faults",
    legend: [
      { look: "fault", words: "lasts (× 2: two at once)" },
      { look: "instant", words: "takes no time" },
    ],
    rows: fired.map(({ name, begins, lasts, ended }) => ({
      label: name,
      height: 17,
      fault: true,
      draw: (top) => {
        const place = { top: top + 3, height: 11 }
        if (ended === 0 && !isUnderWay(name, schedule, axis)) {
          return bars(axis, begins, place, (span) => ({
            look: "instant",
            title: words(name, span, `at ${moment(span.fromMs, axis.endMs)}`),
          }))
        }
        return bars(axis, lasts, place, (span) => {
          const lasted = duration(span.toMs - span.fromMs)
          const when = `at ${moment(span.fromMs, axis.endMs)} for ${lasted}`
          const many = span.what === "1" ? {} : { label: `×${span.what}` }
          const look = span.what === "1" ? "fault" : "fault twice"
          return { look, ...many, title: words(name, span, when) }
        })
      },
    })),
  }
}

/** No occurrence of it was to be over by the end: so it may be of a kind that has an end. */
function isUnderWay(name: string, schedule: readonly FaultEvent[], { endMs }: Axis): boolean {
  const own = schedule.filter(({ fault }) => fault === name)
  return own.length > 0 && own.every(({ atMs, lastsMs }) => atMs + lastsMs > endMs)
}

function words(name: string, { detail, count }: Span, when: string): string {
  const what = detail === "" ? name : `${name} (${detail})`
  return count > 1 ? `${what} and ${count - 1} more, ${when}` : `${what}, ${when}`
}
