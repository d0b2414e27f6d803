/**
 * How a new node gets everything: one node is full, another one begins empty beside it and is
 * killed five times on its way. Time is while it ran, memory the most it ever had.
 */
import { randomBytes } from "node:crypto"
import { setTimeout as delay } from "node:timers/promises"
import { join as pathOf } from "node:path"
import { mkdir } from "node:fs/promises"
import * as Y from "yjs"
import { filledRoom } from "../load/fill.ts"
import { NativeClient } from "../load/native-client.ts"
import { textName, writerOf } from "../load/recording.ts"
import { cpuSecondsOf, residentPeakMbOf } from "../measure/process-usage.ts"
import { serverSpec } from "../servers/catalog.ts"
import type { ServerSpec } from "../servers/catalog.ts"
import { startServer } from "../servers/server-process.ts"
import type { RunningServer } from "../servers/server-process.ts"
import type { Measurement } from "../measure/rounds.ts"
import type { ReplicationScale } from "./scale.ts"

const kills = 5
const documentBytes = 10_000
/** Documents that are open at once on the connection that fills. */
const batch = 200
const pollMs = 50
const joinMsMax = 1_800_000

export const join: Measurement<ReplicationScale> = {
  name: "join",
  title: `A new node gets texts of ${documentBytes / 1000} kB, killed ${kills} times on its way`,
  columns: [
    { key: "documents", heading: "documents" },
    { key: "seconds", heading: "s" },
    { key: "megabytesPerSecond", heading: "MB/s" },
    { key: "cpuPercent", heading: "CPU %" },
    { key: "peakMb", heading: "peak RSS MB (goal 300)" },
    { key: "againPercent", heading: "begun anew %" },
  ],
  run: async ({ folder, scale }) => {
    const { joinDocuments } = scale
    const source = await startNode(folder, "source", [])
    let joiner: RunningServer | undefined
    try {
      await fill(new URL("/sync", source.baseUrl).href, joinDocuments)
      const total = await entriesOf(source)
      const peer = new URL("/", source.baseUrl).href
      let [seconds, cpuSeconds, peakMb, again, reached] = [0, 0, 0, 0, 0]
      for (let life = 0; life <= kills; life += 1) {
        joiner = await startNode(folder, "joiner", [peer])
        const startMs = performance.now()
        const held = await entriesOf(joiner)
        again += Math.max(0, reached - held)
        const target = life === kills ? total : (total * (life + 1)) / (kills + 1)
        reached = await untilHeld(joiner, target)
        seconds += (performance.now() - startMs) / 1000
        cpuSeconds += cpuSecondsOf(joiner.pid)
        peakMb = Math.max(peakMb, residentPeakMbOf(joiner.pid))
        await joiner.kill()
      }
      const megabytesPerSecond = (joinDocuments * documentBytes) / 1e6 / seconds
      const cpuPercent = (cpuSeconds / seconds) * 100
      const againPercent = (again / total) * 100
      const values = {
        documents: joinDocuments,
        seconds,
        megabytesPerSecond,
        cpuPercent,
        peakMb,
        againPercent,
      }
      return { values, failures: [] }
    } finally {
      await joiner?.kill()
      await source.kill()
    }
  },
}

async function startNode(
  folder: string,
  name: string,
  peers: readonly string[],
): Promise<RunningServer> {
  const spec = serverSpec("causeway")
  const more = peers.flatMap((url) => ["--peer", url])
  const launch: ServerSpec["launch"] = (port, data) => [
    ...spec.launch(port, data).map((arg) => (arg === "bench" ? name : arg)),
    ...more,
    "--log-level",
    "error",
  ]
  const data = pathOf(folder, name)
  await mkdir(data, { recursive: true })
  return startServer({ ...spec, launch }, data)
}

/** @throws Error if it takes longer than `joinMsMax`, or the node ends. */
async function untilHeld(node: RunningServer, target: number): Promise<number> {
  const endMs = performance.now() + joinMsMax
  for (;;) {
    const held = await entriesOf(node)
    if (held >= target) return held
    const failure = node.failure()
    if (failure !== undefined) throw new Error(failure)
    if (performance.now() > endMs) throw new Error(`${held} of ${target} in ${joinMsMax} ms`)
    await delay(pollMs)
  }
}

/** Entries of documents: a node that joins logs one of its own. */
async function entriesOf({ baseUrl }: RunningServer): Promise<number> {
  const url = new URL("/v1/status", baseUrl.replace("ws:", "http:"))
  const status: unknown = await (await fetch(url)).json()
  const isStatus = typeof status === "object" && status !== null && "vector" in status
  if (!isStatus || typeof status.vector !== "object" || status.vector === null) {
    throw new Error("/v1/status does not look as expected")
  }
  const heads = Object.entries(status.vector).filter(([origin]) => origin.startsWith("source@"))
  return heads.reduce((sum, [, seq]) => sum + Number(seq), 0)
}

async function fill(url: string, documents: number): Promise<void> {
  const client = await NativeClient.connect(url)
  try {
    for (let first = 0; first < documents; first += batch) {
      const end = Math.min(first + batch, documents)
      for (let number = first; number < end; number += 1) {
        client.open(number, filledRoom(number))
        client.send(number, bigUpdate(number))
      }
      await client.acked()
      for (let number = first; number < end; number += 1) client.closeDocument(number)
    }
  } finally {
    client.close()
  }
}

/** Text that compresses badly. */
function bigUpdate(number: number): Uint8Array {
  const document = new Y.Doc()
  document.clientID = writerOf(number)
  const characters = randomBytes(documentBytes).toString("base64").slice(0, documentBytes)
  document.getText(textName).insert(0, characters)
  const update = Y.encodeStateAsUpdate(document)
  document.destroy()
  return update
}
