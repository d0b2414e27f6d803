import fc from "fast-check"
import { describe, test } from "vitest"
import * as Y from "yjs"
import { engineLaws } from "../laws.ts"
import { yjsEngine } from "./index.ts"
import { anyUpdates } from "./test/history.ts"

const seed = 20_250_101

const laws = engineLaws(yjsEngine, (updates) => {
  const document = new Y.Doc({ guid: "reference" })
  // In one update: given one by one, Yjs 13.6.33 sometimes does not retry a pending update that
  // has become complete (it keeps only the lowest clock it waits for), until another one comes.
  Y.applyUpdate(document, Y.mergeUpdates([...updates, Uint8Array.of(0, 0)]))
  const { pendingDs, pendingStructs } = document.store
  return {
    pending: pendingDs !== null || pendingStructs !== null,
    summary: Y.encodeStateVector(document),
  }
})

describe("the Yjs engine keeps the laws", () => {
  test.each(laws)("$name", ({ check }) => {
    fc.assert(fc.property(anyUpdates, fc.integer(), check), {
      seed,
      numRuns: 80,
    })
  })
})
