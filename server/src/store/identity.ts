/**
 * Who a new store writes as: the node's name, or a minted one, and a fresh random epoch
 * (replication.md §1: an epoch is never reused, so neither is an (origin, seq)).
 */
import { randomBytes } from "node:crypto"
import { assert, originOf, parseNodeId } from "@causeway/crdt/base"
import type { NodeId, OriginId } from "@causeway/crdt/base"

export function mintNode(): NodeId {
  const node = parseNodeId(`node-${randomBytes(4).toString("hex")}`)
  assert(node !== undefined, "a minted node id is well-formed")
  return node
}

export function mintOrigin(node: NodeId): OriginId {
  const origin = originOf(node, randomBytes(8).toString("hex"))
  assert(origin !== undefined, "a minted origin is well-formed")
  return origin
}
