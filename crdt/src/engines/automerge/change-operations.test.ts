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

/** Changes that mark text and take marks away again. */
function markChanges(): Uint8Array[] {
  let document = A.from({ text: "some words" }, { actor: "aa" })
  for (const [start, value] of [
    [0, true],
    [2, "a link"],
    [3, 4],
    [1, null],
  ] as const) {
    document = A.change(document, { time: 0 }, (draft) => {
      const range = { start, end: start + 5, expand: start > 1 ? "both" : "none" } as const
      if (value === null) A.unmark(draft, ["text"], range, "bold")
      else A.mark(draft, ["text"], range, start > 2 ? "ü" : "bold", value)
      A.splice(draft, ["text"], start, 1, "long")
    })
  }
  const changes = A.getAllChanges(document)
  A.free(document)
  return changes
}

test("marks are ordinary", () => {
  for (const change of markChanges()) expect(isOrdinaryChange(bodyOf(change))).toBe(true)
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
  const marks = markChanges()
  const property = fc.property(anyUpdates, anyMutations, (others, mutations) => {
    const updates = [...others, ...marks]
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
