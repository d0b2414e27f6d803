/**
 * The Automerge engine: updates are chunks, summaries are heads. Bytes are handled here where
 * single changes are concerned; Automerge itself decodes operations, documents and values.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import { EngineError, type Engine, type UpdateFacts, type Wait } from "../engine.ts"
import { plainJson } from "../plain-json.ts"
import { splitChunks } from "./chunk.ts"
import { readForked } from "./forks.ts"
import { AutomergeFrontier } from "./frontier.ts"
import { readHeads } from "./heads.ts"
import { decodeChunk, historyOf } from "./history.ts"
import { saveDocument, valueOf, type ChangeFacts } from "./library.ts"
import { changesOf, differenceOf, emptyState, mergeUpdates } from "./merge.ts"

function validate(update: Uint8Array): UpdateFacts {
  const changes = new Map<string, ChangeFacts>()
  for (const chunk of splitChunks(update)) {
    for (const change of decodeChunk(chunk)) changes.set(change.hash, change)
  }
  return factsOf(changes)
}

function factsOf(changes: ReadonlyMap<string, ChangeFacts>): UpdateFacts {
  const spans: UpdateFacts["spans"][number][] = []
  const waits: Wait[] = []
  const needs = new Set<string>()
  for (const { hash, actor, seq, deps } of changes.values()) {
    spans.push({ writer: actor, from: seq - 1, to: seq })
    for (const dep of deps) {
      waits.push({ writer: hash, at: 0, on: dep, clock: 0 })
      if (!changes.has(dep)) needs.add(dep)
    }
  }
  return { spans, waits, needs: [...needs], gives: [...changes.keys()] }
}

function frontierOf(state: Uint8Array): AutomergeFrontier {
  const frontier = new AutomergeFrontier()
  // Change by change, so that only what waits counts as pending.
  for (const change of historyOf(state).values()) {
    const facts = factsOf(new Map([[change.hash, change]]))
    frontier.add(facts, change.chunk?.length ?? 0)
  }
  return frontier
}

/** Heads are hashes of all that is behind them, contents included. */
function digestOf(state: Uint8Array): Uint8Array {
  const frontier = frontierOf(state)
  if (frontier.pending) throw new EngineError("pending", "a predecessor is missing")
  return sha256(frontier.summary())
}

function compact(state: Uint8Array): Uint8Array {
  const saved = readForked(state, saveDocument)
  const inside = historyOf(saved)
  if (inside.size === 0) return mergeUpdates([state])
  return mergeUpdates([saved, ...changesOf(state, (hash) => !inside.has(hash))])
}

export const automergeEngine: Engine = {
  name: "automerge",
  validate,
  validateSummary(summary) {
    readHeads(summary)
  },
  empty: emptyState,
  merge: mergeUpdates,
  difference: differenceOf,
  includes(state, update) {
    const history = historyOf(state)
    return [...historyOf(update).keys()].every((hash) => history.has(hash))
  },
  summaryOf: (state) => frontierOf(state).summary(),
  emptySummary: Uint8Array.of(0),
  digest: digestOf,
  compact,
  toJson: (state) => plainJson(readForked(state, valueOf)),
  frontier: frontierOf,
}
