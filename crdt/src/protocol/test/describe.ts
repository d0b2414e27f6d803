/**
 * Messages as JSON, for the golden files and for comparing: bytes become `{ "bytes": hex }`,
 * version vectors `{ "vector": [[origin, seq], …] }`, and heads
 * `{ "heads": [[origin, seq, hash], …] }`, other maps `{ "texts": [[key, text], …] }`. Messages
 * are the same if their descriptions are equal.
 */
import { bytesToHex } from "../../base/index.ts"
import { VersionVector } from "../../clock/index.ts"
import type { Head } from "../../log/index.ts"

export type Description =
  | null
  | boolean
  | number
  | string
  | readonly Description[]
  | { readonly [key: string]: Description }

export function describeMessage(message: object): Description {
  const fields: Record<string, Description> = {}
  for (const [key, value] of Object.entries(message)) fields[key] = describeValue(value)
  return fields
}

function describeValue(value: unknown): Description {
  if (value instanceof Uint8Array) return { bytes: bytesToHex(value) }
  if (value instanceof VersionVector) {
    return { vector: value.entries().map(([origin, seq]) => [origin, seq]) }
  }
  if (value instanceof Map && [...value.values()].some((entry) => typeof entry === "string")) {
    return { texts: [...value].sort(([left], [right]) => (left < right ? -1 : 1)) }
  }
  if (value instanceof Map) return { heads: describeHeads(value) }
  if (Array.isArray(value)) return value.map(describeValue)
  if (typeof value === "object" && value !== null) return describeMessage(value)
  if (typeof value === "string" || typeof value === "boolean") return value
  if (typeof value === "number") return value
  if (value === undefined) return null
  throw new TypeError(`no description of ${typeof value}`)
}

/** Sorted, because the order in which a map was filled is no part of a message. */
function describeHeads(heads: ReadonlyMap<string, Head>): Description[] {
  const sorted = [...heads].sort(([left], [right]) => (left < right ? -1 : 1))
  return sorted.map(([origin, head]) => [origin, head.seq, bytesToHex(head.hash)])
}
