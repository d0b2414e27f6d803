/**
 * Counts what the columns of a chunk unfold to, before Automerge unfolds them: each column is a
 * sequence of runs, of which a few bytes can claim any length (Automerge's binary format, columns
 * and their encodings). Only bounds are checked here; whether columns fit each other and mean
 * something is Automerge's to say.
 */
import { DecodeError } from "../../base/errors.ts"
import { Reader } from "../../base/reader.ts"
import { columnsMax, inflatedBytesMax } from "./limits.ts"
import { inflateRaw } from "./inflate.ts"

const deflated = 8
/** The low three bits of a column's specification. */
const columnType = { group: 0, delta: 3, boolean: 4, string: 5, value: 7 } as const

export type Column = { readonly spec: number; readonly length: number }

export function readColumns(reader: Reader): readonly Column[] {
  const count = reader.count(columnsMax)
  const columns: Column[] = []
  for (let index = 0; index < count; index++) {
    columns.push({ spec: reader.varUint(), length: reader.varUint() })
  }
  return columns
}

/** Steps over the columns' data; returns the rows of the longest. @throws DecodeError. */
export function countRows(reader: Reader, columns: readonly Column[], rowsMax: number): number {
  let most = 0
  for (const { spec, length } of columns) {
    const raw = reader.raw(length)
    // Specifications go up to 2^53, past what bitwise operators hold.
    const isDeflated = Math.floor(spec / deflated) % 2 === 1
    const data = isDeflated ? inflateRaw(raw, inflatedBytesMax) : raw
    most = Math.max(most, columnRows(new Reader(data), spec % deflated, rowsMax))
  }
  return most
}

function columnRows(reader: Reader, type: number, rowsMax: number): number {
  if (type === columnType.value) return 0
  if (type === columnType.boolean) return booleanRows(reader, rowsMax)
  let rows = 0
  let grouped = 0
  while (reader.remaining > 0) {
    const run = varInt(reader)
    const values = run > 0 ? 1 : -run
    rows += run === 0 ? reader.varUint() : Math.abs(run)
    if (rows > rowsMax) throw tooMany(reader)
    for (let index = 0; index < values; index++) {
      const value = readValue(reader, type)
      // Each row of a group column stands for as many rows of the columns that follow it.
      if (type === columnType.group) grouped += value * Math.max(run, 1)
      if (grouped > rowsMax) throw tooMany(reader)
    }
  }
  return Math.max(rows, grouped)
}

function booleanRows(reader: Reader, rowsMax: number): number {
  let rows = 0
  while (reader.remaining > 0) {
    rows += reader.varUint()
    if (rows > rowsMax) throw tooMany(reader)
  }
  return rows
}

function tooMany(reader: Reader): DecodeError {
  return new DecodeError("length-over-limit", reader.offset, "too many operations")
}

/** Returns an unsigned value; strings and differences are stepped over. */
function readValue(reader: Reader, type: number): number {
  if (type === columnType.string) {
    reader.raw(reader.varUint())
    return 0
  }
  if (type === columnType.delta) {
    varInt(reader)
    return 0
  }
  return reader.varUint()
}

/** Signed LEB128 within 53 bits, as Automerge writes run lengths, times and differences. */
export function varInt(reader: Reader): number {
  let value = 0
  let scale = 1
  for (let index = 0; index < 8; index++) {
    const byte = reader.u8()
    const more = byte >= 0x80
    value += (more ? byte & 0x7f : byte & 0x3f) * scale
    if (!more) {
      if ((byte & 0x40) !== 0) value -= 64 * scale
      if (!Number.isSafeInteger(value)) break
      return value
    }
    scale *= 128
  }
  throw new DecodeError("varint-too-long", reader.offset)
}
