import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import { gunzipSync } from "node:zlib"
import { expect, test } from "vitest"
import * as Y from "yjs"
import { yjsEngine } from "./index.ts"

/** A real two-person editing history (CC BY 4.0, see the README beside it). */
const traceFile = resolve(
  import.meta.dirname,
  "../../../..",
  "sim/demo/traces/friendsforever.json.gz",
)

type Trace = {
  readonly endContent: string
  readonly numAgents: number
  readonly txns: readonly {
    readonly parents: readonly number[]
    readonly agent: number
    readonly patches: readonly (readonly [number, number, string])[]
  }[]
}

test("a real editing history comes out as it was written", () => {
  // cast: the file's own format, checked by the text that must come out
  const trace = JSON.parse(gunzipSync(readFileSync(traceFile)).toString()) as Trace
  const { updates, document } = replay(trace)
  const whole = yjsEngine.merge(updates)
  expect(yjsEngine.toJson(whole)).toEqual({ text: trace.endContent })
  expect(yjsEngine.summaryOf(whole)).toEqual(Y.encodeStateVector(document))
  const compacted = yjsEngine.compact(whole)
  expect(compacted.length).toBeLessThan(whole.length / 2)
  expect(yjsEngine.digest(compacted)).toEqual(yjsEngine.digest(Y.encodeStateAsUpdate(document)))
  const frontier = yjsEngine.frontier(yjsEngine.empty)
  for (const update of updates.toReversed()) {
    frontier.add(yjsEngine.validate(update), update.length)
  }
  expect(frontier.pendingBytes).toBe(0)
  expect(frontier.summary()).toEqual(yjsEngine.summaryOf(whole))
})

/** Replays the trace's transactions, each on a document that has just its ancestors. */
function replay(trace: Trace): { updates: Uint8Array[]; document: Y.Doc } {
  const updates: Uint8Array[] = []
  const writers = Array.from({ length: trace.numAgents }, (_, index) => {
    const document = new Y.Doc({ guid: "trace" })
    document.clientID = index + 1
    document.on("update", (update: Uint8Array, origin: unknown) => {
      if (origin !== "remote") updates.push(update)
    })
    // Transactions of the others up to here have been received.
    return { document, received: -1 }
  })
  trace.txns.forEach(({ agent, parents, patches }) => {
    const writer = writers[agent]
    if (writer === undefined) throw new Error("a transaction without its agent")
    // Of its own past the writer has all, and through it what that rests on.
    const foreign = parents.filter((parent) => trace.txns[parent]?.agent !== agent)
    for (; writer.received < Math.max(-1, ...foreign); writer.received += 1) {
      const next = writer.received + 1
      const update = updates[next]
      if (trace.txns[next]?.agent === agent || update === undefined) continue
      Y.applyUpdate(writer.document, update, "remote")
    }
    writer.document.transact(() => {
      const text = writer.document.getText("text")
      for (const [position, deleted, inserted] of patches) {
        if (deleted > 0) text.delete(position, deleted)
        if (inserted !== "") text.insert(position, inserted)
      }
    })
  })
  const document = new Y.Doc({ guid: "trace" })
  for (const update of updates) Y.applyUpdate(document, update)
  return { updates, document }
}
