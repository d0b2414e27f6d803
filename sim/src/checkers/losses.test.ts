import { expect, test } from "vitest"
import { assert, documentIdOf } from "@causeway/crdt/base"
import { Coverage } from "./coverage.ts"
import type { Ops } from "./coverage.ts"
import { Losses } from "./losses.ts"

const document = documentIdOf("yjs", "note")
assert(document !== undefined, "a document's name")

function added(from: number, to: number): Ops {
  return { added: [{ writer: "a", from, to }], deleted: [] }
}

function deleted(from: number, to: number): Ops {
  return { added: [], deleted: [{ writer: "a", from, to }] }
}

function coverageOf(...all: Ops[]): Coverage {
  const coverage = new Coverage()
  for (const ops of all) coverage.add(ops)
  return coverage
}

function staged(shown: Ops[], outbox: Ops[]) {
  assert(document !== undefined, "a document's name")
  const losses = new Losses()
  const id = document
  const asHeld = (all: Ops[]) => all.map((ops) => ({ document: id, ops }))
  losses.setHolders({ replicas: () => asHeld(shown), outboxes: () => asHeld(outbox) })
  return { losses, id }
}

test("what another disk, a replica or an outbox holds is owed; only the rest is lost", () => {
  const { losses, id } = staged([added(10, 20)], [added(20, 30)])
  losses.take(id, added(0, 40))
  losses.settle(() => coverageOf(added(0, 10)))
  expect(losses.lost(id)?.ops()).toEqual(added(30, 40))
})

test("what its last holder forgets before it is on a disk again is lost, else it is owed", () => {
  const shown = [added(0, 10)]
  const { losses, id } = staged(shown, [])
  losses.take(id, added(0, 10))
  losses.settle(() => new Coverage())
  expect(losses.lost(id)).toBeUndefined()
  shown.length = 0
  losses.settle(() => coverageOf(added(0, 4)))
  expect(losses.lost(id)?.ops()).toEqual(added(4, 10))
})

test("a replica does not bring a deletion back, an outbox does", () => {
  const { losses, id } = staged([deleted(0, 10)], [deleted(5, 10)])
  losses.take(id, deleted(0, 10))
  losses.settle(() => new Coverage())
  expect(losses.lost(id)?.ops()).toEqual(deleted(0, 5))
})
