import fc from "fast-check"
import { expect, test } from "vitest"
import { generationOf, limits } from "../base/index.ts"
import { encodeRecord } from "../log/index.ts"
import { testDocument } from "../testing/store-fixtures.ts"
import { Lives } from "./lives.ts"

const a = testDocument("a")
const b = testDocument("b")

type Step = readonly [kind: "delete" | "create", generation: number]

function recordOf([kind, generation]: Step, name = a): Uint8Array {
  return encodeRecord({ kind, atMs: 1, document: generationOf(name, generation) })
}

function livesOf(...steps: Step[]): Lives {
  return new Lives(steps.map((step) => ({ record: recordOf(step) })))
}

test("[R3] a name that was never deleted is in its first generation", () => {
  const lives = livesOf(["delete", 1])
  expect(lives.current(b)).toBe(b)
  expect([lives.isDeleted(b), lives.wasDeleted(b)]).toEqual([false, false])
  expect(lives.served(b, 0)).toBe(b)
  expect(lives.next(b)).toBe(b)
})

test("[R3] [R6] deleted, created again, deleted again", () => {
  const lives = livesOf(["delete", 1])
  expect([lives.current(a), lives.served(a, 0), lives.served(a, 1)]).toEqual(Array(3))
  expect(lives.next(a)).toBe(generationOf(a, 2))
  lives.onDurable(recordOf(["create", 2]))
  const second = generationOf(a, 2)
  expect([lives.current(a), lives.served(a, 0), lives.served(a, 2)]).toEqual(Array(3).fill(second))
  expect(lives.served(a, 1)).toBeUndefined()
  expect([lives.isDeleted(a), lives.isDeleted(second)]).toEqual([true, false])
  expect(lives.wasDeleted(second)).toBe(true)
  lives.onDurable(recordOf(["delete", 2]))
  expect(lives.current(a)).toBeUndefined()
  expect(lives.isDeleted(second)).toBe(true)
  expect(lives.next(a)).toBe(generationOf(a, 3))
})

test("[R6] a generation that this node has not heard of is served, unless it is deleted", () => {
  const third = generationOf(a, 3)
  expect(livesOf(["delete", 1]).served(a, 3)).toBe(third)
  expect(livesOf().served(a, 3)).toBe(third)
  expect(livesOf(["delete", 4]).served(a, 3)).toBeUndefined()
})

test("[R3] in whatever order and how often records come, what they say is the same", () => {
  const steps = fc.array(
    fc.oneof(
      fc.tuple(fc.constant("delete" as const), fc.integer({ min: 1, max: 5 })),
      fc.tuple(fc.constant("create" as const), fc.integer({ min: 2, max: 5 })),
    ),
    { maxLength: 8 },
  )
  const seen = (lives: Lives) => [0, 1, 2, 3, 4, 5, 6].map((held) => lives.served(a, held))
  fc.assert(
    fc.property(steps, fc.nat(), (list, at) => {
      const cut = list.length === 0 ? 0 : at % list.length
      const turned = [...list.slice(cut), ...list.slice(0, cut), ...list]
      expect(seen(livesOf(...turned.toReversed()))).toEqual(seen(livesOf(...list)))
    }),
  )
})

test("[R5] what was deleted before is told apart, and what is news once", () => {
  const lives = livesOf(["delete", 1], ["create", 2], ["delete", 2])
  expect(lives.deletedBefore).toEqual([a, generationOf(a, 2)])
  expect(lives.takeDeleted()).toEqual([])
  lives.onDurable(recordOf(["delete", 1], b))
  expect(lives.takeDeleted()).toEqual([b])
})

test("[R10] full at so many records", () => {
  const lives = livesOf()
  for (let count = 1; count < limits.deletionsMax; count++) lives.onDurable(recordOf(["delete", 1]))
  expect(lives.isFull).toBe(false)
  lives.onDurable(recordOf(["create", 2]))
  expect(lives.isFull).toBe(true)
})

test("[R10] after the last generation there is none", () => {
  const { generationMax } = limits
  expect(livesOf(["delete", generationMax - 1]).next(a)).toBe(generationOf(a, generationMax))
  expect(livesOf(["delete", generationMax]).next(a)).toBeUndefined()
})
