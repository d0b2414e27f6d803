/**
 * Canonical bytes of a plain value, for the digest: equal values give equal bytes whatever the
 * order of their keys. Prefix-free. Covers what lib0's `any` and JSON can hold.
 */
import type { Writer } from "../../base/writer.ts"

const valueTag = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  number: 4,
  bigint: 5,
  string: 6,
  bytes: 7,
  array: 8,
  object: 9,
  /** Apart from other numbers, as there are many NaNs in float64. */
  nan: 10,
} as const

export function writeValue(out: Writer, value: unknown): void {
  switch (typeof value) {
    case "string":
      out.u8(valueTag.string)
      return writeText(out, value)
    case "number":
      return writeNumber(out, value)
    case "boolean":
      out.u8(value ? valueTag.true : valueTag.false)
      return
    case "bigint":
      out.u8(valueTag.bigint).string(value.toString())
      return
    case "object":
      return writeObject(out, value)
    default:
      out.u8(valueTag.undefined)
  }
}

/** UTF-16 units: JSON's escapes can hold lone surrogates, which UTF-8 would make all alike. */
function writeText(out: Writer, text: string): void {
  out.varUint(text.length)
  for (let index = 0; index < text.length; index++) out.varUint(text.charCodeAt(index))
}

function writeNumber(out: Writer, value: number): void {
  if (Number.isNaN(value)) {
    out.u8(valueTag.nan)
    return
  }
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setFloat64(0, value)
  out.u8(valueTag.number).raw(bytes)
}

function writeObject(out: Writer, value: object | null): void {
  if (value === null) {
    out.u8(valueTag.null)
  } else if (value instanceof Uint8Array) {
    out.u8(valueTag.bytes).bytes(value)
  } else if (Array.isArray(value)) {
    out.u8(valueTag.array).varUint(value.length)
    for (const element of value) writeValue(out, element)
  } else {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    out.u8(valueTag.object).varUint(entries.length)
    for (const [key, element] of entries) {
      writeText(out, key)
      writeValue(out, element)
    }
  }
}
