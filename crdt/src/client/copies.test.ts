/** What the core has storage keep of documents, and what it opens them with. */
import { describe, expect, test } from "vitest"
import type { DocumentId } from "../base/index.ts"
import type { VersionVector } from "../clock/index.ts"
import type { StorageWrite, StoredDocument } from "../ports/index.ts"
import type { DocumentClosed } from "../protocol/index.ts"
import { clientLimits } from "./client-limits.ts"
import type { ClientEffect } from "./effect.ts"
import { StoredImage } from "./stored-image.ts"
import { ack, clientId, emptyClient, Harness, notes, only } from "./test/harness.ts"
import { origin, other, plans, readOf, vector } from "./test/harness.ts"

/** What a storage has that was given the writes so far. */
function imageOf(writes: readonly StorageWrite[]): StoredImage {
  const image = new StoredImage()
  image.load(clientId)
  for (const write of writes) image.apply(write)
  return image
}

function copyOf(harness: Harness, document: DocumentId = notes): StoredDocument | undefined {
  return imageOf(harness.writes).documents.get(document)
}

/** First bytes, and the resume point. */
function shown(copy: StoredDocument | undefined): unknown {
  if (copy === undefined) return undefined
  return [copy.updates.map(([byte]) => byte), copy.resume?.entries()]
}

function deliver(harness: Harness, resume: VersionVector, ...bytes: number[]): ClientEffect[] {
  const updates = bytes.map((byte) => Uint8Array.of(byte))
  return harness.node({ type: "updates", handle: 101, complete: false, resume, updates })
}

function open(): Harness {
  const harness = new Harness()
  harness.hold(notes)
  harness.connect({ version: 2 })
  harness.node({ type: "generation", channel: 1, generation: 1 })
  harness.serve(1, vector([origin, 1]))
  return harness
}

const closed: DocumentClosed = {
  type: "document-closed",
  channel: 1,
  code: "document-deleted",
  message: "gone",
}

describe("what goes into a copy", () => {
  test("[C8] [C5] what is delivered, with the resume point that covers it, in one write", () => {
    const harness = open()
    harness.storing = false
    const effects = deliver(harness, vector([origin, 3]), 7, 8)
    const [store] = only(effects, "store")
    const append = { type: "document-append", document: notes, generation: 1 }
    expect(store?.writes).toMatchObject([append])
    expect(shown(imageOf(store?.writes ?? []).documents.get(notes))).toEqual([
      [7, 8],
      [[origin, 3]],
    ])
  })

  test("[C8] an own update when it is acked, not later than it leaves the outbox", () => {
    const harness = open()
    harness.type(notes, 5)
    expect(shown(copyOf(harness))).toEqual([[], [[origin, 1]]])
    harness.node(ack(1, [1, 9]))
    expect(shown(copyOf(harness))).toEqual([[5], [[origin, 9]]])
    const first = harness.writes.findIndex(({ type }) => type === "outbox-add")
    for (let count = first + 1; count <= harness.writes.length; count++) {
      const { outbox, documents } = imageOf(harness.writes.slice(0, count))
      const { updates = [], resume = vector() } = documents.get(notes) ?? {}
      expect(outbox.size + updates.length, "it is somewhere").toBeGreaterThan(0)
      expect(resume.get(origin) < 9 || updates.length > 0, "what is covered is there").toBe(true)
    }
  })

  test("[C8] [C3] what is refused never", () => {
    const harness = open()
    harness.type(notes, 5)
    harness.node({ type: "reject", seq: 1, code: "invalid-update", message: "" })
    harness.type(notes, 6)
    harness.node(ack(2, [1, 9]))
    expect(shown(copyOf(harness))).toEqual([[6], [[origin, 9]]])
  })

  test("[C8] what a node had logged already, as a reconnect tells", () => {
    const harness = open()
    harness.type(notes, 5)
    harness.input({ type: "close-document", document: notes })
    harness.close()
    harness.redial()
    harness.connect({ version: 2, loggedSeq: 1 })
    expect(shown(copyOf(harness))).toEqual([[5], [[origin, 1]]])
    expect(imageOf(harness.writes).outbox.size).toBe(0)
  })

  test("[C5] a replica that refuses what came has no resume point in storage any more", () => {
    const harness = open()
    deliver(harness, vector([origin, 3]), 7)
    harness.input({ type: "deliver-failed", document: notes, message: "no" })
    expect(copyOf(harness)?.resume?.size).toBe(0)
    deliver(harness, vector([origin, 4]), 8)
    expect(copyOf(harness)?.resume?.size).toBe(0)
  })

  test("an up-to-date document costs no write", () => {
    const harness = new Harness()
    const resume = { type: "vector", vector: vector([origin, 4]) } as const
    const stored = [Uint8Array.of(1)]
    harness.input({ type: "open-document", document: notes, generation: 1, resume, stored })
    harness.connect({ version: 2 })
    harness.serve(1, vector([origin, 4]))
    expect(harness.writes.filter(({ type }) => type === "document-append")).toEqual([])
  })

  test("what waits for storage goes into one record", () => {
    const harness = open()
    harness.storing = false
    deliver(harness, vector([origin, 2]), 1)
    for (let seq = 3; seq < 10; seq++) deliver(harness, vector([origin, seq]), seq)
    const [store] = only(harness.input({ type: "stored", result: { ok: true } }), "store")
    expect(store?.writes).toHaveLength(1)
    const copy = imageOf(store?.writes ?? []).documents.get(notes)
    expect(shown(copy)).toEqual([[3, 4, 5, 6, 7, 8, 9], [[origin, 9]]])
  })
})

describe("what a document opens with", () => {
  const copy: StoredDocument = {
    generation: 1,
    updates: [Uint8Array.of(1)],
    resume: vector([origin, 4]),
  }

  test("[C8] the copy, what is on its way there, and what is pending", () => {
    const harness = open()
    harness.storing = false
    deliver(harness, vector([origin, 5]), 2)
    harness.type(notes, 3)
    harness.type(plans, 9)
    harness.node(ack(1, [1, 6]))
    harness.type(notes, 4)
    const { generation, stored, pending, resume } = harness.core.opening(notes, readOf(copy))
    expect(generation).toBe(1)
    expect(stored.map(([byte]) => byte)).toEqual([1, 2])
    // Not stored yet, so not sent, and not acked.
    expect(pending.map(([byte]) => byte)).toEqual([3, 4])
    expect(resume?.entries()).toEqual([[origin, 5]])
  })

  test("[H2] without what another tab typed, until that is in storage", () => {
    const harness = new Harness()
    harness.storing = false
    harness.type(notes, 3)
    const bytes = Uint8Array.of(4)
    harness.input({ type: "local-update", document: notes, bytes, withheld: true })
    harness.type(notes, 5)
    const begin = (): number[][] => {
      const { pending, withheld } = harness.core.opening(notes, readOf())
      return [pending, withheld].map((updates) => updates.flatMap(([byte]) => byte ?? []))
    }
    expect(begin()).toEqual([[3, 5], [4]])
    while (harness.core.storing) harness.input({ type: "stored", result: { ok: true } })
    expect(begin()).toEqual([[3, 4, 5], []])
  })

  test("[C5] [C8] no resume point of what goes on from what can't be read", () => {
    const harness = open()
    harness.storing = false
    deliver(harness, vector([origin, 5]), 2)
    const failure = { ok: false, code: "failed", message: "" } as const
    const { generation, stored, resume } = harness.core.opening(notes, failure)
    expect([generation, stored.map(([byte]) => byte), resume]).toEqual([1, [2], undefined])
  })

  test("[R7] nothing of an earlier generation than what is pending", () => {
    const update = { seq: 1, document: notes, generation: 2, bytes: Uint8Array.of(8) }
    const harness = new Harness({ stored: { ...emptyClient(), outbox: [update], nextSeq: 2 } })
    const opening = harness.core.opening(notes, readOf(copy))
    expect(opening).toEqual({
      generation: 0,
      stored: [],
      pending: [update.bytes],
      withheld: [],
      resume: undefined,
    })
  })

  test("[C5] [C8] the stored vector is stated, and the copy goes on from there", () => {
    const harness = new Harness()
    const { generation, stored, resume = vector() } = harness.core.opening(notes, readOf(copy))
    const point = { type: "vector", vector: resume } as const
    harness.input({ type: "open-document", document: notes, generation, resume: point, stored })
    const [message] = harness.connect({ version: 2 }).filter(({ type }) => type === "open")
    expect(message).toMatchObject({ generation: 1, resume: { vector: vector([origin, 4]) } })
    harness.serve(1, vector([other, 2]))
    expect(copyOf(harness)?.resume?.entries()).toEqual([
      [origin, 4],
      [other, 2],
    ])
  })
})

describe("rewriting a copy", () => {
  function grow(harness: Harness): ClientEffect[] {
    const effects: ClientEffect[] = []
    for (let seq = 2; seq < clientLimits.compactRecordsMax + 1; seq++) {
      effects.push(...deliver(harness, vector([origin, seq]), 1))
    }
    expect(only(effects, "compact")).toEqual([])
    return deliver(harness, vector([origin, 5000]), 1)
  }
  const state = Uint8Array.of(99)

  test("[C9] it is asked for once it has many records, and takes the place of all", () => {
    const harness = open()
    expect(only(grow(harness), "compact")).toEqual([{ type: "compact", document: notes }])
    expect(only(deliver(harness, vector([origin, 5001]), 1), "compact")).toHaveLength(1)
    harness.input({ type: "compacted", document: notes, state })
    expect(shown(copyOf(harness))).toEqual([[99], [[origin, 5001]]])
    expect(only(deliver(harness, vector([origin, 5002]), 3), "compact")).toEqual([])
    expect(shown(copyOf(harness))).toEqual([[99, 3], [[origin, 5002]]])
  })

  test("[C9] or many bytes, but no fewer than it began with", () => {
    const harness = new Harness()
    const stored = [new Uint8Array(clientLimits.compactBytesMin * 3)]
    const resume = { type: "vector", vector: vector([origin, 1]) } as const
    harness.input({ type: "open-document", document: notes, generation: 1, resume, stored })
    harness.connect({ version: 2 })
    harness.serve(1, vector([origin, 1]))
    const updates = [new Uint8Array(clientLimits.compactBytesMin)]
    const asked = [2, 3, 4].map((seq) => {
      const point = vector([origin, seq])
      const frame = {
        type: "updates",
        handle: 101,
        complete: false,
        resume: point,
        updates,
      } as const
      return only(harness.node(frame), "compact").length
    })
    expect(asked).toEqual([0, 0, 1])
  })

  test("[C9] an answer is not taken if something was delivered, typed or refused since", () => {
    const harness = open()
    grow(harness)
    deliver(harness, vector([origin, 5001]), 4)
    // Asked again, and typed before the answer.
    harness.type(notes, 6)
    harness.input({ type: "compacted", document: notes, state })
    expect(copyOf(harness)?.updates.length).toBeGreaterThan(1000)
    const acked = harness.node(ack(1, [1, 5002]))
    expect(only(acked, "compact")).toHaveLength(1)
    harness.type(notes, 7)
    harness.node({ type: "reject", seq: 2, code: "invalid-update", message: "" })
    harness.input({ type: "compacted", document: notes, state })
    expect(copyOf(harness)?.updates.length).toBeGreaterThan(1000)
  })

  test("[C9] what storage can't follow is not written, and all of it is once it can", () => {
    const harness = open()
    harness.storing = false
    const bytes = new Uint8Array(clientLimits.copyBytesWaitingMax / 4)
    for (let seq = 2; seq < 8; seq++) {
      const resume = vector([origin, seq])
      const updates = [bytes]
      harness.node({ type: "updates", handle: 101, complete: false, resume, updates })
    }
    const written = (): number => copyOf(harness)?.updates.length ?? 0
    const asked: ClientEffect[] = []
    for (let round = 0; round < 2; round++) {
      asked.push(...harness.input({ type: "stored", result: { ok: true } }))
    }
    expect(written()).toBe(4)
    expect(copyOf(harness)?.resume?.get(origin)).toBe(5)
    expect(only(asked, "compact")).toHaveLength(1)
    harness.input({ type: "compacted", document: notes, state })
    expect(shown(copyOf(harness))).toEqual([[99], [[origin, 7]]])
  })

  test("[C9] nor for ever if the replica could not say what it has when it was asked", () => {
    const harness = open()
    harness.storing = false
    const updates = [new Uint8Array(clientLimits.copyBytesWaitingMax / 4)]
    for (let seq = 2; seq < 8; seq++) {
      const resume = vector([origin, seq])
      harness.node({ type: "updates", handle: 101, complete: false, resume, updates })
    }
    for (let round = 0; round < 2; round++) {
      harness.input({ type: "stored", result: { ok: true } })
    }
    expect(only(deliver(harness, vector([origin, 8]), 8), "compact")).toHaveLength(1)
    harness.input({ type: "compacted", document: notes, state })
    expect(shown(copyOf(harness))).toEqual([[99], [[origin, 8]]])
  })
})

describe("the copy of a deleted document", () => {
  test("[C12] [R7] goes at once if nothing that was typed is kept", () => {
    const harness = open()
    deliver(harness, vector([origin, 3]), 7)
    harness.node(closed)
    expect(copyOf(harness)).toBeUndefined()
  })

  test("[C12] [R7] stays until the app closes it, if something is", () => {
    const harness = open()
    deliver(harness, vector([origin, 3]), 7)
    harness.input({ type: "go-offline" })
    harness.type(notes, 5)
    harness.input({ type: "go-online" })
    harness.connect({ version: 2 })
    harness.node(closed)
    expect(shown(copyOf(harness))).toEqual([[7], [[origin, 3]]])
    harness.input({ type: "close-document", document: notes })
    expect(copyOf(harness)).toBeUndefined()
  })

  test("[C12] [R7] or until it has let go of the last of that", () => {
    const harness = open()
    deliver(harness, vector([origin, 3]), 7)
    harness.input({ type: "go-offline" })
    harness.type(notes, 5)
    harness.type(notes, 6)
    harness.input({ type: "close-document", document: notes })
    harness.input({ type: "go-online" })
    harness.connect({ version: 2 })
    harness.node(closed)
    const refused = { type: "reject", code: "document-deleted", message: "" } as const
    for (const seq of [1, 2]) harness.node({ ...refused, seq })
    expect(copyOf(harness)).toBeDefined()
    harness.input({ type: "dismiss-rejected", seq: 1 })
    expect(copyOf(harness)).toBeDefined()
    harness.input({ type: "dismiss-rejected", seq: 2 })
    expect(copyOf(harness)).toBeUndefined()
  })

  test("[C12] gets nothing that a node acked of it after that", () => {
    const harness = open()
    harness.type(notes, 5)
    harness.node(closed)
    harness.node(ack(1))
    expect(copyOf(harness)?.updates ?? []).toEqual([])
  })
})
