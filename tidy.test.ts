/**
 * The repository policing itself: the import table and the purity of docs/architecture.md §2,
 * the sizes and habits of CONTRIBUTING.md, and the tie between docs/protocol.md and the tests.
 * The checks live in tidy/; here each is first shown to fail on a broken tree, then run on ours.
 */
import { describe, expect, test } from "vitest"
import {
  importCases,
  purityCases,
  soundTree,
  specCases,
  textCases,
  type Case,
} from "./tidy/cases.ts"
import { check, show } from "./tidy/check.ts"
import { readTree } from "./tidy/tree.ts"

function verdictOn({ path, text }: Case): readonly string[] {
  const rest = soundTree.filter((file) => file.path !== path)
  return check([...rest, { path, text }]).map(show)
}

describe("a broken tree is reported, and only where it is broken", () => {
  test("a sound tree is passed", () => {
    expect(check(soundTree)).toEqual([])
  })

  test.each([...importCases, ...purityCases, ...textCases, ...specCases])("$name", (item) => {
    expect(verdictOn(item)).toEqual(item.says === undefined ? [] : [item.says])
  })

  test("a missing protocol specification", () => {
    const [only, ...others] = check([])
    expect(only).toMatchObject({ path: "docs/protocol.md", rule: "spec" })
    expect(only?.message).toMatch(/^does not exist/)
    expect(others).toEqual([])
  })

  test("a file that does not parse", () => {
    const verdict = check([...soundTree, { path: "tidy/a.ts", text: "const = 1" }])
    expect(verdict.map(({ path, rule }) => [path, rule])).toEqual([["tidy/a.ts", "syntax"]])
  })
})

test("this repository is tidy", () => {
  const files = readTree(import.meta.dirname)
  expect(files.length).toBeGreaterThan(20)
  expect(check(files).map(show)).toEqual([])
})
