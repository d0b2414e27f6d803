/** How many cuts are kept of what peers say. */
import { expect, test } from "vitest"
import { limits } from "../base/index.ts"
import { cutRecord } from "../log/index.ts"
import { testOrigin } from "../testing/store-fixtures.ts"
import { Cuts } from "./cuts.ts"

test("[X7] cuts are kept of originsMax origins, and those that are kept still go lower", () => {
  const cuts = new Cuts([], [])
  const origins = Array.from({ length: limits.originsMax + 1 }, (_, epoch) => {
    return testOrigin("made-up", epoch + 1)
  })
  for (const origin of origins) cuts.onDurable(cutRecord({ origin, keepSeq: 7 }))
  for (const origin of origins) cuts.onDurable(cutRecord({ origin, keepSeq: 3 }))
  const kept = origins.map((origin) => cuts.keepSeqOf(origin))
  expect(new Set(kept.slice(0, -1))).toEqual(new Set([3]))
  expect(kept.at(-1)).toBe(undefined)
})
