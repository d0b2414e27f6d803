/**
 * Two builds of the product that run side by side during an upgrade. Tomorrow's speaks one version
 * more of each protocol and keeps speaking today's; there is no such build yet, so it is today's
 * with other hellos. Whoever receives one must come down to the version both speak (rule [F6]).
 */
import type { Endpoint } from "@causeway/crdt/node"
import {
  decodeClientMessage,
  decodeLinkMessage,
  encodeHello,
  encodeLinkHello,
  linkTags,
  linkVersions,
  nativeTags,
  nativeVersions,
} from "@causeway/crdt/protocol"
import type { VersionRange } from "@causeway/crdt/protocol"

export type Build = "today" | "tomorrow"

/** What `frame` is when tomorrow's build sends it on a connection through `door`. */
export function asTomorrow(door: Endpoint, frame: Uint8Array): Uint8Array {
  switch (door.type) {
    case "y-websocket":
      return frame
    case "native":
      return frame[0] === nativeTags.hello ? nativeHello(frame) : frame
    case "link-accepted":
    case "link-dialled":
      return frame[0] === linkTags.hello ? linkHello(frame) : frame
  }
}

function nativeHello(frame: Uint8Array): Uint8Array {
  const message = decodeClientMessage(frame)
  if (message.type !== "hello") return frame
  return encodeHello({ ...message, versions: andTheNext(nativeVersions) })
}

function linkHello(frame: Uint8Array): Uint8Array {
  const message = decodeLinkMessage(frame)
  if (message.type !== "hello") return frame
  return encodeLinkHello({ ...message, versions: andTheNext(linkVersions) })
}

function andTheNext({ max }: VersionRange): VersionRange {
  return { min: max, max: max + 1 }
}
