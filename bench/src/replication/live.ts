/**
 * What live push costs: the same client updates to one node alone and to one of three linked ones;
 * server CPU per update of a node that takes it from a client, and of one that takes it from its
 * peer. No client reads, so that replication is all there is besides.
 */
import { setTimeout as delay } from "node:timers/promises"
import { pace } from "../load/pace.ts"
import { record } from "../load/recording.ts"
import { Session } from "../load/session.ts"
import { updateFrame, wires } from "../load/wire.ts"
import { runPooled } from "../load/pool.ts"
import { cpuSecondsOf } from "../measure/process-usage.ts"
import type { Measurement } from "../measure/rounds.ts"
import type { ReplicationScale } from "./scale.ts"
import { Nodes } from "./nodes.ts"

const documents = 300
const opensAtOnce = 50
const restMs = 1000
const levelMsMax = 30_000

export const live: Measurement<ReplicationScale> = {
  name: "live",
  title: "live push, 300 documents with one y-websocket writer each, no readers",
  columns: [
    { key: "perSecond", heading: "upd/s" },
    { key: "aloneMicros", heading: "client update, alone µs" },
    { key: "linkedMicros", heading: "client update, 2 peers µs" },
    { key: "replicatedMicros", heading: "replicated update µs" },
    { key: "ratio", heading: "replicated ÷ client, alone (goal 0.6)" },
    { key: "linkedRatio", heading: "replicated ÷ client, 2 peers" },
  ],
  run: async ({ folder, scale }) => {
    const alone = await measure(`${folder}/alone`, 1, scale)
    const linked = await measure(`${folder}/linked`, 3, scale)
    const [aloneMicros = 0] = alone
    const [linkedMicros = 0, ...others] = linked
    const replicatedMicros = others.reduce((sum, one) => sum + one, 0) / others.length
    const values = {
      perSecond: scale.updatesPerSecond,
      aloneMicros,
      linkedMicros,
      replicatedMicros,
      ratio: replicatedMicros / aloneMicros,
      linkedRatio: replicatedMicros / linkedMicros,
    }
    return { values, failures: [] }
  },
}

/** CPU microseconds per update of each node; clients write to the first. */
async function measure(folder: string, count: number, scale: ReplicationScale): Promise<number[]> {
  const { updatesPerSecond, liveSeconds } = scale
  const updates = updatesPerSecond * liveSeconds
  const nodes = await Nodes.start(folder, count, 0)
  const sessions = await openAll(nodes.urlOf(0))
  try {
    const each = Math.ceil(updates / documents)
    const frames = sessions.map((_, number) =>
      record(number, each).updates.map((update) => frameOf(number, update)),
    )
    await delay(restMs)
    const pids = Array.from({ length: count }, (_, node) => nodes.pidOf(node))
    const before = pids.map(cpuSecondsOf)
    const schedule = { startMs: performance.now(), count: updates, perSecond: updatesPerSecond }
    await pace(schedule, (index) => {
      const frame = frames[index % documents]?.[Math.floor(index / documents)]
      if (frame !== undefined) sessions[index % documents]?.send(frame)
    })
    const arrived = async (): Promise<boolean> => {
      const entries = await Promise.all(pids.map((_, node) => nodes.entriesOf(node)))
      return entries.every((entry) => entry >= updates)
    }
    await nodes.until("every update is everywhere", arrived, levelMsMax)
    return pids.map((pid, node) => ((cpuSecondsOf(pid) - (before[node] ?? 0)) * 1e6) / updates)
  } finally {
    for (const session of sessions) session.close()
    await nodes.close()
  }
}

const wire = wires["y-websocket"]

function frameOf(number: number, update: Uint8Array): Uint8Array {
  return updateFrame(wire, nameOf(number), update)
}

function nameOf(number: number): string {
  return `live-${number}`
}

function openAll(url: string): Promise<Session[]> {
  const numbers = Array.from({ length: documents }, (_, number) => number)
  return runPooled(numbers, opensAtOnce, (number) => {
    const room = nameOf(number)
    return Session.open({ url: `${url}yjs/${room}`, wire, room })
  })
}
