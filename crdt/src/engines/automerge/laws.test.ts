import * as A from "@automerge/automerge"
import fc from "fast-check"
import { describe, test } from "vitest"
import { engineLaws } from "../laws.ts"
import { writeHeads } from "./heads.ts"
import { automergeEngine } from "./index.ts"
import { anyUpdates } from "./test/history.ts"

const seed = 20_250_102

const laws = engineLaws(automergeEngine, (updates) => {
  const [document] = A.applyChanges(A.init({ actor: "ff" }), [...updates])
  const summary = writeHeads(A.getHeads(document))
  const pending = A.getMissingDeps(document, []).length > 0
  A.free(document)
  return { pending, summary }
})

describe("the Automerge engine keeps the laws", () => {
  test.each(laws)("$name", ({ check }) => {
    fc.assert(fc.property(anyUpdates, fc.integer(), check), { seed, numRuns: 25 })
  })
})
