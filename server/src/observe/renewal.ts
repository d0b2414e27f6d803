/** What an operator is told when a store was opened in doubt: what was found, kept, lost, to do. */
import type { Millis, OriginId } from "@causeway/crdt/base"
import type { DoubtReason, Renewed } from "@causeway/crdt/ports"
import type { NodeStatus } from "@causeway/crdt/node"
import type { Log } from "./log.ts"

/** The last time this process opened its store in doubt. */
export type LastRenewal = Renewed & { readonly atMs: Millis; readonly origin: OriginId }

/** `renewed`: the last time its store was opened in doubt, since the process started. */
export type RunningStatus = NodeStatus & { readonly renewed: LastRenewal | undefined }

const found: Readonly<Record<DoubtReason, string>> = {
  "boot-record": "the database and its boot record do not belong together",
  tail: "the end of this node's own log is damaged or gone",
  overtaken: "peers hold other or later writes under this node's own name",
  fork: "this node and peers held different writes under one name of another node",
  retired: "peers retired this node under its name of until now",
  corrupt: "a record could not be read, so the whole log was looked through",
}

const advice: Readonly<Record<DoubtReason, string>> = {
  "boot-record":
    "if the data folder was put back, copied or edited on purpose, nothing; " +
    "otherwise find out who did",
  tail: "check the disk; what peers hold comes back by itself",
  overtaken:
    "if the data folder was put back from a backup, nothing; " +
    "otherwise make sure that no other process runs on a copy of it",
  fork:
    "nothing: all nodes settle on one branch, and what stood on the other is logged again; " +
    "whose data folder was put back or copied, the name of the origin says",
  retired: "nothing, if this node was meant to come back; otherwise stop it",
  corrupt: "check the disk; what peers hold comes back by itself",
}

export function logRenewal(log: Log, renewal: LastRenewal): void {
  if (renewal.cut !== undefined) {
    const { origin, keepSeq } = renewal.cut
    log.warn({ origin, seq: keepSeq + 1, loggedAgain: renewal.salvaged }, "fork-repaired")
  }
  const { why, before, origin, salvaged, lost, lostCount } = renewal
  const kept = `everything readable, ${salvaged} entries of it logged again as this node's own`
  const { lostDocuments, lostDocumentCount } = renewal
  const ofSnapshots = lostDocumentCount > 0 ? { lostDocuments, lostDocumentCount } : {}
  const facts = { why, before, origin, salvaged, lostCount, lost, ...ofSnapshots }
  const words = { found: found[why], kept, toDo: advice[why] }
  if (lostCount + lostDocumentCount > 0) log.error({ ...facts, ...words }, "log-renewed")
  else log.warn({ ...facts, ...words }, "log-renewed")
}
