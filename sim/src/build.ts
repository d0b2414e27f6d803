/**
 * Two builds of the product that run side by side during an upgrade. Tomorrow's speaks one version
 * more of each protocol and keeps speaking today's; there is no such build yet, so it is today's
 * with other hellos. Whoever receives one must come down to the version both speak (rule [F6]).
 */
import type { Endpoint } from "@causeway/crdt/node"
import {
  decodeClientMessage,
  encodeHello,
  linkVersions,
  nativeTags,
  nativeVersions,
} from "@causeway/crdt/protocol"
import type { VersionRange } from "@causeway/crdt/protocol"

export type Build = "today" | "tomorrow"

/** What `frame` is when tomorrow's build sends it on a connection through `door`. */
export function asTomorrow(door: Endpoint, frame: Uint8Array): Uint8Array {
  switch (door.type) {
    case "native":
      return frame[0] === nativeTags.hello ? nativeHello(frame) : frame
    case "y-websocket":
    case "link-accepted":
    case "link-dialled":
      return frame
  }
}

function nativeHello(frame: Uint8Array): Uint8Array {
  const message = decodeClientMessage(frame)
  if (message.type !== "hello") return frame
  return encodeHello({ ...message, versions: andTheNext(nativeVersions) })
}

/** What a build's node says to peers that it speaks; in its own words, as its proof covers them. */
export function linkVersionsOf(build: Build): VersionRange {
  return build === "today" ? linkVersions : andTheNext(linkVersions)
}

function andTheNext({ max }: VersionRange): VersionRange {
  return { min: max, max: max + 1 }
}
