/** A split of real nodes, as operators see it: rules [P1] [P2] [P5]. */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parseNodeId } from "@causeway/crdt/base"
import type { PartitionReport } from "@causeway/crdt/node"
import { pino } from "pino"
import { afterEach, expect, test } from "vitest"
import * as Y from "yjs"
import type { RunningNode } from "./index.ts"
import { silentLog } from "./observe/log.ts"
import { PartitionLog, PARTITIONS_FILE, reportsMax } from "./observe/partition-log.ts"
import type { KeptReport } from "./observe/partition-log.ts"
import { Cleanup } from "./test/cleanup.ts"
import { NativeClient } from "./test/native-client.ts"
import { httpUrl, metric, startNode } from "./test/nodes.ts"
import { until } from "./test/wait.ts"

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

async function write(node: RunningNode, name: string, count: number): Promise<void> {
  const client = await NativeClient.open(node.url, "yjs", name, cleanup)
  const doc = new Y.Doc()
  let last = 0
  doc.on("update", (update: Uint8Array) => (last = client.update(update)))
  for (let index = 0; index < count; index++) doc.getMap("map").set(`${doc.clientID}`, index)
  await client.acked(last)
}

type Listed = { readonly now: { readonly away: string[] } | null; readonly reports: KeptReport[] }

async function listed(node: RunningNode): Promise<Listed> {
  // cast: the test's own node.
  return (await (await fetch(`${httpUrl(node)}/v1/partitions`)).json()) as Listed
}

test("[P5] a node that was away is reported, in the list, the log and the metrics", async () => {
  const directory = cleanup.folder()
  const lines: Record<string, unknown>[] = []
  const options = { node: parseNodeId("b"), store: { type: "memory" } } as const
  const b = await startNode(cleanup, options)
  const port = Number(new URL(b.url).port)
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) })
  const store = { type: "sqlite", directory } as const
  const a = await startNode(cleanup, { node: parseNodeId("a"), store, peers: [b.url], log })
  await until("linked", () => a.status().peers[0]?.state === "linked")
  expect(await listed(a)).toMatchObject({ node: "a", now: null, reports: [] })
  await b.close()
  await until("it is away", async () => (await listed(a)).now?.away[0] === "b")
  await write(a, "x", 3)
  await write(a, "y", 1)
  await until("it is noticed", () => lines.some(({ msg }) => msg === "partition-noticed"), 15_000)
  expect(await metric(a, "causeway_peers_away")).toBe(1)
  const since = await metric(a, `causeway_peer_since_seconds{peer="b"}`)
  expect(Math.abs(Date.now() / 1000 - (since ?? 0))).toBeLessThan(60)
  const again = await startNode(cleanup, { ...options, listen: { host: "127.0.0.1", port } })
  await until("the report", async () => (await listed(a)).reports.length === 1)
  const expected = {
    members: ["b"],
    here: { entries: 4, documents: 2 },
    there: { entries: 0, documents: 0 },
    isLowerBound: false,
  }
  expect((await listed(a)).reports[0]).toMatchObject({ node: "a", ...expected })
  expect(lines.find(({ msg }) => msg === "partition-healed")).toMatchObject(expected)
  expect(await metric(a, "causeway_partitions_total")).toBe(1)
  expect(await metric(a, "causeway_peers_away")).toBe(0)
  await again.close()
  await a.close()
  const restarted = await startNode(cleanup, { node: parseNodeId("a"), store })
  expect((await listed(restarted)).reports).toMatchObject([{ node: "a", ...expected }])
}, 60_000)

const report: PartitionReport = {
  sinceMs: 1,
  backMs: 2,
  allBackMs: 3,
  convergedMs: undefined,
  members: [],
  here: { entries: 0, documents: 0 },
  there: { entries: 0, documents: 0 },
  both: { documents: 0, named: [] },
  bytesIn: 0,
  bytesOut: 0,
  isLowerBound: false,
}

test("[P5] the newest reports are kept, whatever is in the file's place", async () => {
  const directory = cleanup.folder()
  const node = parseNodeId("a")
  if (node === undefined) throw new TypeError("a bad name")
  const kept = await PartitionLog.open(directory, silentLog)
  for (let sinceMs = 1; sinceMs <= reportsMax + 5; sinceMs++) {
    kept.add({ node, ...report, sinceMs })
    if (sinceMs === 3) await kept.close()
  }
  await kept.close()
  expect(kept.reports).toHaveLength(reportsMax)
  const again = await PartitionLog.open(directory, silentLog)
  expect(again.reports).toEqual(kept.reports)
  expect([again.reports[0]?.sinceMs, again.reports.at(-1)?.sinceMs]).toEqual([105, 6])
  const file = join(directory, PARTITIONS_FILE)
  const text = readFileSync(file, "utf8")
  for (const bad of ["", "null", "{}", '{"reports":7}', text.slice(0, 100)]) {
    writeFileSync(file, bad)
    expect((await PartitionLog.open(directory, silentLog)).reports).toEqual([])
  }
  writeFileSync(file, '{"reports":[null,{},7]}')
  const open = await PartitionLog.open(directory, silentLog)
  expect(open.reports).toEqual([])
  open.add({ node, ...report })
  await open.close()
  expect((await PartitionLog.open(directory, silentLog)).reports).toMatchObject([{ node: "a" }])
})
