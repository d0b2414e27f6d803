/**
 * Makes a recording small enough to draw: spans that would be a point or two apart become one,
 * more of them the more there are, and series get as few points as their number asks for. What
 * bounds the page's size.
 */
import type { Millis } from "@causeway/crdt/base"
import type { TimelineData } from "../timeline.ts"
import { joined } from "./grid.ts"
import { merged } from "./lane.ts"
import type { Span } from "./lane.ts"

/** Spans on a page. */
const PAGE_SPANS_MAX = 6000
/** Values of all series on a page. */
const PAGE_VALUES_MAX = 24_000
/** Spans closer than this are one from the start. */
const GAP_SHARE_MIN = 1 / 800

export type Fitted = {
  readonly timeline: TimelineData
  /** What is closer together was joined. */
  readonly gapMs: Millis
}

export function fit(timeline: TimelineData): Fitted {
  let gapMs = Math.max(1, timeline.endMs) * GAP_SHARE_MIN
  let fitted = withSpans(timeline, (spans) => merged(spans, gapMs))
  while (countSpans(fitted) > PAGE_SPANS_MAX) {
    gapMs *= 1.5
    fitted = withSpans(timeline, (spans) => merged(spans, gapMs))
  }
  return { timeline: withFewerValues(fitted), gapMs }
}

type Change = (spans: readonly Span[]) => readonly Span[]

function withSpans(timeline: TimelineData, change: Change): TimelineData {
  const { nodes, pairs, writers, faults } = timeline
  return {
    ...timeline,
    nodes: nodes.map((node) => ({
      ...node,
      process: change(node.process),
      side: change(node.side),
      disk: change(node.disk),
      clock: change(node.clock),
      marks: change(node.marks),
    })),
    pairs: pairs.map((pair) => ({ ...pair, cut: change(pair.cut) })),
    writers: writers.map((writer) => ({
      ...writer,
      process: change(writer.process),
      home: change(writer.home),
    })),
    faults: faults.map((fault) => ({
      ...fault,
      begins: change(fault.begins),
      lasts: change(fault.lasts),
    })),
  }
}

function countSpans(timeline: TimelineData): number {
  let count = 0
  withSpans(timeline, (spans) => {
    count += spans.length
    return spans
  })
  return count
}

function withFewerValues(timeline: TimelineData): TimelineData {
  const { nodes, writers, bucketMs, writes, acks, connected, pending } = timeline
  const series = 3 * nodes.length + 3 * writers.length + 4
  const factor = Math.max(1, Math.ceil((series * writes.length) / PAGE_VALUES_MAX))
  const sums = (values: readonly number[]): number[] => joined(values, factor, "sum")
  const levels = (values: readonly number[]): number[] => joined(values, factor, "level")
  return {
    ...timeline,
    bucketMs: bucketMs * factor,
    nodes: nodes.map((node) => ({
      ...node,
      own: sums(node.own),
      adopted: sums(node.adopted),
      behind: levels(node.behind),
    })),
    writers: writers.map((writer) => ({
      ...writer,
      writes: sums(writer.writes),
      acks: sums(writer.acks),
      pending: levels(writer.pending),
    })),
    writes: sums(writes),
    acks: sums(acks),
    connected: levels(connected),
    pending: levels(pending),
  }
}
