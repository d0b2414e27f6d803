import { expect, test } from "vitest"
import { Outbox } from "./outbox.ts"
import { notes } from "./test/harness.ts"

test("[N5] [N7] numbers that became void after `hello` are gone through all the same", () => {
  const stored = [1, 2, 3, 4].map((seq) => ({
    seq,
    document: notes,
    generation: 0,
    bytes: Uint8Array.of(seq),
  }))
  const outbox = new Outbox({ outbox: stored, nextSeq: 5 })
  expect(outbox.greet()).toBe(1)
  outbox.remove(2)
  outbox.remove(3)
  expect(outbox.connected(1).map(({ seq }) => seq)).toEqual([1])
  const nothing = new Uint8Array(0)
  expect(outbox.take(1000)).toEqual({
    document: notes,
    seq: 2,
    updates: [nothing, nothing, Uint8Array.of(4)],
  })
})

test("[N1] [N5] a node that never met this client takes the number `hello` named first", () => {
  const outbox = new Outbox({
    outbox: [{ seq: 7, document: notes, generation: 0, bytes: Uint8Array.of(7) }],
    nextSeq: 8,
  })
  expect(outbox.greet()).toBe(7)
  outbox.connected(0)
  expect(outbox.take(1000)?.seq).toBe(7)
})
