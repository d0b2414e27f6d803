/** The page of a run: true to the run, whole, safe, self-contained and bounded. */
import { utf8Encode } from "@causeway/crdt/base"
import { beforeAll, describe, expect, test } from "vitest"
import { allInvariants } from "../invariants/index.ts"
import { sizeMax } from "../options.ts"
import type { SimOptions } from "../options.ts"
import { SimRandom } from "../random.ts"
import { runToEnd } from "../run.ts"
import type { RunReport } from "../run.ts"
import type { TimelineData } from "../timeline.ts"
import { BUCKETS_MAX } from "./grid.ts"
import { PAGE_BYTES_MAX, recordRun, renderPage } from "./index.ts"
import type { Page } from "./index.ts"
import { SPANS_MAX } from "./lane.ts"
import type { Span } from "./lane.ts"
import { PAIRED_NODES_MAX } from "./reach.ts"

const options: SimOptions = {
  seed: 41,
  nodes: 3,
  clients: 4,
  stockClients: 1,
  seconds: 20,
  writesPerSecond: 10,
  faults: ["halves:4", "crash:6", "slow-disk:6", "malformed:3", "client-move:4"],
}

let report: RunReport
let timeline: TimelineData

beforeAll(() => {
  ;({ report, timeline } = recordRun(options))
})

function page(change: Partial<Page> = {}): string {
  const replay = "npm run sim -- --seed 41"
  return renderPage({ report, timeline, replay, invariants: allInvariants, ...change })
}

describe("the recording", () => {
  test("changes nothing about the run", () => {
    expect(runToEnd(options).hash).toBe(report.hash)
  })

  test("counts what the run counts", () => {
    expect(report.failure).toBeUndefined()
    expect(sum(timeline.writes)).toBe(report.writes)
    expect(sum(timeline.nodes.flatMap(({ own }) => own))).toBe(report.entries)
    const everywhere = sum(timeline.nodes.flatMap(({ own, adopted }) => [...own, ...adopted]))
    expect(everywhere).toBe(report.entries * options.nodes)
    expect(sum(timeline.acks)).toBeGreaterThan(0)
    const fired = timeline.faults.map(({ name, begins }) => [name, count(begins)])
    expect(Object.fromEntries(fired)).toEqual(
      Object.fromEntries([...report.faults].filter(([, times]) => times > 0)),
    )
  })

  test("every node was behind at some time, and none is in the end", () => {
    for (const { behind } of timeline.nodes) {
      expect(Math.max(...behind)).toBeGreaterThan(0)
      expect(behind.at(-1)).toBe(0)
    }
    expect(timeline.pending.at(-1)).toBe(0)
    expect(timeline.connected.at(-1)).toBe(options.clients + options.stockClients)
  })

  test("nobody lacks what no disk holds any more", () => {
    const faults = ["wipe:5", "restored-database:6", "cloned-disk:6", "crash:4", "halves:5"]
    const hard = recordRun({ ...options, seed: 42, faults })
    expect(hard.report.failure).toBeUndefined()
    const marks = hard.timeline.nodes.flatMap((node) => node.marks.map(({ what }) => what))
    expect(marks).toContain("wiped")
    expect(hard.timeline.nodes.map(({ behind }) => behind.at(-1))).toEqual([0, 0, 0])
  })

  test("a split shows in the sides, in the paths and in the pictures", () => {
    const sides = timeline.nodes.flatMap(({ side }) => side)
    expect(sides.some(({ what }) => what === "alone")).toBe(true)
    expect(timeline.pairs).toHaveLength(3)
    expect(timeline.pairs.some(({ cut }) => cut.some(({ what }) => what === "both"))).toBe(true)
    expect(timeline.states.some(({ cuts }) => cuts.length > 0)).toBe(true)
    const processes = timeline.nodes.flatMap(({ process }) => process)
    expect(processes.some(({ what }) => what === "crashed")).toBe(true)
    expect(timeline.nodes.some(({ disk }) => disk.some(({ what }) => what === "slow"))).toBe(true)
  })
})

describe("the page", () => {
  test("is the same for the same seed", () => {
    const again = recordRun(options)
    expect(page(again)).toBe(page())
  })

  test("is well-formed and says how it went", () => {
    const html = page()
    expect(problemOf(html)).toBeUndefined()
    expect(html).toContain("<h1>All promises held</h1>")
    expect(html).toContain("npm run sim -- --seed 41")
    for (const { name } of report.profile.faults.map(({ fault }) => fault)) {
      expect(html).toContain(`>${name}<`)
    }
  })

  test("shows a violation with its promise, its moment and what led to it", () => {
    const failure = {
      invariant: "no-fork",
      message: "two of them",
      atMs: 7000,
      lastEvents: ["    6999.000 acked  n1", "    6999.000 send  n1", "    6999.500 send  n1"],
      stack: undefined,
    }
    const html = page({ report: { ...report, failure, convergedMs: undefined } })
    expect(problemOf(html)).toBeUndefined()
    expect(html).toContain("<h1>A promise was broken</h1>")
    expect(html).toContain(allInvariants.find(({ name }) => name === "no-fork")?.explain)
    expect(html).toContain("two of them")
    expect(html).toContain('class="violation"')
    expect(html).toContain("6999.000 acked  n1\n")
    expect(html).toContain("6999.000 send  n1  (2 times)\n")
  })

  test("needs nothing but itself", () => {
    const html = page()
    expect(html).not.toMatch(/https?:|\ssrc=|\shref=|@import|<link|<iframe/)
    expect([...html.matchAll(/url\((.)/g)].every(([, first]) => first === "#")).toBe(true)
  })

  test("takes no name for markup, whoever gave it", () => {
    const evil = `</script><img src=x onerror='alert("1")'>&\u0000\ud800`
    const named = <Named extends { readonly name: string }>(item: Named): Named => {
      return { ...item, name: evil }
    }
    const failure = { invariant: evil, message: evil, lastEvents: [evil], stack: evil, atMs: 1 }
    const profile = {
      ...report.profile,
      faults: report.profile.faults.map((drawn) => ({
        ...drawn,
        fault: { ...drawn.fault, name: evil, explain: evil },
      })),
    }
    const html = page({
      replay: evil,
      invariants: [{ name: evil, explain: evil }],
      report: { ...report, failure, profile, hash: evil },
      timeline: {
        ...timeline,
        nodes: timeline.nodes.map(named),
        writers: timeline.writers.map(named),
        faults: timeline.faults.map((fault) => ({ ...named(fault), begins: [spanOf(evil)] })),
        pairs: timeline.pairs.map((pair) => ({ ...pair, one: evil })),
      },
    })
    expect(problemOf(html)).toBeUndefined()
    expect(html).not.toContain("<img")
    expect(html.match(/<script/g)).toHaveLength(1)
    expect(html).not.toContain("\u0000")
    expect(html.isWellFormed()).toBe(true)
  })

  test.each([3, 25, sizeMax.nodes])("of %i nodes stays below its bound, however full", (nodes) => {
    const html = page({ timeline: fullTimeline(nodes) })
    expect(problemOf(html)).toBeUndefined()
    const bytes = utf8Encode(html).length
    expect(bytes).toBeLessThan(PAGE_BYTES_MAX)
    // The bound is one that a full page comes near to, not one it could never reach.
    expect(bytes).toBeGreaterThan(PAGE_BYTES_MAX / 3)
  })
})

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function count(spans: readonly Span[]): number {
  return sum(spans.map((span) => span.count))
}

function spanOf(what: string): Span {
  return { fromMs: 0, toMs: 9000, what, detail: what, count: 1 }
}

/** All that a `Timeline` may ever give, over an hour. */
function fullTimeline(nodeCount: number): TimelineData {
  const endMs = 3_600_000
  const random = new SimRandom(5)
  let fromMs = 0
  const lane = Array.from({ length: SPANS_MAX }, (_, index): Span => {
    const toMs = fromMs + random.exponential(endMs / SPANS_MAX / 3)
    const detail = "n1 n2 n3 n4 n5 n6 and 12 more | n7 n8 n9 n10 n11 n12"
    const span = { fromMs, toMs, what: String(index % 9), detail, count: 3 }
    fromMs = toMs + random.exponential(endMs / SPANS_MAX / 2)
    return span
  })
  const values = Array.from({ length: BUCKETS_MAX }, (_, index) => (index * 7919) % 100_003)
  const names = (letter: string, length: number): string[] =>
    Array.from({ length }, (_, index) => `${letter}${index + 1}`)
  const [first] = timeline.states
  const states = Array.from({ length: 24 }, (_, index) => ({
    fromMs: index * 1000,
    toMs: index * 1000 + 900,
    cuts: first?.cuts ?? [],
    down: [],
    sides: names("n", nodeCount).map((_name, node) => node % 7),
  }))
  const own = { own: values, adopted: values, behind: values }
  const lanes = { process: lane, side: lane, disk: lane, clock: lane, marks: lane }
  const isPaired = nodeCount <= PAIRED_NODES_MAX
  return {
    ...timeline,
    endMs,
    bucketMs: endMs / BUCKETS_MAX,
    states,
    nodes: names("n", nodeCount).map((name) => ({ name, ...lanes, ...own })),
    pairs: isPaired ? timeline.pairs.map((pair) => ({ ...pair, cut: lane })) : [],
    writers: names("c", 12).map((name) => {
      return { name, process: lane, home: lane, writes: values, acks: values, pending: values }
    }),
    faults: names("fault", 100).map((name) => ({ name, begins: lane, lasts: lane, ended: 1 })),
    writes: values,
    acks: values,
    connected: values,
    pending: values,
  }
}

const voids: ReadonlySet<string> = new Set(["meta", "br"])

/** What is wrong with the nesting or the quoting; undefined if nothing is. */
function problemOf(html: string): string | undefined {
  const body = html
    .replace("<!doctype html>", "")
    .replace(/<(style|script)>[^]*?<\/\1>/g, (_, name: string) => `<${name}></${name}>`)
  const open: string[] = []
  const rest = body.replace(
    /<(\/?)([a-z][\w-]*)((?: [\w:-]+="[^"<>]*")*)>/gi,
    (_, slash: string, name: string) => {
      if (slash === "" && !voids.has(name)) open.push(name)
      if (slash === "/" && open.pop() !== name) open.push(`unexpected end of ${name}`)
      return ""
    },
  )
  const stray = /[<>]|&(?!(?:amp|lt|gt|quot|#39);)/.exec(rest)
  if (stray !== null) return `stray ${rest.slice(stray.index, stray.index + 60)}`
  return open.length === 0 ? undefined : `not closed: ${open.join(" ")}`
}
