/** Node → client: how far behind the node may be, sent after welcome and when it changes. [N12] */
import { DecodeError, limits, parseNodeId, Writer } from "../../base/index.ts"
import type { NodeId, Reader } from "../../base/index.ts"
import { nativeTags } from "../tags.ts"

export type PeerFreshness = {
  /** Of a peer that was never reached its address, with `-` for what a node's name can't have. */
  readonly node: NodeId
  readonly linked: boolean
  /** Entries the peer was known to have that this node lacks. */
  readonly behind: number
}

export type Freshness = { readonly type: "freshness"; readonly peers: readonly PeerFreshness[] }

export function encodeFreshness(message: Freshness): Uint8Array {
  const writer = new Writer().u8(nativeTags.freshness).varUint(message.peers.length)
  for (const peer of message.peers) {
    writer
      .string(peer.node)
      .u8(peer.linked ? 1 : 0)
      .varUint(peer.behind)
  }
  return writer.finish()
}

export function decodeFreshness(reader: Reader): Freshness {
  const peers = reader.list(limits.originsMax, () => {
    const node = parseNodeId(reader.string(limits.textBytesMax))
    if (node === undefined) throw new DecodeError("bad-value", reader.offset, "node")
    return { node, linked: reader.flag(), behind: reader.varUint() }
  })
  return { type: "freshness", peers }
}
