/**
 * Whom the sender knows to be reached where, so that a node that was told one address finds all
 * others; and which origins of the receiver's own node are retired, with what the sender holds of
 * them. Rules [L13] [L14].
 */
import { DecodeError, limits, parseNodeId, Writer } from "../../base/index.ts"
import type { NodeId, OriginId, Reader } from "../../base/index.ts"
import type { Head } from "../../log/index.ts"
import { linkTags } from "../tags.ts"
import { decodeHeads, encodeHeads } from "./heads.ts"

export type LinkMembers = {
  readonly type: "members"
  /** At most `membersMax`, in order of node ids. */
  readonly addresses: ReadonlyMap<NodeId, string>
  readonly retired: ReadonlyMap<OriginId, Head>
}

export function encodeLinkMembers(message: LinkMembers): Uint8Array {
  const writer = new Writer(256).u8(linkTags.members).varUint(message.addresses.size)
  const sorted = [...message.addresses].sort(([left], [right]) => (left < right ? -1 : 1))
  for (const [node, address] of sorted) writer.string(node).string(address)
  encodeHeads(writer, message.retired)
  return writer.finish()
}

export function decodeLinkMembers(reader: Reader): LinkMembers {
  const count = reader.count(limits.membersMax)
  const addresses = new Map<NodeId, string>()
  let previous = ""
  for (let index = 0; index < count; index++) {
    const node = parseNodeId(reader.string(limits.textBytesMax))
    if (node === undefined) throw new DecodeError("bad-value", reader.offset, "node")
    if (node <= previous) throw new DecodeError("bad-value", reader.offset, "node order")
    previous = node
    addresses.set(node, reader.string(limits.addressBytesMax))
  }
  return { type: "members", addresses, retired: decodeHeads(reader) }
}
