/**
 * What a cluster costs that has nothing to do: three nodes with the same documents and no clients;
 * CPU of each and bytes on the lines.
 */
import { setTimeout as delay } from "node:timers/promises"
import { filledRoom } from "../load/fill.ts"
import { NativeClient } from "../load/native-client.ts"
import { record } from "../load/recording.ts"
import { cpuSecondsOf, residentMbOf } from "../measure/process-usage.ts"
import type { Measurement } from "../measure/rounds.ts"
import type { ReplicationScale } from "./scale.ts"
import { Nodes } from "./nodes.ts"

const nodeCount = 3
/** Documents that are open at once on the connection that fills. */
const batch = 1000
const levelMsMax = 1_800_000
/** Digests of what was filled in are made once, in the background. */
const digestedMsMax = 7_200_000
const digestedLookMs = 1000
/** First collections of garbage and checkpoints are over. */
const settleMs = 5000

export const idle: Measurement<ReplicationScale> = {
  name: "idle",
  title: "3 nodes with equal documents, no clients, nothing to do",
  columns: [
    { key: "documents", heading: "documents" },
    { key: "digestedSeconds", heading: "digests made after s" },
    { key: "cpuPercent", heading: "CPU %/node (goal 1)" },
    { key: "bytesPerPeer", heading: "B/s per peer and direction" },
    { key: "residentMb", heading: "RSS MB" },
  ],
  run: async ({ folder, scale }) => {
    const { idleDocuments, idleSeconds } = scale
    const nodes = await Nodes.start(folder, nodeCount, 0)
    try {
      await fill(nodes.nativeUrlOf(0), idleDocuments)
      await nodes.until("all are level", () => nodes.areLevel(), levelMsMax)
      const digestedSeconds = await untilDigested(nodes)
      await delay(settleMs)
      const { lines } = nodes
      const linesBefore = (await lines?.cutAndCount()) ?? 0
      await lines?.heal()
      await nodes.until("all are linked", () => nodes.areLinked(), levelMsMax)
      const pids = Array.from({ length: nodeCount }, (_, node) => nodes.pidOf(node))
      const before = pids.map(cpuSecondsOf)
      const startMs = performance.now()
      await delay(idleSeconds * 1000)
      const seconds = (performance.now() - startMs) / 1000
      const cpu = pids.map((pid, node) => cpuSecondsOf(pid) - (before[node] ?? 0))
      // The greetings of the links are in it.
      const bytes = ((await lines?.cutAndCount()) ?? 0) - linesBefore
      const directions = nodeCount * (nodeCount - 1)
      const values = {
        documents: idleDocuments,
        digestedSeconds,
        cpuPercent: (Math.max(...cpu) / seconds) * 100,
        bytesPerPeer: bytes / seconds / directions,
        residentMb: Math.max(...pids.map(residentMbOf)),
      }
      return { values, failures: [] }
    } finally {
      await nodes.close()
    }
  },
}

/** Seconds it took. @throws Error if it takes too long */
async function untilDigested(nodes: Nodes): Promise<number> {
  const areDigested = async (): Promise<boolean> => {
    await delay(digestedLookMs)
    return nodes.areDigested()
  }
  return (await nodes.until("digests are made", areDigested, digestedMsMax)) / 1000
}

async function fill(url: string, documents: number): Promise<void> {
  const client = await NativeClient.connect(url)
  try {
    for (let first = 0; first < documents; first += batch) {
      const end = Math.min(first + batch, documents)
      for (let number = first; number < end; number += 1) {
        client.open(number, filledRoom(number))
        for (const update of record(number, 1).updates) client.send(number, update)
      }
      await client.acked()
      for (let number = first; number < end; number += 1) client.closeDocument(number)
    }
  } finally {
    client.close()
  }
}
