/** Which events are worth a line, at which level. What clients do is `debug`: they are many. */
import type { AuthFailure, Distrust, NodeEvent } from "@causeway/crdt/node"
import type { Log } from "./log.ts"

const warnings: ReadonlySet<NodeEvent["type"]> = new Set([
  "store-failed",
  "read-failed",
  "updates-unreadable",
  "snapshot-unreadable",
  "store-in-doubt",
  "partition-noticed",
  "transfer-stopped",
  "transfer-unreadable",
  "divergence-found",
])
const news: ReadonlySet<NodeEvent["type"]> = new Set([
  "store-recovered",
  "link-up",
  "link-down",
  "healed",
  "transfer-begun",
  "transfer-done",
  "divergence-over",
  "document-deleted",
  "document-created",
])
/** Too many for any log: metrics count them. */
const silent: ReadonlySet<NodeEvent["type"]> = new Set(["committed", "delivered"])

const authAdvice: Readonly<Record<AuthFailure, string>> = {
  missing: "the peer has no secret: give it the cluster's with --secret-file",
  wrong: "the peer has another secret, or is not of this cluster",
  unexpected: "this node has no secret and the peer has one: start it with --secret-file",
}

const refusedAdvice: Readonly<Record<Distrust, string>> = {
  "link-not-authenticated": "give both the same secret with --secret-file",
  "cluster-mismatch": "give both the same --cluster",
  "link-version-mismatch": "update the older one",
  retired: "nothing, if this node was meant to come back; otherwise stop it",
}

const ofTwins =
  "stop all but one of the processes under this node id, or give each a data folder of its own; " +
  "what they wrote is kept"

export function logEvent(log: Log, event: NodeEvent): void {
  if (silent.has(event.type)) return
  const { type, ...fields } = event
  if (type === "fork-detected") log.error(fields, type)
  else if (type === "twin-detected") log.error({ ...fields, toDo: ofTwins }, type)
  else if (event.type === "partition-healed") log.info(event.report, type)
  else if (event.type === "link-not-authenticated") {
    const { peer, address, cause } = event
    if (event.isNews) log.warn({ peer, address, cause, toDo: authAdvice[cause] }, type)
  } else if (event.type === "link-refused") {
    const { reason, detail } = event
    if (event.isNews) log.warn({ reason, detail }, type)
  } else if (event.type === "refused-by-peer") {
    const { address, reason } = event
    if (event.isNews) log.warn({ address, reason, toDo: refusedAdvice[reason] }, type)
  } else if (warnings.has(type)) log.warn(fields, type)
  else if (news.has(type)) log.info(fields, type)
  else log.debug(fields, type)
}
