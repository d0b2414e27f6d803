/**
 * Sizes and ages as settings say them: a whole number and its unit. Past what a number holds
 * exactly there is none.
 */
import type { Millis } from "@causeway/crdt/base"

const sizeUnits: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["KiB", 1024],
  ["MiB", 1024 ** 2],
  ["GiB", 1024 ** 3],
  ["TiB", 1024 ** 4],
])

const ageUnits: ReadonlyMap<string, Millis> = new Map([
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 24 * 3_600_000],
])

/** Bytes of `512MiB`; undefined if that is no size. */
export function readSize(text: string): number | undefined {
  return read(text, sizeUnits)
}

/** Milliseconds of `7d`; undefined if that is no age. */
export function readAge(text: string): Millis | undefined {
  return read(text, ageUnits)
}

function read(text: string, units: ReadonlyMap<string, number>): number | undefined {
  const [, digits, unit] = /^([0-9]{1,16})([A-Za-z]*)$/.exec(text) ?? []
  const factor = units.get(unit ?? " ")
  if (digits === undefined || factor === undefined) return undefined
  const value = Number(digits) * factor
  return Number.isSafeInteger(value) ? value : undefined
}
