import fc from "fast-check"
import * as Y from "yjs"
import { expect, test } from "vitest"
import { yjsEngine } from "@causeway/crdt/engines/yjs"
import { Coverage, opsOf } from "./coverage.ts"

const span = fc
  .tuple(fc.constantFrom("a", "b"), fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 9 }))
  .map(([writer, from, length]) => ({ writer, from, to: from + length }))

test("has exactly the operations that were added", () => {
  fc.assert(
    fc.property(fc.array(span), span, (added, asked) => {
      const coverage = new Coverage()
      const model = new Set<string>()
      for (const { writer, from, to } of added) {
        coverage.add({ added: [{ writer, from, to }], deleted: [] })
        for (let clock = from; clock < to; clock++) model.add(`${writer}${clock}`)
      }
      let expected = true
      for (let clock = asked.from; clock < asked.to; clock++) {
        expected &&= model.has(`${asked.writer}${clock}`)
      }
      expect(coverage.has({ added: [asked], deleted: [] })).toBe(expected)
    }),
    { numRuns: 500 },
  )
})

test("what is lacking and what is here make up the whole", () => {
  fc.assert(
    fc.property(fc.array(span), fc.array(span), (added, asked) => {
      const coverage = new Coverage()
      coverage.add({ added, deleted: added })
      const lacking = coverage.lacking({ added: asked, deleted: [] })
      for (const one of lacking.added) {
        for (let clock = one.from; clock < one.to; clock++) {
          const single = { writer: one.writer, from: clock, to: clock + 1 }
          expect(coverage.has({ added: [single], deleted: [] })).toBe(false)
        }
      }
      const both = new Coverage()
      both.add(coverage.ops())
      expect(both.has({ added, deleted: added })).toBe(true)
      both.add(lacking)
      expect(both.has({ added: asked, deleted: [] })).toBe(true)
    }),
  )
})

test("tells writes from deletions", () => {
  const doc = new Y.Doc()
  doc.clientID = 5
  const updates: Uint8Array[] = []
  doc.on("update", (update: Uint8Array) => updates.push(update))
  doc.getText("text").insert(0, "hello")
  doc.getText("text").delete(1, 2)
  const [insertion, deletion] = updates.map((update) => opsOf(yjsEngine, update))
  expect(insertion).toEqual({ added: [{ writer: "5", from: 0, to: 5 }], deleted: [] })
  expect(deletion).toEqual({ added: [], deleted: [{ writer: "5", from: 1, to: 3 }] })
  const coverage = new Coverage()
  coverage.add(opsOf(yjsEngine, updates[0] ?? new Uint8Array()))
  expect(coverage.missing(opsOf(yjsEngine, updates[1] ?? new Uint8Array()))).toBe(
    "deletion of 5:1–3",
  )
  expect(coverage.unknown(opsOf(yjsEngine, updates[1] ?? new Uint8Array()))).toBeUndefined()
})
