/** The HTTP face of a node: health, metrics, status, documents; for admins, backups and members. */
import type { HttpBindings } from "@hono/node-server"
import { Hono } from "hono"
import type { Context } from "hono"
import { bodyLimit } from "hono/body-limit"
import type { NodeStatus } from "@causeway/crdt/node"
import { linkVersions, nativeVersions } from "@causeway/crdt/protocol"
import type { Metrics } from "../observe/metrics.ts"
import type { KeptReport } from "../observe/partition-log.ts"
import type { RunningStatus } from "../observe/renewal.ts"
import { endpointOf } from "../transport/endpoint.ts"
import { version } from "../version.ts"
import type { TokenChecks } from "../auth/authenticate.ts"
import { readerIn, requireAdmin, requireReader } from "./doors.ts"
import type { Backups } from "./backup.ts"
import { Documents, failure } from "./documents.ts"
import type { Ask } from "./documents.ts"
import { membersLimits, retire } from "./members.ts"

export type AppOptions = {
  readonly status: () => RunningStatus
  readonly isStopping: () => boolean
  readonly adminToken?: string | undefined
  /** Undefined: documents are read by everybody. */
  readonly tokens?: TokenChecks | undefined
  readonly metrics: Metrics
  readonly ask: Ask
  readonly partitions: () => readonly KeptReport[]
  readonly backups: Backups
}

type App = Hono<{ Bindings: HttpBindings }>

const documentsPath = "/v1/documents/"

export function createApp(options: AppOptions): App {
  const { status, isStopping, metrics, ask, partitions } = options
  const app: App = new Hono()
  const documents = new Documents(ask)
  app.get("/healthz", (context) => context.text("ok\n"))
  app.get("/readyz", (context) => {
    const reason = unreadyReason(status(), isStopping())
    return reason === undefined ? context.text("ready\n") : context.text(`${reason}\n`, 503)
  })
  app.get("/metrics", async (context) => {
    const text = await metrics.text()
    return context.body(text, 200, { "content-type": metrics.contentType })
  })
  app.get("/v1/status", async (context) => {
    const found = await readerIn(context, options.tokens, options.adminToken)
    const now = found === "reader" ? status() : unnamed(status())
    const protocols = { native: nativeVersions, link: linkVersions }
    return context.json({ ...now, version, protocols, uptimeSeconds: process.uptime() })
  })
  const reader = requireReader(options.tokens, options.adminToken)
  app.get("/v1/partitions", reader, (context) => {
    const { node, partition } = status()
    return context.json({ node, now: partition ?? null, reports: partitions() })
  })
  app.get("/v1/backup", requireAdmin(options.adminToken), async (context) => {
    const started = await options.backups.start()
    if (!(started instanceof ReadableStream)) return context.json(started.body, started.status)
    return context.body(started, 200, { "content-type": "application/octet-stream" })
  })
  const { bodyBytesMax } = membersLimits
  const tooLarge = (context: Context) =>
    context.json(failure(413, "too-large", `a request has ${bodyBytesMax} bytes`).body, 413)
  const bounded = bodyLimit({ maxSize: bodyBytesMax, onError: tooLarge })
  app.post("/v1/members/retire", requireAdmin(options.adminToken), bounded, async (context) => {
    const { body, status: code } = await retire(ask, await context.req.text())
    return context.json(body, code)
  })
  const nameIn = ({ env }: Context<{ Bindings: HttpBindings }>): string => {
    const path = (env.incoming.url ?? "").split("?", 1)[0] ?? ""
    return path.slice(documentsPath.length)
  }
  const admin = requireAdmin(options.adminToken)
  app.delete(`${documentsPath}*`, admin, async (context) => {
    const { body, status: code } = await documents.change("delete-document", nameIn(context))
    return context.json(body, code)
  })
  app.put(`${documentsPath}*`, admin, async (context) => {
    const { body, status: code } = await documents.change("create-document", nameIn(context))
    return context.json(body, code)
  })
  app.get(`${documentsPath}*`, reader, async (context) => {
    const sent = new Promise((resolve) => context.env.outgoing.once("close", resolve))
    const answer = await documents.get(nameIn(context), sent)
    return context.json(answer.body, answer.status)
  })
  app.notFound((context) => {
    if (endpointOf(context.env.incoming.url ?? "") !== undefined) {
      const body = { error: { code: "upgrade-required", message: "this is a WebSocket endpoint" } }
      return context.json(body, 426, { upgrade: "websocket" })
    }
    return context.json(failure(404, "not-found", "no such path").body, 404)
  })
  return app
}

/** For who may not know which documents there are; how many of them differ is no secret. */
function unnamed(status: RunningStatus): object {
  const { divergences } = status
  const listed = divergences.listed.map((one) => ({ ...one, document: undefined }))
  return { ...status, divergences: { ...divergences, listed } }
}

function unreadyReason({ ready, store }: NodeStatus, stopping: boolean): string | undefined {
  if (stopping) return "the node is stopping"
  if (store === "failing") return "the store is failing: writes are refused, reads go on"
  return ready ? undefined : "the node is starting"
}
