/**
 * Who a new store writes as: the node's name, or a minted one, and a fresh random epoch
 * (replication.md §1: an epoch is never reused, so neither is an (origin, seq)). Each opening asks
 * whether what the disk holds is what this node, and nobody else, wrote last (ADR 8). Rule [E2].
 */
import { randomBytes } from "node:crypto"
import { assert, originOf, parseNodeId } from "@causeway/crdt/base"
import type { NodeId, OriginId } from "@causeway/crdt/base"
import type { Head } from "@causeway/crdt/log"
import type { DoubtReason, ReopenDoubt } from "@causeway/crdt/ports"
import type { BootRecord } from "./boot-record.ts"
import { StoreOpenError } from "./errors.ts"

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

/** @throws StoreOpenError `other-node` if the folder belongs to another than the wanted node. */
export function checkNode(
  directory: string,
  stored: NodeId | undefined,
  wanted: NodeId | undefined,
): void {
  if (stored === undefined || wanted === undefined || stored === wanted) return
  throw new StoreOpenError(
    "other-node",
    `the data folder ${directory} belongs to node ${stored}, not ${wanted}; ` +
      "name that node, or choose another folder",
  )
}

/** What is doubtful about a log, if anything; `file`: the boot record beside the database. */
export function doubtOf(
  asked: ReopenDoubt | undefined,
  file: BootRecord | undefined,
  own: { readonly origin: OriginId; readonly head: Head },
  isTailSound: boolean,
): DoubtReason | undefined {
  if (file === undefined || own.origin !== file.origin) return "boot-record"
  if (own.head.seq < file.openedSeq || !isTailSound) return "tail"
  return asked?.why
}
