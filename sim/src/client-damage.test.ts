/** Damage of a client's storage takes what is named, and nothing else. */
import { expect, test } from "vitest"
import { documentIdOf, parseClientId, parseOriginId } from "@causeway/crdt/base"
import { StoredImage } from "@causeway/crdt/client"
import { VersionVector } from "@causeway/crdt/clock"
import { damaged } from "./client-damage.ts"
import { SimRandom } from "./random.ts"

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("well-formed")
  return value
}

const notes = must(documentIdOf("yjs", "notes"))
const [mine, fresh] = ["0", "1"].map((digit) => must(parseClientId(digit.repeat(32))))
const resume = new VersionVector([[must(parseOriginId("n1@0000000000000001")), 3]])

function filled(): StoredImage {
  const image = new StoredImage()
  image.client = mine
  for (let seq = 1; seq <= 8; seq++) {
    const update = { seq, document: notes, generation: 1, bytes: Uint8Array.of(seq) }
    if (seq % 4 !== 0) image.apply({ type: "outbox-add", update })
    else
      image.apply({ type: "rejected-add", update: { ...update, code: "too-large", message: "" } })
  }
  image.apply({ type: "outbox-trim", seq: 2 })
  const updates = [Uint8Array.of(1), Uint8Array.of(2)]
  image.apply({ type: "document-append", document: notes, generation: 1, updates, resume })
  image.apply({ type: "tiers", state: Uint8Array.of(1) })
  return image
}

test("[C10] each record is as it was or is named; numbers are never given twice", () => {
  const before = filled()
  const seen = new Set<string>()
  for (let seed = 0; seed < 300; seed++) {
    const { image, lost } = damaged(before, new SimRandom(seed))
    const left = [...image.outbox.keys(), ...image.rejected.keys(), ...lost.map(({ seq }) => seq)]
    expect(new Set(left)).toEqual(new Set([3, 4, 5, 6, 7, 8]))
    expect([left.length, image.nextSeq]).toEqual([6, 9])
    const stored = image.load(must(fresh))
    const copy = must(image.documents.get(notes))
    expect(copy.resume === undefined || copy.updates.length === 2).toBe(true)
    // Marks of tiers are of the client's own numbers.
    expect(stored.tiers === undefined || stored.client === mine).toBe(true)
    seen.add([lost.length > 0, stored.client === mine, copy.resume === undefined].join(" "))
  }
  expect(seen.size).toBe(8)
  expect([...before.outbox.keys()]).toEqual([3, 5, 6, 7])
})
