/**
 * What a scenario is: a question put to one server at a time, in rounds. Each round starts the
 * server anew on an empty folder (unless the scenario is about what was stored before), so rounds
 * of different servers can be interleaved and none inherits another's state.
 */
import { mkdtemp } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { runJob } from "../load/load-process.ts"
import type { Job, JobResult, Target } from "../load/job.ts"
import type { Measures } from "../measure/measures.ts"
import type { TableName } from "../report/columns.ts"
import type { ServerSpec } from "../servers/catalog.ts"
import { startServer } from "../servers/server-process.ts"
import type { RunningServer } from "../servers/server-process.ts"

/** How big and how long: the full size, or a small one to see that everything works. */
export type Scale = {
  readonly seconds: number
  readonly warmupSeconds: number
  readonly deferredSeconds: number
  readonly settleSeconds: number
  readonly idleDocuments: number
  readonly ackWrites: number
  readonly storedDocuments: number
  readonly kills: number
}

export type RunContext = {
  readonly server: ServerSpec
  readonly scale: Scale
  /** Everything a server stores lies below this folder, which is removed at the end. */
  readonly root: string
  readonly progress: (text: string) => void
}

export type RunOutcome = {
  readonly measures: Measures
  readonly failures: readonly string[]
}

export type Scenario = {
  readonly name: string
  readonly title: string
  /** The table its results stand in. */
  readonly table: TableName
  /** Whether the question makes sense for this server. */
  readonly suits: (server: ServerSpec) => boolean
  /** Rounds, where the scenario repeats itself within one run. */
  readonly roundsMax?: number
  readonly run: (context: RunContext) => Promise<RunOutcome>
}

/** Between a server's ready line and the first load: start-up work is not part of any scenario. */
const restMs = 300

/** A new empty data folder. */
export function newFolder(context: RunContext): Promise<string> {
  return mkdtemp(join(context.root, `${context.server.name}-`))
}

/** How the load process reaches `server`. */
export function targetOf(server: RunningServer): Target {
  return { baseUrl: server.baseUrl, wire: server.spec.wire, pid: server.pid }
}

/** Where `server` speaks its native protocol, if it has one. */
export function nativeUrlOf({ baseUrl, spec }: RunningServer): string | undefined {
  return spec.nativePath === undefined ? undefined : new URL(spec.nativePath, baseUrl).href
}

/** Runs `use` against a fresh server over `folder` and stops it; its own end is a failure. */
export async function withServer<Result>(
  context: RunContext,
  folder: string,
  use: (server: RunningServer) => Promise<Result>,
): Promise<Result> {
  const server = await startServer(context.server, folder)
  try {
    await delay(restMs)
    return await use(server)
  } catch (error) {
    throw server.failure() === undefined ? error : new Error(server.failure(), { cause: error })
  } finally {
    await server.stop()
  }
}

/** One job against one fresh, empty server. */
export async function runOnFreshServer(
  context: RunContext,
  jobFor: (target: Target) => Job,
): Promise<JobResult> {
  const folder = await newFolder(context)
  return withServer(context, folder, (server) => runJob(jobFor(targetOf(server))))
}
