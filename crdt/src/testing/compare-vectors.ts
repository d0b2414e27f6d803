/**
 * How `toEqual` compares version vectors, which keep all they hold in a private field: without this
 * any two of them are equal, and a test that compares them can't fail. Loaded before every test
 * file.
 */
import { expect } from "vitest"
import { VersionVector } from "../clock/index.ts"

expect.addEqualityTesters([
  function compareVectors(one: unknown, other: unknown): boolean | undefined {
    if (one instanceof VersionVector && other instanceof VersionVector) {
      return this.equals(one.entries(), other.entries())
    }
    return one instanceof VersionVector || other instanceof VersionVector ? false : undefined
  },
])
