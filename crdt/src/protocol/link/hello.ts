/**
 * Both ways, first on every link. It says who speaks and nothing of the data: that waits for the
 * proofs, which cover the bytes of both hellos. Its layout is the same for every version from 2 on,
 * as it is read before a version is agreed; one with no version in common is read no further than
 * that. Rules [L1] [F6].
 */
import { assert, DecodeError, limits, nodeOfOrigin, parseNodeId, Writer } from "../../base/index.ts"
import type { NodeId, OriginId, Reader } from "../../base/index.ts"
import { decodeOrigin } from "../../clock/index.ts"
import { linkTags } from "../tags.ts"
import { agreedVersion, decodeVersions, encodeVersions, linkVersions } from "../version.ts"
import type { VersionRange } from "../version.ts"

/** So many random bytes make every greeting one that never was. */
export const NONCE_BYTES = 16

export type LinkHello = {
  readonly type: "hello"
  readonly versions: VersionRange
  readonly cluster: string
  readonly node: NodeId
  /** An origin of `node`. */
  readonly origin: OriginId
  /** Entry bytes the sender of this hello is ready to have under way to it. */
  readonly windowBytes: number
  readonly nonce: Uint8Array
  /** Where peers may dial the sender; empty if it does not say. */
  readonly address: string
}

export function encodeLinkHello(message: LinkHello): Uint8Array {
  assert(message.nonce.length === NONCE_BYTES, "nonce length")
  const writer = new Writer(256).u8(linkTags.hello)
  encodeVersions(writer, message.versions)
  writer.string(message.cluster).string(message.node).string(message.origin)
  writer.varUint(message.windowBytes).raw(message.nonce).string(message.address)
  return writer.finish()
}

export function decodeLinkHello(reader: Reader): LinkHello {
  const versions = decodeVersions(reader)
  if (agreedVersion(linkVersions, versions) === undefined) {
    const range = `${versions.min}–${versions.max}`
    throw new DecodeError("no-common-version", reader.offset, range)
  }
  const cluster = reader.string(limits.textBytesMax)
  const node = parseNodeId(reader.string(limits.textBytesMax))
  if (node === undefined) throw new DecodeError("bad-value", reader.offset, "node")
  const origin = decodeOrigin(reader)
  if (nodeOfOrigin(origin) !== node) throw new DecodeError("bad-value", reader.offset, "origin")
  const windowBytes = reader.varUint()
  const nonce = reader.raw(NONCE_BYTES).slice()
  const address = reader.string(limits.addressBytesMax)
  return { type: "hello", versions, cluster, node, origin, windowBytes, nonce, address }
}
