/**
 * What of an update a node has in its log and does not show: a predecessor is nowhere, or not there
 * so far. By operation: what waits in a document excuses nothing else in it.
 */
import * as Y from "yjs"
import { bytesToHex, Reader } from "@causeway/crdt/base"
import type { Engine, Span } from "@causeway/crdt/engines"
import { Coverage } from "../checkers/coverage.ts"
import type { Ops } from "../checkers/coverage.ts"

/** What of `ops` does not wait in a log that holds `held` and consists of `bodies`. */
export function notHeldBack(
  engine: Engine,
  bodies: readonly Uint8Array[],
  held: Coverage,
  ops: Ops,
): Ops {
  const summary = engine.summaryOf(engine.merge(bodies))
  const spans = engine.name === "yjs" ? yjsSpans(summary) : automergeSpans(engine, bodies, summary)
  // A deletion takes effect once its target does, whatever else came with it.
  const effective = coverageOf({ added: spans, deleted: spans })
  const without = effective.lacking(ops)
  const waiting = coverageOf(held.lacking(without)).lacking(without)
  return coverageOf(waiting).lacking(ops)
}

function coverageOf(ops: Ops): Coverage {
  const coverage = new Coverage()
  coverage.add(ops)
  return coverage
}

function yjsSpans(summary: Uint8Array): Span[] {
  return [...Y.decodeStateVector(summary)].map(([client, clock]) => {
    return { writer: String(client), from: 0, to: clock }
  })
}

/** The heads, and all that they stand on. */
function automergeSpans(
  engine: Engine,
  bodies: readonly Uint8Array[],
  summary: Uint8Array,
): Span[] {
  const standsOn = new Map<string, string[]>()
  for (const body of bodies) {
    for (const { writer, on } of engine.validate(body).waits) {
      if (writer === undefined) continue
      const others = standsOn.get(writer)
      if (others === undefined) standsOn.set(writer, [on])
      else others.push(on)
    }
  }
  const reader = new Reader(summary)
  const heads = Array.from({ length: reader.varUint() }, () => bytesToHex(reader.raw(32)))
  const effective = new Set(heads)
  // A set goes on to what is added on the way.
  for (const hash of effective) {
    for (const other of standsOn.get(hash) ?? []) effective.add(other)
  }
  return [...effective].map((writer) => ({ writer, from: 0, to: 1 }))
}
