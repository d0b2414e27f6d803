/**
 * The Yjs engine: updates are Yjs update V1, summaries are state vectors. Only `digest`, `toJson`
 * and `compact` build a document; the rest works on bytes.
 */
import * as Y from "yjs"
import type { Engine } from "../engine.ts"
import { digestOf } from "./digest.ts"
import { loadDocument } from "./document.ts"
import { asEngineError } from "./failure.ts"
import { YjsFrontier } from "./frontier.ts"
import { includesUpdate } from "./includes.ts"
import { jsonOf } from "./json.ts"
import { differenceOf, emptyUpdate, mergeUpdates } from "./merge.ts"
import { readStateVector } from "./state-vector.ts"
import { readUpdate } from "./update.ts"

function frontierOf(state: Uint8Array): YjsFrontier {
  const facts = readUpdate(state)
  const frontier = new YjsFrontier()
  if (facts.spans.length === 0 && facts.waits.length === 0) return frontier
  if (frontier.add(facts, state.length) === "covered") return frontier
  // Only what waits is pending, not the whole state.
  const bytesPending = differenceOf(state, frontier.summary()).length
  const exact = new YjsFrontier()
  exact.add(facts, bytesPending)
  return exact
}

export { encodeShown } from "./shown.ts"

export const yjsEngine: Engine = {
  name: "yjs",
  validate: (update) => readUpdate(update),
  validateSummary(summary) {
    readStateVector(summary)
  },
  empty: emptyUpdate,
  merge: mergeUpdates,
  difference: differenceOf,
  includes: includesUpdate,
  summaryOf: (state) => frontierOf(state).summary(),
  // Pure, so that an app that needs only what stands beside it leaves the engine out.
  emptySummary: /* @__PURE__ */ Uint8Array.of(0),
  digest: digestOf,
  compact: (state) => asEngineError(() => Y.encodeStateAsUpdate(loadDocument(state, { gc: true }))),
  toJson: jsonOf,
  frontier: frontierOf,
}
