/** Both ways, first on every link. Rule [L1]. */
import { DecodeError, limits, nodeOfOrigin, parseNodeId, Writer } from "../../base/index.ts"
import type { NodeId, OriginId, Reader } from "../../base/index.ts"
import { decodeOrigin } from "../../clock/index.ts"
import type { Head } from "../../log/index.ts"
import { linkTags } from "../tags.ts"
import { decodeVersions, encodeVersions } from "../version.ts"
import type { VersionRange } from "../version.ts"
import { decodeHeads, encodeHeads } from "./heads.ts"

export type LinkHello = {
  readonly type: "hello"
  readonly versions: VersionRange
  readonly cluster: string
  readonly node: NodeId
  /** An origin of `node`. */
  readonly origin: OriginId
  /** Entry bytes the sender of this hello is ready to have under way to it. */
  readonly windowBytes: number
  /** Everything the node durably holds. */
  readonly heads: ReadonlyMap<OriginId, Head>
}

export function encodeLinkHello(message: LinkHello): Uint8Array {
  const writer = new Writer(256).u8(linkTags.hello)
  encodeVersions(writer, message.versions)
  writer.string(message.cluster).string(message.node).string(message.origin)
  writer.varUint(message.windowBytes)
  encodeHeads(writer, message.heads)
  return writer.finish()
}

export function decodeLinkHello(reader: Reader): LinkHello {
  const versions = decodeVersions(reader)
  const cluster = reader.string(limits.textBytesMax)
  const node = parseNodeId(reader.string(limits.textBytesMax))
  if (node === undefined) throw new DecodeError("bad-value", reader.offset, "node")
  const origin = decodeOrigin(reader)
  if (nodeOfOrigin(origin) !== node) throw new DecodeError("bad-value", reader.offset, "origin")
  const windowBytes = reader.varUint()
  return { type: "hello", versions, cluster, node, origin, windowBytes, heads: decodeHeads(reader) }
}
