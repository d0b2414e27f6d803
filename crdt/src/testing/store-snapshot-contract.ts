/**
 * What every store does with snapshots, floors and raised heads: the rules by name, and random
 * histories compared with MemoryLog, restarts and openings in doubt among them. Rules [K1]–[K6].
 */
// oxlint-disable vitest/no-standalone-expect -- a class whose methods the tests call.
import fc from "fast-check"
import { expect, test } from "vitest"
import { assert } from "../base/index.ts"
import type { DocumentId, OriginId } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import { encodeRecord, MemoryLog, readLog } from "../log/index.ts"
import type { LogBatch } from "../log/index.ts"
import type { ReadQuery, ReadResult, ReopenDoubt, Store } from "../ports/index.ts"
import {
  append,
  byOrigin,
  close,
  read,
  readClient,
  testClient,
  testDocument,
  testOrigin,
  testRecord,
} from "./store-fixtures.ts"
import { openFixture } from "./store-under-test.ts"
import type { StoreUnderTest } from "./store-under-test.ts"

const a = testDocument("a")
const b = testDocument("b\u{1f980}")
const c = testDocument("b\uff5e")
const documents = [a, b, c]
const foreign = testOrigin("one")
const clients = [7, 8]
const state = Uint8Array.of(42)

function numbered(seq: number): Uint8Array {
  const document = seq % 2 === 1 ? a : b
  return testRecord({ document, author: [seq > 10 ? 8 : 7, seq], body: Uint8Array.of(seq) })
}

function vector(...seqs: (readonly [OriginId, number])[]): VersionVector {
  return new VersionVector(seqs)
}

/** A store and the model of it; every batch goes to both. */
class Pair {
  store: Store
  readonly model: MemoryLog

  constructor(store: Store) {
    this.store = store
    this.model = new MemoryLog(store.opened.origin)
  }

  async write(rest: Partial<LogBatch>): Promise<void> {
    const batch = { own: [], adopted: [], ...rest }
    const refusal = this.model.refusal(batch)
    const expected = refusal === undefined ? { ok: true } : { ok: false, code: "refused" }
    const heads = refusal === undefined ? this.#heads(batch) : undefined
    const result = await append(this.store, batch)
    expect(result).toMatchObject(expected)
    if (result.ok) expect(new Map(result.heads)).toEqual(heads)
  }

  #heads(batch: LogBatch): Map<OriginId, unknown> {
    const { origin } = this.model
    const touched = new Set(batch.adopted.map((run) => run.origin))
    for (const [raised] of batch.raise ?? []) touched.add(raised)
    if (batch.own.length > 0) touched.add(origin)
    this.model.append(batch)
    return new Map([...touched].map((one) => [one, this.model.head(one)]))
  }

  async same(query: ReadQuery): Promise<void> {
    const expected = comparable(readLog(this.model, query))
    expect(comparable(await read(this.store, query))).toEqual(expected)
  }

  /** All that can be read is the same in both. */
  async compare(since: VersionVector = vector()): Promise<void> {
    const origins = this.model.heads().map(([origin]) => origin)
    for (const document of documents) await this.same({ type: "document", document, since })
    for (const origin of origins) {
      const { seq: floor } = this.model.floor(origin)
      for (const fromSeq of [1, floor, floor + 1].filter((seq) => seq > 0)) {
        await this.same({ type: "origin", origin, fromSeq, bytesMax: 1e9 })
      }
    }
    for (const client of clients.map(testClient)) {
      expect(await readClient(this.store, client)).toBe(this.model.readClient(client))
    }
    await this.same({ type: "changed", since, after: undefined, limit: 2 })
    await this.same({ type: "changed", since, after: a, limit: 9 })
    const upTo = new VersionVector(this.model.heads().map(([origin, { seq }]) => [origin, seq]))
    await this.same({ type: "foldable", upTo, limit: 2 })
  }

  compareOpened(): void {
    const { heads, floors, origin } = this.store.opened
    expect(origin).toBe(this.model.origin)
    expect(new Map(heads)).toEqual(new Map(this.model.heads()))
    expect(new Map(floors)).toEqual(new Map(this.model.floors()))
  }
}

/** Only the order that a store promises, and no sizes, of which it says about how much they are. */
function comparable(result: ReadResult): unknown {
  if (result.type === "foldable") return [result.documents, result.floors]
  if (result.type === "changed") {
    const found = result.documents.map((one) => [one.document, one.vector.entries()])
    return [found, result.next]
  }
  if (result.type !== "document") return result
  const { snapshot, entries } = result
  return [byOrigin(entries), snapshot?.folded.entries(), [...(snapshot?.state ?? [])]]
}

async function openPair(underTest: StoreUnderTest) {
  const opened = await openFixture(underTest)
  const pair = new Pair(opened.store)
  const reopen = async (...how: Parameters<typeof opened.reopen>) => {
    pair.store = await opened.reopen(...how)
  }
  return { pair, own: pair.model.origin, reopen }
}

/** Own: a b a b a, by client 7; foreign: b a, by client 8. */
async function filledPair(underTest: StoreUnderTest) {
  const opened = await openPair(underTest)
  const records = [numbered(12), numbered(11)]
  await opened.pair.write({
    own: [1, 2, 3, 4, 5].map(numbered),
    adopted: [{ origin: foreign, firstSeq: 1, records }],
  })
  const { own } = opened
  const foldedA = { document: a, state, folded: vector([own, 5], [foreign, 2]) }
  const foldedB = { document: b, state, folded: vector([own, 4], [foreign, 1]) }
  return { ...opened, foldedA, foldedB, snapshots: [foldedA, foldedB] }
}

export function storeSnapshotContract(underTest: StoreUnderTest): void {
  rules(underTest)
  if (underTest.supports.durable) doubts(underTest)
  if (underTest.supports.damage) readBack(underTest)
  histories(underTest)
}

function rules(underTest: StoreUnderTest): void {
  test("[K1] [K3] snapshots and entries, folded and not, since any vector", async () => {
    const { pair, own, foldedA } = await filledPair(underTest)
    await pair.write({ snapshots: [{ document: a, state, folded: vector([own, 3]) }] })
    for (const seq of [0, 1, 3, 5]) await pair.compare(vector([own, seq]))
    await pair.write({ snapshots: [foldedA] })
    for (const seq of [0, 3, 5]) await pair.compare(vector([own, seq], [foreign, 1]))
  })

  test("[K1] [K2] what is refused leaves nothing behind, whatever was with it", async () => {
    const { pair, own, foldedA, snapshots } = await filledPair(underTest)
    await pair.write({ snapshots: [foldedA] })
    const less = { document: a, state: Uint8Array.of(1), folded: vector([own, 4]) }
    const bad: Partial<LogBatch>[] = [
      { snapshots: [less] },
      { floors: [[own, 2]] },
      { snapshots, floors: [[own, 6]] },
      { snapshots, floors: [[testOrigin("none"), 1]] },
      { snapshots: [...snapshots, less] },
    ]
    for (const batch of bad) {
      const own6 = { own: [numbered(6)], ...batch }
      expect(await append(pair.store, { adopted: [], ...own6 })).toMatchObject({ code: "refused" })
      await pair.compare()
    }
    await pair.write({ own: [numbered(6)] })
    await pair.compare()
  })

  test("[K2] floors: heads, numbering, hashes and clients stay", async () => {
    const { pair, own, snapshots } = await filledPair(underTest)
    await pair.write({ snapshots, floors: [[own, 4]] })
    for (const seq of [0, 1, 4, 5]) await pair.compare(vector([own, seq]))
    await pair.write({ own: [numbered(6), numbered(7)], floors: [[own, 5]] })
    await pair.compare()
    await pair.write({ floors: [[own, 2]] })
    await pair.compare()
    await pair.write({ snapshots: [{ ...snapshots[0], document: c, state, folded: vector() }] })
    await pair.compare()
  })

  test("[K2] records of no document stay below a floor", async () => {
    const { pair, own } = await openPair(underTest)
    const member = encodeRecord({ kind: "member", atMs: 0, address: "" })
    await pair.write({ own: [member, numbered(1), member] })
    const snapshot = { document: a, state, folded: vector([own, 2]) }
    await pair.write({ snapshots: [snapshot], floors: [[own, 3]] })
    await pair.compare()
    expect(pair.model.clusterRecords()).toHaveLength(2)
  })

  test("[K6] a raised head is a floor, and what was not folded is shown still", async () => {
    const { pair, own } = await filledPair(underTest)
    const head = { seq: 9, hash: new Uint8Array(16).fill(9) }
    const snapshot = { document: a, state, folded: vector([foreign, 8]) }
    await pair.write({ snapshots: [snapshot] })
    await pair.compare(vector([own, 5], [foreign, 2]))
    await pair.write({ raise: [[foreign, head]] })
    for (const seq of [0, 2, 8, 9]) await pair.compare(vector([own, 5], [foreign, seq]))
    await pair.write({ raise: [[foreign, { seq: 3, hash: head.hash }]] })
    await pair.write({ adopted: [{ origin: foreign, firstSeq: 10, records: [numbered(13)] }] })
    await pair.write({ snapshots: [{ document: b, state, folded: vector([foreign, 1]) }] })
    await pair.compare()
    const unknown = testOrigin("unknown")
    const records = [numbered(15)]
    await pair.write({
      raise: [[unknown, { seq: 3, hash: head.hash }]],
      adopted: [{ origin: unknown, firstSeq: 4, records }],
    })
    await pair.compare()
  })
}

const doubts3: readonly (ReopenDoubt | undefined)[] = [
  undefined,
  { why: "corrupt" },
  { why: "overtaken", keepSeq: 4 },
  { why: "overtaken", keepSeq: 3 },
  { why: "overtaken", keepSeq: 1 },
]

function doubts(underTest: StoreUnderTest): void {
  test.each(doubts3)("[K2] [K5] [K6] opened again, with doubt %j: as the model", async (doubt) => {
    const { pair, own, snapshots, reopen } = await filledPair(underTest)
    const raise = [[testOrigin("two"), { seq: 3, hash: new Uint8Array(16).fill(3) }]] as const
    const ahead = { document: c, state, folded: vector([testOrigin("three"), 3]) }
    await pair.write({ snapshots: [...snapshots, ahead], floors: [[own, 3]], raise })
    await pair.write({ own: [numbered(7)] })
    await reopen(doubt)
    renew(pair, doubt)
    pair.compareOpened()
    for (const seq of [0, 3]) await pair.compare(vector([own, seq]))
    await pair.write({ own: [numbered(9)] })
    await reopen()
    pair.compareOpened()
    await pair.compare()
  })

  if (!underTest.supports.damage) return
  test.each([
    ["above a floor", [5]],
    ["at the head", [6]],
  ])("[K5] [E4] damage %s: what a snapshot holds is logged again with it", async (_, seqs) => {
    const { pair, own, snapshots, reopen } = await filledPair(underTest)
    await pair.write({ snapshots, floors: [[own, 3]] })
    await pair.write({ own: [numbered(6)] })
    const damaged = seqs.map((seq) => ({ origin: own, seq }))
    await reopen({ why: "corrupt" }, async (fixture) => fixture.damage?.(damaged))
    const isDamaged = ({ origin, seq }: { origin: OriginId; seq: number }) =>
      origin === own && seqs.includes(seq)
    const { origin, renewed } = pair.store.opened
    expect(renewed).toMatchObject(pair.model.renew(origin, { isDamaged }))
    pair.compareOpened()
    await pair.compare()
  })

  test.each([
    ["with all its entries in the log", 0],
    ["that holds more than the log", 3],
  ])("[K5] a damaged snapshot %s: rebuilt, or named and not claimed", async (_, floor) => {
    const { pair, own, snapshots, reopen } = await filledPair(underTest)
    await pair.write({ snapshots, floors: [[own, floor]] })
    const damaged = [a]
    await reopen(undefined, async (fixture) => fixture.damageSnapshots?.(damaged))
    const query = { type: "document", document: a, since: vector() } as const
    expect(await read(pair.store, query)).toMatchObject({ type: "failed", code: "corrupt" })
    await pair.same({ ...query, document: b })
    await reopen({ why: "corrupt" })
    const isSnapshotDamaged = (document: DocumentId) => damaged.includes(document)
    const { origin, renewed } = pair.store.opened
    expect(renewed).toMatchObject(pair.model.renew(origin, { isSnapshotDamaged }))
    expect(renewed?.lostDocuments).toEqual(floor > 0 ? [a] : [])
    pair.compareOpened()
    await pair.compare()
  })
}

/** What is folded and damaged before a floor passes it. */
function readBack(underTest: StoreUnderTest): void {
  const floorsOf = async (pair: Pair, floors: LogBatch["floors"] = [], bytesMax = 1e9) => {
    return read(pair.store, { type: "sound-floors", floors, bytesMax })
  }

  test("[K12] floors stop before what is held by a snapshot that can't be read", async () => {
    const { pair, own, snapshots, reopen } = await filledPair(underTest)
    await pair.write({ snapshots })
    await reopen(undefined, async (fixture) => fixture.damageSnapshots?.([b]))
    const floors = [
      [own, 5],
      [foreign, 2],
    ] as const
    const sound = { type: "sound-floors", floors: [[own, 1]], unreadable: [b] }
    expect(await floorsOf(pair, floors)).toEqual(sound)
    for (const [origin, seq] of [...floors, [own, 2] as const]) {
      const refused = await append(pair.store, { own: [numbered(6)], floors: [[origin, seq]] })
      expect(refused).toMatchObject({ ok: false, code: "unreadable" })
    }
    await pair.write({ floors: [[own, 1]] })
    for (const origin of [own, foreign]) {
      await pair.same({ type: "origin", origin, fromSeq: 2, bytesMax: 1e9 })
    }
    await pair.same({ type: "document", document: a, since: vector() })
    await reopen({ why: "corrupt" })
    const isSnapshotDamaged = (document: DocumentId) => document === b
    const { origin, renewed } = pair.store.opened
    expect(renewed).toMatchObject(pair.model.renew(origin, { isSnapshotDamaged }))
    expect(renewed?.lostCount).toBe(0)
    const { entries } = pair.model.readDocument(b)
    expect(new Set(entries.map(({ record }) => record.at(-1)))).toEqual(new Set([2, 4, 12]))
    await pair.compare()
  })

  test("[K12] without floors nothing is lost with a snapshot; it is folded again", async () => {
    const { pair, own, snapshots, foldedA, reopen } = await filledPair(underTest)
    await pair.write({ snapshots })
    await reopen(undefined, async (fixture) => fixture.damageSnapshots?.([a]))
    expect(await floorsOf(pair, [[own, 5]])).toMatchObject({ floors: [], unreadable: [a] })
    await reopen({ why: "corrupt" })
    const isSnapshotDamaged = (document: DocumentId) => document === a
    const { origin, renewed } = pair.store.opened
    expect(renewed).toMatchObject(pair.model.renew(origin, { isSnapshotDamaged }))
    expect(renewed).toMatchObject({ lostCount: 0, lostDocuments: [] })
    await pair.compare()
    await pair.write({ snapshots: [foldedA], floors: [[own, 5]] })
    await pair.compare()
  })

  test("[K12] no more is read at a time than asked for, and nothing twice", async () => {
    const { pair, own, snapshots, reopen } = await filledPair(underTest)
    await pair.write({ snapshots })
    await reopen(undefined)
    const upTo = (seq: number) => ({ type: "sound-floors", floors: [[own, seq]], unreadable: [] })
    expect(await floorsOf(pair, [[own, 5]], 1)).toEqual(upTo(1))
    expect(await floorsOf(pair, [[own, 5]], 1)).toEqual(upTo(5))
    await pair.write({ snapshots })
    expect(await floorsOf(pair, [[own, 5]], 1)).toEqual(upTo(1))
    await pair.write({ floors: [[own, 5]] })
    await pair.compare()
  })
}

function renew({ store, model }: Pair, doubt: ReopenDoubt | undefined): void {
  if (doubt === undefined) return
  const options = doubt.why === "overtaken" ? { keepSeq: doubt.keepSeq } : {}
  expect(store.opened.renewed).toMatchObject(model.renew(store.opened.origin, options))
}

const seqs = fc.tuple(...[0, 1].map(() => fc.integer({ min: 0, max: 12 })))
const anyStep = fc.oneof(
  fc.record({
    type: fc.constant("write" as const),
    own: fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 4 }),
    adopted: fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 4 }),
  }),
  fc.record({
    type: fc.constant("fold" as const),
    document: fc.constantFrom(...documents),
    upTo: seqs,
    ahead: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 5 })),
    floors: seqs,
  }),
  fc.record({ type: fc.constant("truncate" as const), floors: seqs }),
  fc.record({ type: fc.constant("raise" as const), by: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ type: fc.constant("compare" as const), since: seqs }),
  fc.record({
    type: fc.constant("reopen" as const),
    doubt: fc.constantFrom(...doubts3),
  }),
)

type Step = typeof anyStep extends fc.Arbitrary<infer Value> ? Value : never

function histories(underTest: StoreUnderTest): void {
  test(`[K1] any history gives what the model gives (${underTest.modelRuns} runs)`, async () => {
    const any = fc.array(anyStep, { minLength: 1, maxLength: 40, size: "max" })
    await fc.assert(
      fc.asyncProperty(any, (steps) => follow(underTest, steps)),
      { numRuns: underTest.modelRuns },
    )
  })
}

async function follow(underTest: StoreUnderTest, steps: readonly Step[]): Promise<void> {
  const fixture = await underTest.fixture()
  const pair = new Pair(await fixture.open())
  try {
    for (const step of steps) {
      if (step.type !== "reopen") await take(step, pair)
      else if (underTest.supports.durable) {
        await close(pair.store)
        pair.store = await fixture.open(step.doubt)
        renew(pair, step.doubt)
        pair.compareOpened()
      }
    }
    await pair.compare()
  } finally {
    await close(pair.store)
    await fixture.remove()
  }
}

async function take(step: Exclude<Step, { type: "reopen" }>, pair: Pair): Promise<void> {
  const { model } = pair
  const named = ([own = 0, other = 0]: readonly number[]) =>
    [[model.origin, own] as const, [foreign, other] as const].filter(([, seq]) => seq > 0)
  switch (step.type) {
    case "write": {
      const firstSeq = model.head(foreign).seq + 1
      const records = step.adopted.map(numbered)
      const adopted = records.length > 0 ? [{ origin: foreign, firstSeq, records }] : []
      return pair.write({ own: step.own.map(numbered), adopted })
    }
    case "fold": {
      const { document } = step
      const held = model.readDocument(document)
      const folded = held.snapshot?.folded.clone() ?? vector()
      const upTo = vector(...named(step.upTo))
      for (const dot of held.entries) if (upTo.covers(dot)) folded.raise(dot.origin, dot.seq)
      if (step.ahead > 0) folded.raise(foreign, model.head(foreign).seq + step.ahead)
      const content = Uint8Array.from(folded.entries().flatMap(([, seq]) => [seq, 7]))
      const snapshots = [{ document, folded, state: content }]
      return pair.write({ snapshots, floors: named(step.floors) })
    }
    case "truncate":
      return pair.write({ floors: named(step.floors) })
    case "raise": {
      const seq = model.head(foreign).seq + step.by
      return pair.write({ raise: [[foreign, { seq, hash: new Uint8Array(16).fill(seq) }]] })
    }
    case "compare":
      return pair.compare(vector(...named(step.since)))
    default:
      return assert(false, "unknown step")
  }
}
