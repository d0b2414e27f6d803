/** The link protocol's union; the same both ways. */
import { DecodeError, Reader } from "../../base/index.ts"
import { linkTags } from "../tags.ts"
import { decodeLinkDigests } from "./digests.ts"
import type { LinkDigests } from "./digests.ts"
import { decodeLinkEntries } from "./entries.ts"
import type { LinkEntries } from "./entries.ts"
import { decodeLinkHello } from "./hello.ts"
import type { LinkHello } from "./hello.ts"
import { decodeLinkMembers } from "./members.ts"
import type { LinkMembers } from "./members.ts"
import type { LinkPing, LinkPong } from "./ping.ts"
import { decodeLinkPresence } from "./presence.ts"
import type { LinkPresence } from "./presence.ts"
import { decodeLinkProof } from "./proof.ts"
import type { LinkProof } from "./proof.ts"
import { decodeTransferMessage } from "./transfer.ts"
import type { TransferMessage } from "./transfer.ts"
import { decodeLinkTruncated } from "./truncated.ts"
import type { LinkTruncated } from "./truncated.ts"
import { decodeLinkVector } from "./vector.ts"
import type { LinkVector } from "./vector.ts"
import { decodeLinkWant } from "./want.ts"
import type { LinkWant } from "./want.ts"

export type LinkMessage =
  | LinkHello
  | LinkEntries
  | LinkVector
  | LinkWant
  | LinkPresence
  | LinkTruncated
  | TransferMessage
  | LinkDigests
  | LinkPing
  | LinkPong
  | LinkProof
  | LinkMembers

/** Decodes a frame from a peer to its last byte. @throws DecodeError */
export function decodeLinkMessage(frame: Uint8Array): LinkMessage {
  const reader = new Reader(frame)
  const message = decodeLinkBody(reader)
  reader.end()
  return message
}

function decodeLinkBody(reader: Reader): LinkMessage {
  const tag = reader.u8()
  switch (tag) {
    case linkTags.hello:
      return decodeLinkHello(reader)
    case linkTags.entries:
      return decodeLinkEntries(reader)
    case linkTags.vector:
      return decodeLinkVector(reader)
    case linkTags.want:
      return decodeLinkWant(reader)
    case linkTags.presence:
      return decodeLinkPresence(reader)
    case linkTags.truncated:
      return decodeLinkTruncated(reader)
    case linkTags.digests:
      return decodeLinkDigests(reader)
    case linkTags.ping:
      return { type: "ping" }
    case linkTags.pong:
      return { type: "pong" }
    case linkTags.proof:
      return decodeLinkProof(reader)
    case linkTags.members:
      return decodeLinkMembers(reader)
    default:
      return decodeOther(tag, reader)
  }
}

function decodeOther(tag: number, reader: Reader): LinkMessage {
  const message = decodeTransferMessage(tag, reader)
  if (message === undefined) throw new DecodeError("unknown-message", 0, `tag ${tag}`)
  return message
}
