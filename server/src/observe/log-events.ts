/** Which events are worth a line, at which level. What clients do is `debug`: they are many. */
import type { NodeEvent } from "@causeway/crdt/node"
import type { Log } from "./log.ts"

const warnings: ReadonlySet<NodeEvent["type"]> = new Set([
  "store-failed",
  "read-failed",
  "updates-unreadable",
  "link-refused",
  "store-in-doubt",
  "partition-noticed",
  "transfer-stopped",
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
])
/** Too many for any log: metrics count them. */
const silent: ReadonlySet<NodeEvent["type"]> = new Set(["committed", "delivered"])

export function logEvent(log: Log, event: NodeEvent): void {
  if (silent.has(event.type)) return
  const { type, ...fields } = event
  if (type === "fork-detected") log.error(fields, type)
  else if (event.type === "partition-healed") log.info(event.report, type)
  else if (warnings.has(type)) log.warn(fields, type)
  else if (news.has(type)) log.info(fields, type)
  else log.debug(fields, type)
}
