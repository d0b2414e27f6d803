import { createHash } from "node:crypto"
import * as A from "@automerge/automerge"
import fc from "fast-check"
import { expect, test } from "vitest"
import { Writer } from "../../base/writer.ts"
import { isOrdinaryChange } from "./change-operations.ts"
import { splitChunks } from "./chunk.ts"
import { anyUpdates } from "./test/history.ts"

const seed = 20_250_107

function bodyOf(change: Uint8Array): Uint8Array {
  const [chunk] = splitChunks(change)
  return chunk?.body ?? new Uint8Array()
}

function sealed(body: Uint8Array): Uint8Array {
  const content = new Writer().u8(1).bytes(body).finish()
  const sum = createHash("sha256").update(content).digest().subarray(0, 4)
  return new Writer()
    .raw(Uint8Array.of(0x85, 0x6f, 0x4a, 0x83))
    .raw(sum)
    .raw(content)
    .finish()
}

/** Whether Automerge decodes it, and its operations again after it was loaded. */
function isRead(change: Uint8Array): boolean {
  try {
    A.decodeChange(change)
    return true
  } catch {
    return false
  }
}

test("what Automerge writes is ordinary", () => {
  const property = fc.property(anyUpdates, (updates) => {
    for (const update of updates) expect(isOrdinaryChange(bodyOf(update))).toBe(true)
  })
  fc.assert(property, { seed, numRuns: 50 })
})

test("marks are left to Automerge", () => {
  const start = A.from({ text: "some words" }, { actor: "aa" })
  const marked = A.change(start, { time: 0 }, (draft) => {
    A.mark(draft, ["text"], { start: 0, end: 4, expand: "both" }, "bold", true)
  })
  const [change = new Uint8Array()] = A.getChanges(start, marked)
  expect(isOrdinaryChange(bodyOf(change))).toBe(false)
  expect(isRead(change)).toBe(true)
})

test("what is ordinary, Automerge reads", () => {
  const anyMutations = fc.array(
    fc.array(
      fc.tuple(fc.nat(400), fc.nat(255), fc.constantFrom("set", "insert", "remove", "add")),
      {
        minLength: 1,
        maxLength: 3,
      },
    ),
    { minLength: 200, maxLength: 200 },
  )
  let ordinary = 0
  let refused = 0
  const property = fc.property(anyUpdates, anyMutations, (updates, mutations) => {
    mutations.forEach((mutation, index) => {
      const body = [...bodyOf(updates[index % updates.length] ?? new Uint8Array())]
      for (const [at, value, how] of mutation) {
        const place = at % body.length
        if (how === "set") body[place] = value
        else if (how === "add") body[place] = ((body[place] ?? 0) + (value % 5) - 2) & 0xff
        else body.splice(place, how === "remove" ? 1 : 0, ...(how === "remove" ? [] : [value]))
      }
      const mutant = Uint8Array.from(body)
      if (!isOrdinaryChange(mutant)) {
        refused += 1
        return
      }
      ordinary += 1
      const change = sealed(mutant)
      expect(isRead(change), Buffer.from(mutant).toString("hex")).toBe(true)
      expect(A.decodeChange(change).hash).toBe(splitChunks(change)[0]?.hash)
    })
  })
  fc.assert(property, { seed, numRuns: 40 })
  expect(ordinary).toBeGreaterThan(200)
  expect(refused).toBeGreaterThan(200)
})
