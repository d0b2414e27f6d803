/**
 * A split and its heal: one node is cut off from the two others, both sides take as many updates
 * to the same documents, then the lines come back. Measured from there: until all are linked,
 * until all hold the same, and the bytes on all lines against the bytes of what each node lacked.
 */
import { availableParallelism } from "node:os"
import { NativeClient } from "../load/native-client.ts"
import { cpuSecondsOf, cpuSecondsOfMachine } from "../measure/process-usage.ts"
import type { Measurement, Run } from "../measure/rounds.ts"
import type { ReplicationScale } from "./scale.ts"
import { Nodes } from "./nodes.ts"
import { write } from "./writing.ts"

/** Between the nodes, each way. */
const latencyMs = 20
const levelMsMax = 120_000
/** Updates under way to a node. */
const windowUpdates = 5000
/** So that the two sides are different writers. */
const otherSide = 1_000_000
const samples = 10

export const heal: Measurement<ReplicationScale> = {
  name: "heal",
  title: "heal after a split, 3 nodes, lines of 20 ms",
  columns: [
    { key: "updatesPerSide", heading: "updates/side" },
    { key: "linkedMs", heading: "linked ms" },
    { key: "convergedMs", heading: "converged ms" },
    { key: "cpuSeconds", heading: "CPU s of the busiest node" },
    { key: "othersPercent", heading: "CPU of others %" },
    { key: "missingMb", heading: "missing MB" },
    { key: "lineMb", heading: "on the lines MB" },
    { key: "bytesRatio", heading: "ratio (goal 1.1)" },
  ],
  run: async ({ folder, scale }): Promise<Run> => {
    const { documents, updatesPerSide } = scale
    const sides = [prepare(scale, 0), prepare(scale, otherSide)] as const
    const nodes = await Nodes.start(folder, 3, latencyMs)
    try {
      const { lines } = nodes
      if (lines === undefined) throw new Error("three nodes have lines")
      await lines.cut(0)
      await Promise.all([
        fill(nodes.nativeUrlOf(0), sides[0], updatesPerSide),
        fill(nodes.nativeUrlOf(1), sides[1], updatesPerSide),
      ])
      await nodes.until("the two are level", () => nodes.areLevel([1, 2]), levelMsMax)
      const before = await writtenBytes(nodes)
      const lineBefore = await lines.cutAndCount()
      await lines.heal([1, 2])
      await nodes.until("the two are linked", () => nodes.areLinked([1, 2]), levelMsMax)
      const usage = new Usage(nodes)
      const startMs = performance.now()
      await lines.heal()
      await nodes.until("all are linked", () => nodes.areLinked(), levelMsMax)
      const linkedMs = performance.now() - startMs
      await nodes.until("all are level", () => nodes.areLevel(), levelMsMax)
      const convergedMs = performance.now() - startMs
      const used = usage.since()
      const missing = (await writtenBytes(nodes)) - before
      const onLines = (await lines.cutAndCount()) - lineBefore
      return {
        values: {
          updatesPerSide,
          linkedMs,
          convergedMs,
          ...used,
          missingMb: missing / 1e6,
          lineMb: onLines / 1e6,
          bytesRatio: onLines / missing,
        },
        failures: [
          ...(await wrongCounts(nodes, 2 * updatesPerSide)),
          ...(await differing(nodes, documents)),
        ],
      }
    } finally {
      await nodes.close()
    }
  },
}

/** CPU of the nodes, and of whatever else runs on this machine: what the time is worth. */
class Usage {
  readonly #pids: readonly number[]
  readonly #startMs = performance.now()
  readonly #before: readonly number[]
  readonly #machineBefore = cpuSecondsOfMachine()

  constructor(nodes: Nodes) {
    this.#pids = Array.from({ length: nodes.count }, (_, node) => nodes.pidOf(node))
    this.#before = this.#pids.map(cpuSecondsOf)
  }

  since(): { readonly cpuSeconds: number; readonly othersPercent: number } {
    const used = this.#pids.map((pid, node) => cpuSecondsOf(pid) - (this.#before[node] ?? 0))
    const nodes = used.reduce((sum, seconds) => sum + seconds, 0)
    const machine = cpuSecondsOfMachine() - this.#machineBefore
    const there = ((performance.now() - this.#startMs) / 1000) * availableParallelism()
    return {
      cpuSeconds: Math.max(...used),
      othersPercent: (Math.max(0, machine - nodes) / there) * 100,
    }
  }
}

/** Records made durable, adopted ones too: what a heal adds is exactly what was missing. */
async function writtenBytes(nodes: Nodes): Promise<number> {
  let sum = 0
  for (let node = 0; node < nodes.count; node += 1) {
    sum += await nodes.metricOf(node, "causeway_log_written_bytes_total")
  }
  return sum
}

/** What `documents` writers send, made before anybody is connected: it takes seconds. */
function prepare({ documents, updatesPerSide }: ReplicationScale, first: number): Uint8Array[][] {
  const each = Math.ceil(updatesPerSide / documents)
  return Array.from({ length: documents }, (_, number) => write(first + number, each))
}

/** Every document in turn, so that the log has them mixed as real traffic does. */
async function fill(url: string, written: readonly Uint8Array[][], total: number): Promise<void> {
  const client = await NativeClient.connect(url)
  try {
    for (const number of written.keys()) client.open(number, nameOf(number))
    for (let sent = 0; sent < total; sent += 1) {
      const number = sent % written.length
      const update = written[number]?.[Math.floor(sent / written.length)]
      if (update !== undefined) client.send(number, update)
      const isLast = sent + 1 === total
      if (isLast || (sent + 1) % windowUpdates === 0) await client.acked()
    }
  } finally {
    client.close()
  }
}

function nameOf(number: number): string {
  return `split-${number}`
}

async function wrongCounts(nodes: Nodes, expected: number): Promise<string[]> {
  const failures: string[] = []
  for (let node = 0; node < nodes.count; node += 1) {
    const entries = await nodes.entriesOf(node)
    // Nodes may log entries of their own besides, such as that they are members.
    if (entries < expected) failures.push(`node ${node} has ${entries} entries of ${expected}`)
  }
  return failures
}

async function differing(nodes: Nodes, documents: number): Promise<string[]> {
  const failures: string[] = []
  const step = Math.max(1, Math.floor(documents / samples))
  for (let number = 0; number < documents; number += step) {
    const texts = new Set<string>()
    for (let node = 0; node < nodes.count; node += 1) {
      texts.add(await nodes.documentOf(node, nameOf(number)))
    }
    if (texts.size > 1) failures.push(`${nameOf(number)} differs between nodes`)
  }
  return failures
}
