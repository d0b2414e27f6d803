/**
 * Which of the node's doors a request's target leads to. [Y1]: the room is the rest of the path,
 * percent-decoded; it may contain slashes and anything else, since it is a name and not a path.
 */
import type { Endpoint } from "@causeway/crdt/node"

const yjsPrefix = "/yjs/"

/** Undefined: no such door (HTTP 404). The query is not part of a name. */
export function endpointOf(target: string): Endpoint | undefined {
  const question = target.indexOf("?")
  const path = question === -1 ? target : target.slice(0, question)
  if (path === "/sync") return { type: "native" }
  if (path === "/link") return { type: "link-accepted" }
  if (!path.startsWith(yjsPrefix)) return undefined
  return { type: "y-websocket", room: percentDecode(path.slice(yjsPrefix.length)) }
}

/** The parameter `token` of a request's target; empty if there is none. */
export function tokenOf(target: string): string {
  const question = target.indexOf("?")
  const query = question === -1 ? "" : target.slice(question + 1)
  return new URLSearchParams(query).get("token") ?? ""
}

/**
 * Percent-decodes as the URL standard does: a `%` without two hex digits stands for itself, as
 * stock clients append the room raw. Undefined if the bytes are not UTF-8.
 */
export function percentDecode(text: string): string | undefined {
  // Node hands out the bytes of a request's target as latin1.
  const source = Buffer.from(text, "latin1")
  const bytes = Buffer.allocUnsafe(source.length)
  let length = 0
  for (let index = 0; index < source.length; index++) {
    const byte = source[index] ?? 0
    const decoded = byte === PERCENT ? hexByteAt(source, index + 1) : undefined
    bytes[length++] = decoded ?? byte
    if (decoded !== undefined) index += 2
  }
  try {
    return strictUtf8.decode(bytes.subarray(0, length))
  } catch {
    return undefined
  }
}

const PERCENT = 0x25
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

function hexByteAt(source: Uint8Array, index: number): number | undefined {
  const high = hexDigit(source[index])
  const low = hexDigit(source[index + 1])
  return high === undefined || low === undefined ? undefined : high * 16 + low
}

function hexDigit(byte: number | undefined): number | undefined {
  const digit = Number.parseInt(String.fromCharCode(byte ?? 0), 16)
  return Number.isNaN(digit) ? undefined : digit
}
