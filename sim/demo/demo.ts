/**
 * The demo: two people's real typing goes through two of three real nodes while cables are cut
 * and a node is killed. In the end every node and every client, one that joins late included,
 * must show exactly the text the trace says. Everything it starts it also stops.
 */
import { SimRandom } from "../src/random.ts"
import { Cluster } from "./cluster.ts"
import { replayLocally } from "./editor.ts"
import { Faults } from "./faults.ts"
import type { FaultCounts } from "./faults.ts"
import { Replay } from "./replay.ts"
import { nodeNames, planFaults } from "./schedule.ts"
import { entriesIn, statusOf, textOf } from "./status.ts"
import { StockClient } from "./stock-client.ts"
import { loadTrace } from "./trace.ts"
import type { Trace } from "./trace.ts"
import { pause } from "./wait.ts"

export type DemoOptions = {
  readonly seed: number
  /** Undefined: the whole trace. */
  readonly transactions: number | undefined
  readonly timeoutMs: number
  readonly keepData: boolean
}

/** Where the demo tells how it goes. */
export interface Audience {
  /** Several times a second. */
  onProgress(written: number, total: number, picture: string): void
  onEvent(text: string): void
  /** The cluster is up: from here on there is something to end. */
  onStarted(cluster: Cluster): void
}

type NodeResult = {
  readonly name: string
  /** Accepted here, of its present origin. */
  readonly ownEntries: number
  readonly entries: number
  readonly text: string
}

type ClientResult = { readonly name: string; readonly text: string }

export type DemoResult = {
  readonly transactions: number
  readonly expected: string
  readonly nodes: readonly NodeResult[]
  readonly clients: readonly ClientResult[]
  readonly faults: FaultCounts
  readonly linkBytes: number
  readonly replayMs: number
}

const room = "friendsforever"
const progressMs = 100
/** For the writers to move on, and for one heal, before it counts as broken. */
const patienceMs = 60_000

/** @throws Error if nothing moves any more, a node ends by itself or the signal fires */
export async function runDemo(
  options: DemoOptions,
  audience: Audience,
  stop: AbortSignal,
): Promise<DemoResult> {
  const trace = loadTrace()
  const transactions = trace.transactions.slice(0, options.transactions)
  const isWhole = transactions.length === trace.transactions.length
  const expected = isWhole ? trace.endContent : replayLocally({ ...trace, transactions })
  const cluster = await Cluster.start(nodeNames)
  const signal = AbortSignal.any([stop, AbortSignal.timeout(options.timeoutMs)])
  try {
    audience.onStarted(cluster)
    const played = { ...trace, transactions }
    return { expected, ...(await play(cluster, played, options.seed, audience, signal)) }
  } finally {
    await cluster.close({ keepData: options.keepData })
  }
}

async function play(
  cluster: Cluster,
  trace: Trace,
  seed: number,
  audience: Audience,
  stop: AbortSignal,
): Promise<Omit<DemoResult, "expected">> {
  const failure = new AbortController()
  const signal = AbortSignal.any([stop, failure.signal])
  const clients = [stockClientOn(cluster, "a"), stockClientOn(cluster, "b")] as const
  const replay = new Replay(trace, [clients[0].doc, clients[1].doc])
  const tell = (event: string) => audience.onEvent(event)
  const steps = planFaults(new SimRandom(seed).split("faults"))
  const faults = new Faults({ cluster, replay, steps, patienceMs, signal, tell })
  const ticker = setInterval(() => {
    audience.onProgress(replay.written, replay.total, cluster.picture)
    const crashed = cluster.nodes.find((node) => node.hasCrashed)
    if (crashed === undefined) return
    failure.abort(new Error(`${crashed.name} ended by itself: ${crashed.lastWords()}`))
  }, progressMs)
  let late: StockClient | undefined
  try {
    await Promise.all(clients.map((client) => client.synced({ signal })))
    const start = performance.now()
    await faults.run()
    await replay.reaches(replay.total, patienceMs, signal)
    const replayMs = performance.now() - start
    await cluster.level({ timeoutMs: patienceMs, signal })
    late = stockClientOn(cluster, "c")
    await late.synced({ signal })
    const shown = { "writer on A": clients[0], "writer on B": clients[1], "late, on C": late }
    const ends = await endState(cluster, shown, signal)
    audience.onProgress(replay.written, replay.total, cluster.picture)
    const { counts } = faults
    const { linkBytes } = cluster
    return { transactions: replay.total, ...ends, faults: counts, linkBytes, replayMs }
  } finally {
    clearInterval(ticker)
    replay.stop()
    for (const client of [...clients, late]) client?.destroy()
  }
}

function stockClientOn(cluster: Cluster, name: string): StockClient {
  return new StockClient(cluster.node(name).url, room)
}

/** Texts as they are once nothing has arrived anywhere for a while. */
async function endState(
  cluster: Cluster,
  clients: Readonly<Record<string, StockClient>>,
  signal: AbortSignal,
): Promise<Pick<DemoResult, "nodes" | "clients">> {
  await quiet(Object.values(clients), signal)
  const nodes = await Promise.all(
    cluster.nodes.map(async (node) => {
      const { origin, vector } = await statusOf(node)
      const [ownEntries, entries] = [vector.get(origin) ?? 0, entriesIn(vector)]
      return { name: node.name, ownEntries, entries, text: await textOf(node, room) }
    }),
  )
  const shown = Object.entries(clients).map(([name, { text }]) => ({ name, text: text.toString() }))
  return { nodes, clients: shown }
}

const quietMs = 250
const quietMsMax = 10_000

/** No update at any client for `quietMs`: nothing is under way to them any more. */
async function quiet(clients: readonly StockClient[], signal: AbortSignal): Promise<void> {
  let lastMs = performance.now()
  const onUpdate = () => (lastMs = performance.now())
  for (const { doc } of clients) doc.on("update", onUpdate)
  const end = lastMs + quietMsMax
  while (performance.now() < Math.min(end, lastMs + quietMs)) await pause(20, signal)
  for (const { doc } of clients) doc.off("update", onUpdate)
}
