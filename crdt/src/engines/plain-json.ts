/** Turns what CRDT libraries hand out into plain JSON, the same way for every engine. */
import type { Json } from "./engine.ts"

/**
 * Bytes become base64, undefined, functions and non-finite numbers null, a bigint its number or,
 * past 2^53, its digits. Keys are sorted. Dates and other objects that say how go by `toJSON`.
 */
export function plainJson(value: unknown): Json {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value
    case "number":
      // Adding 0 makes 0 of −0, which JSON would lose.
      return Number.isFinite(value) ? value + 0 : null
    case "bigint": {
      const number = Number(value)
      return Number.isSafeInteger(number) ? number : value.toString()
    }
    case "object":
      return objectJson(value)
    default:
      return null
  }
}

function objectJson(value: object | null): Json {
  if (value === null) return null
  if (value instanceof Uint8Array) return base64(value)
  if (Array.isArray(value)) return value.map(plainJson)
  if ("toJSON" in value && typeof value.toJSON === "function") return plainJson(value.toJSON())
  return objectOf(Object.entries(value).map(([key, element]) => [key, plainJson(element)]))
}

/**
 * An object with its keys sorted by UTF-16 units (but integers, which JavaScript puts first). Sets
 * own properties only, so that a key `__proto__` is one.
 */
export function objectOf(entries: readonly (readonly [string, Json])[]): Json {
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
}

const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

/** RFC 4648 §4, with padding. */
export function base64(bytes: Uint8Array): string {
  let text = ""
  for (let index = 0; index < bytes.length; index += 3) {
    const rest = bytes.length - index
    const word =
      ((bytes[index] ?? 0) << 16) | ((bytes[index + 1] ?? 0) << 8) | (bytes[index + 2] ?? 0)
    text += digits.charAt(word >> 18) + digits.charAt((word >> 12) & 63)
    text += rest > 1 ? digits.charAt((word >> 6) & 63) : "="
    text += rest > 2 ? digits.charAt(word & 63) : "="
  }
  return text
}
