/** Who counts as a member by a log alone, as the rules [M1] and [M4] say it. */
import { nodeOfOrigin } from "@causeway/crdt/base"
import { decodeRecord } from "@causeway/crdt/log"
import type { SimNode } from "../sim-node.ts"

/** Whether `other` is no member as far as the log of `node` goes: retired, and not back since. */
export function isRetired(node: SimNode, other: SimNode): boolean {
  const log = node.disk.durable
  const retired = log.clusterRecords().flatMap(({ record }) => {
    const fields = decodeRecord(record)
    return fields.kind === "retire" ? fields.origins : []
  })
  if (!retired.some((origin) => nodeOfOrigin(origin) === other.node)) return false
  return log.heads().every(([origin, { seq }]) => {
    return seq === 0 || nodeOfOrigin(origin) !== other.node || retired.includes(origin)
  })
}
