/** Parsers of options that several commands have: what is refused is refused with what there is. */
import { InvalidArgumentError } from "commander"

export function wholeNumber(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (Number.isInteger(value) && value >= 1 && value <= max) return value
    throw new InvalidArgumentError(`A whole number from 1 to ${max}.`)
  }
}

/** A repeatable option that takes one of these. */
export function oneOf(names: readonly string[]): (name: string, before: string[]) => string[] {
  return (name, before) => {
    if (names.includes(name)) return [...before, name]
    throw new InvalidArgumentError(`There is: ${names.join(", ")}.`)
  }
}
