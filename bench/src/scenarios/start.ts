/**
 * Starting with 100,000 stored documents: time from spawning the process to its ready line, and
 * memory after it. The store is filled once per server and reused in every round.
 */
import { setTimeout as delay } from "node:timers/promises"
import { filledRoom } from "../load/fill.ts"
import { runJob } from "../load/load-process.ts"
import { residentMbOf } from "../measure/process-usage.ts"
import type { ServerName } from "../servers/catalog.ts"
import { startServer } from "../servers/server-process.ts"
import type { RunContext, RunOutcome, Scenario } from "./scenario.ts"
import { newFolder, targetOf } from "./scenario.ts"
import { fillerFor } from "./store-fillers.ts"

type Filled = { readonly folder: string; readonly outcome: RunOutcome }

const samples = 20
/** Memory is read when the first garbage collections after the start are over. */
const settleMs = 2000

/** A scenario with its own memory of which stores it has filled. */
export function createStartScenario(): Scenario {
  const filled = new Map<ServerName, Filled>()
  return {
    name: "start-100k",
    title: "start with 100,000 stored documents",
    table: "start",
    suits: (server) => server.keeps === "disk",
    run: async (context) => {
      const store = filled.get(context.server.name) ?? (await fill(context))
      filled.set(context.server.name, store)
      const started = await startOn(store.folder, context)
      return {
        measures: { ...store.outcome.measures, ...started.measures },
        failures: [...store.outcome.failures, ...started.failures],
      }
    },
  }
}

async function fill(context: RunContext): Promise<Filled> {
  const folder = await newFolder(context)
  context.progress(`filling ${context.scale.storedDocuments} documents`)
  return { folder, outcome: await fillerFor(context.server)(context, folder) }
}

async function startOn(folder: string, context: RunContext): Promise<RunOutcome> {
  const server = await startServer(context.server, folder)
  try {
    await delay(settleMs)
    const residentMb = residentMbOf(server.pid)
    const step = Math.max(1, Math.floor(context.scale.storedDocuments / samples))
    const rooms = Array.from({ length: samples }, (_, index) => filledRoom(index * step))
    const { failures, rooms: counts } = await runJob({
      kind: "inspect",
      target: targetOf(server),
      rooms,
    })
    const missing = (counts.stored ?? []).filter((count) => count !== 1).length
    return {
      measures: { readyMs: server.readyMs, residentMb },
      failures: missing === 0 ? failures : [...failures, `${missing} of ${samples} are not there`],
    }
  } finally {
    await server.stop()
  }
}
