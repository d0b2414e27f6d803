import { createHash } from "node:crypto"
import { deflateRawSync } from "node:zlib"
import * as A from "@automerge/automerge"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { bytesConcat } from "../../base/bytes-concat.ts"
import { bytesToHex } from "../../base/bytes.ts"
import { Writer } from "../../base/writer.ts"
import { EngineError } from "../engine.ts"
import { automergeEngine } from "./index.ts"
import { changeRowsMax, decodedRowsMax, inflatedBytesMax } from "./limits.ts"
import { anySteps, play, type Root } from "./test/history.ts"

const seed = 20_250_107
const { empty } = automergeEngine

/** False if it is refused as invalid; anything else that is thrown fails the test. */
function succeeds(run: () => unknown): boolean {
  try {
    run()
    return true
  } catch (error) {
    if (error instanceof EngineError && error.code === "invalid-update") return false
    throw error
  }
}

/** A chunk with the checksum it should have. */
function chunk(type: number, body: Uint8Array, hashed = body): Uint8Array {
  const sealed = new Writer()
    .u8(type === 2 ? 1 : type)
    .bytes(hashed)
    .finish()
  const sum = createHash("sha256").update(sealed).digest().subarray(0, 4)
  const head = new Writer().raw(Uint8Array.of(0x85, 0x6f, 0x4a, 0x83)).raw(sum)
  return head.u8(type).bytes(body).finish()
}

function bodyOf(change: Uint8Array): Uint8Array {
  let at = 9
  while ((change[at] ?? 0) >= 0x80) at += 1
  return change.subarray(at + 1)
}

type Fields = { readonly [key: string]: unknown }

function written(actor: string, edits: readonly ((draft: Root & Fields) => void)[]): Uint8Array[] {
  let document = A.init<Root & Fields>({ actor })
  for (const edit of edits) document = A.change(document, { time: 0 }, edit)
  const changes = A.getAllChanges(document)
  A.free(document)
  return changes
}

const twoChanges = () =>
  written("aa", [
    (draft) => Object.assign(draft, { a: 1 }),
    (draft) => Object.assign(draft, { b: 2 }),
  ])

describe("facts", () => {
  test("of changes: who wrote them, what they are called and what they need", () => {
    const [first = empty, second = empty] = twoChanges()
    const [one, two] = [first, second].map((change) => A.decodeChange(change).hash)
    expect(automergeEngine.validate(second)).toEqual({
      spans: [{ writer: "aa", from: 1, to: 2 }],
      waits: [{ writer: two, at: 0, on: one, clock: 0 }],
      needs: [one],
      gives: [two],
    })
    const both = automergeEngine.validate(bytesConcat([second, first]))
    expect(both.needs).toEqual([])
    expect(new Set(both.gives)).toEqual(new Set([one, two]))
  })

  test("of a document, the same as of its changes", () => {
    const property = fc.property(anySteps, (steps) => {
      const { updates, documents } = play(steps)
      for (const document of documents) {
        const saved = automergeEngine.validate(A.save(document))
        const single = automergeEngine.validate(bytesConcat(A.getAllChanges(document)))
        expect(new Set(saved.gives)).toEqual(new Set(single.gives))
        expect(saved.spans).toHaveLength(single.spans.length)
        expect(saved.needs).toEqual([])
        A.free(document)
      }
      for (const update of updates) automergeEngine.validate(update)
    })
    fc.assert(property, { seed, numRuns: 15 })
  })
})

describe("one change, however it comes", () => {
  test("deflated or not", () => {
    const [change = empty] = written("aa", [
      (draft) => Object.assign(draft, { text: "long text ".repeat(100) }),
    ])
    const body = bodyOf(change)
    const deflated = chunk(2, deflateRawSync(body), body)
    expect(deflated.length).toBeLessThan(change.length)
    expect(A.decodeChange(deflated)).toEqual(A.decodeChange(change))
    expect(automergeEngine.validate(deflated)).toEqual(automergeEngine.validate(change))
    expect(automergeEngine.merge([deflated, change])).toEqual(automergeEngine.merge([change]))
    expect(automergeEngine.merge([deflated])).toEqual(change)
  })

  test("with more operations than are decoded one by one", () => {
    const [change = empty] = written("aa", [
      (draft) => Object.assign(draft, { text: "x".repeat(decodedRowsMax + 1) }),
    ])
    expect(automergeEngine.validate(change).gives).toEqual([A.decodeChange(change).hash])
  })

  test("merged states are the same bytes in any order", () => {
    const property = fc.property(anySteps, (steps) => {
      const { updates, documents } = play(steps)
      for (const document of documents) A.free(document)
      const state = automergeEngine.merge(updates)
      expect(automergeEngine.merge(updates.toReversed())).toEqual(state)
      expect(automergeEngine.merge([state, state])).toEqual(state)
    })
    fc.assert(property, { seed, numRuns: 15 })
  })
})

describe("hostile bytes", () => {
  const [change = empty, second = empty] = twoChanges()

  test.each([
    ["no chunk", Uint8Array.of(1, 2, 3), "truncated"],
    ["another magic", Uint8Array.of(0x85, 0x6f, 0x4a, 0x84, ...change.subarray(4)), "no Automerge"],
    ["cut short", change.subarray(0, -1), "truncated"],
    ["trailing bytes", bytesConcat([change, Uint8Array.of(0)]), "truncated"],
    ["a wrong checksum", change.with(4, (change[4] ?? 0) ^ 1), "wrong checksum"],
    ["an unknown chunk", chunk(4, Uint8Array.of(1)), "unknown chunk"],
    ["a bundle", chunk(3, Uint8Array.of(1)), "unknown chunk"],
    ["a change that says nothing", chunk(1, Uint8Array.of()), "truncated"],
    ["deflated data that is none", chunk(2, Uint8Array.of(6)), "unknown block"],
    [
      "a deflated change with another's sum",
      chunk(2, deflateRawSync(bodyOf(second)), bodyOf(change)),
      "wrong checksum",
    ],
  ])("%s", (_, update, message) => {
    expect(() => automergeEngine.validate(update)).toThrow(message)
    expect(succeeds(() => automergeEngine.validate(update))).toBe(false)
    expect(succeeds(() => automergeEngine.merge([change, update]))).toBe(false)
  })

  test("a few bytes that unfold to more than memory holds", () => {
    const zeros = Buffer.alloc(inflatedBytesMax + 1)
    const bomb = chunk(2, deflateRawSync(zeros), zeros)
    expect(bomb.length).toBeLessThan(100_000)
    expect(() => automergeEngine.validate(bomb)).toThrow("length-over-limit")
  })

  test("a few bytes that stand for more operations than are allowed, on both sides", () => {
    const deleting = (count: number) => {
      const [, deletes = empty] = written("aa", [
        (draft) => Object.assign(draft, { list: Array.from({ length: count }, () => 1) }),
        (draft) => draft.list.splice(0, count),
      ])
      return deletes
    }
    const six = bytesToHex(bodyOf(deleting(6)))
    // The run of actions (six deletions); its column's length stands among the columns' heads.
    const claiming = (rows: number) => {
      const run = [0, 7, 14, 21].map((shift) => (rows >> shift) & 0x7f)
      const signed = Uint8Array.from(run, (bits, index) => (index < 3 ? bits | 0x80 : bits))
      const hex = six.replace("4202", "4205").replace("0603", `${bytesToHex(signed)}03`)
      expect(hex).toHaveLength(six.length + 6)
      return chunk(1, Uint8Array.from(Buffer.from(hex, "hex")))
    }
    expect(() => automergeEngine.validate(claiming(changeRowsMax))).toThrow("Automerge cannot")
    expect(() => automergeEngine.validate(claiming(changeRowsMax + 1))).toThrow(
      "too many operations",
    )
    const many = deleting(20_000)
    expect(many.length).toBeLessThan(200)
    expect(automergeEngine.validate(many).gives).toHaveLength(1)
  })

  test("mutated changes and documents: refused, or at worst unreadable on their own", () => {
    let taken = 0
    const anyMutations = fc.array(
      fc.array(fc.tuple(fc.nat(5000), fc.nat(255)), { minLength: 1, maxLength: 3 }),
      { minLength: 40, maxLength: 40 },
    )
    const property = fc.property(anySteps, anyMutations, (steps, mutations) => {
      const { updates, documents } = play(steps)
      const saved = documents.map((document) => A.save(document))
      const bases = [...updates, ...saved]
      const whole = automergeEngine.merge(updates)
      mutations.forEach((mutation, index) => {
        const base = bases[index % bases.length] ?? empty
        const body = Uint8Array.from(bodyOf(base))
        for (const [at, value] of mutation) body[at % body.length] = value
        const mutant = chunk(base[8] ?? 1, body)
        if (!succeeds(() => automergeEngine.validate(mutant))) return
        taken += 1
        const state = automergeEngine.merge([mutant, whole])
        automergeEngine.summaryOf(state)
        automergeEngine.difference(state, automergeEngine.summaryOf(whole))
        automergeEngine.includes(state, mutant)
        succeeds(() => automergeEngine.toJson(state))
        succeeds(() => automergeEngine.compact(state))
      })
      // Nothing of that has harmed the library itself.
      expect(automergeEngine.digest(whole)).toHaveLength(32)
      for (const document of documents) A.free(document)
    })
    fc.assert(property, { seed, numRuns: 15 })
    expect(taken).toBeGreaterThan(20)
  })
})

describe("forks: one actor, one number, two changes", () => {
  const [shared = empty] = written("aa", [(draft) => Object.assign(draft, { start: 1 })])
  const branch = (actor: string, from: readonly Uint8Array[], key: string): Uint8Array => {
    const [before] = A.applyChanges(A.init<Fields>({ actor }), [...from])
    const heads = A.getHeads(before)
    const after = A.change(before, { time: 0 }, (draft) => Object.assign(draft, { [key]: key }))
    const [made = empty] = A.getChangesSince(after, heads)
    A.free(before)
    return made
  }
  const [left, right] = [branch("bb", [shared], "left"), branch("bb", [shared], "right")]
  const onRight = branch("cc", [shared, right], "on right")
  const onLeft = branch("cc", [shared, left], "on left")

  test("are noticed before they are taken", () => {
    const frontier = automergeEngine.frontier(automergeEngine.merge([shared, left]))
    expect(frontier.contradicts(automergeEngine.validate(left))).toBe(false)
    expect(frontier.contradicts(automergeEngine.validate(onLeft))).toBe(false)
    expect(frontier.contradicts(automergeEngine.validate(right))).toBe(true)
  })

  test.each([
    ["as changes", (updates: Uint8Array[]) => automergeEngine.merge(updates)],
    [
      "as documents",
      (updates: Uint8Array[]) => {
        const half = updates.filter((update) => update !== left && update !== onLeft)
        const other = updates.filter((update) => update !== right && update !== onRight)
        return automergeEngine.merge(
          [half, other].map((part) => automergeEngine.compact(automergeEngine.merge(part))),
        )
      },
    ],
  ])("are kept, and read the same everywhere: %s", (_, make) => {
    const updates = [shared, left, right, onLeft, onRight]
    expect(() => A.applyChanges(A.init(), updates)).toThrow("duplicate seq")
    const state = make(updates)
    const winner = [left, right].map((change) => A.decodeChange(change).hash).toSorted()[0]
    const side = A.decodeChange(left).hash === winner ? "left" : "right"
    expect(automergeEngine.toJson(state)).toMatchObject({ start: 1, [side]: side })
    const lost = side === "left" ? "right" : "left"
    expect(automergeEngine.toJson(state)).not.toHaveProperty(lost)
    for (const update of updates) expect(automergeEngine.includes(state, update)).toBe(true)
    const compacted = automergeEngine.compact(state)
    for (const update of updates) expect(automergeEngine.includes(compacted, update)).toBe(true)
    expect(automergeEngine.toJson(compacted)).toEqual(automergeEngine.toJson(state))
    expect(automergeEngine.digest(compacted)).toEqual(automergeEngine.digest(state))
    const one = automergeEngine.merge([shared, left])
    expect(automergeEngine.digest(state)).not.toEqual(automergeEngine.digest(one))
    const difference = automergeEngine.difference(state, automergeEngine.summaryOf(one))
    expect(automergeEngine.digest(automergeEngine.merge([one, difference]))).toEqual(
      automergeEngine.digest(state),
    )
  })
})

test("JSON: every type of value", () => {
  const [change = empty] = written("aa", [
    (draft) =>
      Object.assign(draft, {
        z: new A.Counter(3),
        date: new Date(86_400_000),
        bytes: Uint8Array.of(1, 2),
        fixed: new A.ImmutableString("fixed"),
        text: "text 😀",
        list: [1, 1.5, true, null, { deep: [] }],
        __proto: 1,
      }),
  ])
  const json = automergeEngine.toJson(change)
  expect(json).toEqual({
    __proto: 1,
    bytes: "AQI=",
    date: "1970-01-02T00:00:00.000Z",
    fixed: "fixed",
    list: [1, 1.5, true, null, { deep: [] }],
    text: "text 😀",
    z: 3,
  })
  expect(Object.keys(json ?? {})).toEqual(Object.keys(json ?? {}).toSorted())
})

test("summaries: sorted heads, to the last byte", () => {
  const hash = (byte: number) => new Uint8Array(32).fill(byte)
  const heads = (...hashes: Uint8Array[]) =>
    new Writer().varUint(hashes.length).raw(bytesConcat(hashes)).finish()
  automergeEngine.validateSummary(heads(hash(1), hash(2)))
  for (const bad of [
    new Uint8Array(0),
    heads(hash(2), hash(1)),
    heads(hash(1), hash(1)),
    heads(hash(1)).subarray(0, -1),
    bytesConcat([heads(hash(1)), Uint8Array.of(0)]),
    new Writer().varUint(2 ** 40).finish(),
  ]) {
    expect(() => automergeEngine.validateSummary(bad)).toThrow(EngineError)
  }
  const [first = empty] = twoChanges()
  expect(automergeEngine.difference(first, heads(hash(1)))).toEqual(first)
})
