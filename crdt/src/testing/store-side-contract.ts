/**
 * What every store does with what it keeps beside entries and snapshots: leaves, notes, and what a
 * state transfer brings of entries that never come. Rules [K7] [G2].
 */
import { expect, test } from "vitest"
import { VersionVector } from "../clock/index.ts"
import type { Dot } from "../clock/index.ts"
import {
  bucketCount,
  bucketOf,
  chainRecords,
  compareDocuments,
  digestBytes,
  emptyHead,
  encodeRecord,
  hashOfLeaf,
  isBehind,
  sumOf,
} from "../log/index.ts"
import type { DigestLeaf, ReadQuery } from "../log/index.ts"
import type { Store } from "../ports/index.ts"
import {
  append,
  appended,
  byOrigin,
  read,
  readClient,
  testClient,
  testDocument,
  testOrigin,
  testRecord,
} from "./store-fixtures.ts"
import { openFixture } from "./store-under-test.ts"
import type { StoreUnderTest } from "./store-under-test.ts"

const foreign = testOrigin("foreign")
const document = testDocument("a")
const update = testRecord({ document, author: [1, 4] })
const retire = encodeRecord({ kind: "retire", atMs: 2, origins: [testOrigin("gone")] })
/** Of a kind that only a later version knows. */
const unknown = Uint8Array.of(1, 200, 7, 7)
const nothing = new VersionVector()

function leaf(name: number, content: number): DigestLeaf {
  const digest = (number: number) => digestBytes(Uint8Array.of(number))
  return { document: testDocument(`d${name}`), vector: digest(0), content: digest(content) }
}

async function leavesOf(store: Store, bucket: number): Promise<readonly DigestLeaf[]> {
  const result = await read(store, { type: "leaves", bucket })
  if (result.type !== "leaves") throw new Error(JSON.stringify(result))
  return result.leaves
}

async function sumsOf(store: Store, from: number, count: number) {
  const result = await read(store, { type: "bucket-sums", from, count })
  if (result.type !== "bucket-sums") throw new Error(JSON.stringify(result))
  return result.sums
}

async function clientsOf(store: Store, after: number | undefined, limit: number) {
  const client = after === undefined ? undefined : testClient(after)
  const result = await read(store, { type: "clients", after: client, limit })
  if (result.type !== "clients") throw new Error(JSON.stringify(result))
  return result.clients
}

type UndocumentedQuery = Extract<ReadQuery, { readonly type: "undocumented" }>

async function undocumentedPage(store: Store, query: Partial<UndocumentedQuery>) {
  const whole = { since: nothing, after: undefined, limit: 100, bytesMax: 10_000 }
  const result = await read(store, { type: "undocumented", ...whole, ...query })
  if (result.type !== "undocumented") throw new Error(JSON.stringify(result))
  return result
}

async function undocumentedOf(store: Store, since = nothing) {
  const { entries, next } = await undocumentedPage(store, { since })
  expect(next).toBe(undefined)
  return entries
}

export function storeSideContract(underTest: StoreUnderTest): void {
  noteRules(underTest)
  leafRules(underTest)
  transferRules(underTest)
}

function noteRules(underTest: StoreUnderTest): void {
  test("[K7] notes are written with their batch and told at the opening", async () => {
    const opened = await openFixture(underTest)
    expect(opened.store.opened.notes).toEqual([])
    const [one, other] = [Uint8Array.of(1), Uint8Array.of(2, 2)]
    const first = [["digested", one] as const, ["transfer", one] as const]
    await appended(opened.store, { own: [update], notes: first })
    await appended(opened.store, { notes: [["digested", other]] })
    const store = await opened.reopen()
    expect(store.opened.notes).toEqual([
      ["transfer", one],
      ["digested", other],
    ])
    await appended(store, { notes: [["transfer", undefined]] })
    expect((await opened.reopen()).opened.notes).toEqual([["digested", other]])
  })

  test("[K7] a log that is renewed has neither notes nor leaves", async () => {
    const opened = await openFixture(underTest)
    const notes = [["digested", Uint8Array.of(1)] as const]
    await appended(opened.store, { own: [update, update], notes, leaves: [leaf(1, 1)] })
    const store = await opened.reopen({ why: "overtaken", keepSeq: 1 })
    expect(store.opened.notes).toEqual([])
    expect(await sumsOf(store, 0, bucketCount)).toEqual([])
  })

  test("[K7] a batch that is refused leaves no note and no leaf", async () => {
    const { store } = await openFixture(underTest)
    await appended(store, { own: [update] })
    const { origin } = store.opened
    const notes = [["digested", Uint8Array.of(1)] as const]
    const refused = await append(store, { floors: [[origin, 1]], notes, leaves: [leaf(1, 1)] })
    expect(refused).toMatchObject({ ok: false, code: "refused" })
    expect(await sumsOf(store, 0, bucketCount)).toEqual([])
  })
}

function leafRules(underTest: StoreUnderTest): void {
  test("[G2] a document has one leaf, which its bucket tells and sums", async () => {
    const opened = await openFixture(underTest)
    const leaves = Array.from({ length: 200 }, (_, index) => leaf(index, 1))
    await appended(opened.store, { leaves })
    await appended(opened.store, { leaves: [leaf(3, 2)] })
    leaves[3] = leaf(3, 2)
    const store = await opened.reopen()
    const buckets = new Map<number, DigestLeaf[]>()
    for (const one of leaves) {
      const bucket = bucketOf(one.document)
      buckets.set(bucket, [...(buckets.get(bucket) ?? []), one])
    }
    const expected = [...buckets].sort(([left], [right]) => left - right)
    const half = expected[Math.floor(expected.length / 2)]?.[0] ?? 0
    const sums = [
      ...(await sumsOf(store, 0, half)),
      ...(await sumsOf(store, half, bucketCount - half)),
    ]
    expect(sums).toEqual(expected.map(([at, held]) => [at, sumOf(held.map(hashOfLeaf))]))
    for (const [bucket, held] of expected.slice(0, 20)) {
      held.sort((left, right) => compareDocuments(left.document, right.document))
      expect(await leavesOf(store, bucket)).toEqual(held)
    }
    expect(await leavesOf(store, (half + 1) % bucketCount)).toEqual(buckets.get(half + 1) ?? [])
  })
}

function transferRules(underTest: StoreUnderTest): void {
  test("[K7] entries of no document are told apart from a vector on", async () => {
    const { store } = await openFixture(underTest)
    await appended(store, { own: [update, retire, unknown, update] })
    const { origin } = store.opened
    const records = [unknown, retire]
    await appended(store, { adopted: [{ origin: foreign, firstSeq: 1, records }] })
    expect(byOrigin(await undocumentedOf(store))).toEqual(
      byOrigin([
        { origin, seq: 2, record: retire },
        { origin, seq: 3, record: unknown },
        { origin: foreign, seq: 1, record: unknown },
        { origin: foreign, seq: 2, record: retire },
      ]),
    )
    const since = new VersionVector([
      [origin, 2],
      [foreign, 2],
    ])
    expect(await undocumentedOf(store, since)).toEqual([{ origin, seq: 3, record: unknown }])
  })

  test("[K7] entries of no document are told page by page, in one order everywhere", async () => {
    const { store } = await openFixture(underTest)
    await appended(store, { own: [retire, update, unknown] })
    const names = ["z", "foreign", "m"].map((name) => testOrigin(name))
    for (const origin of names) {
      const records = [retire, update, retire, unknown]
      await appended(store, { adopted: [{ origin, firstSeq: 1, records }] })
    }
    const all = await undocumentedOf(store)
    expect(all).toHaveLength(11)
    const places = all.map(({ origin, seq }) => [origin, seq] as const)
    const inOrder = places.toSorted(([one, first], [other, second]) =>
      one === other ? first - second : one < other ? -1 : 1,
    )
    expect(places).toEqual(inOrder)
    const bytes = 2 * retire.length
    for (const bounds of [
      { limit: 1 },
      { limit: 4 },
      { limit: 11 },
      { bytesMax: bytes },
      { bytesMax: 1 },
    ]) {
      const told = []
      let after: Dot | undefined
      do {
        const { entries, next } = await undocumentedPage(store, { ...bounds, after })
        expect(entries.length).toBeGreaterThan(0)
        expect(entries.length).toBeLessThanOrEqual(bounds.limit ?? 11)
        told.push(...entries)
        after = next
      } while (after !== undefined)
      expect(told).toEqual(all)
    }
    const since = new VersionVector(names.map((origin) => [origin, 3]))
    const [lacked] = all.filter((dot) => !since.covers(dot) && dot.seq === 4)
    const after = lacked && { origin: lacked.origin, seq: 2 }
    const rest = all.filter((dot) => !since.covers(dot) && isBehind(dot, after))
    expect((await undocumentedPage(store, { since, after })).entries).toEqual(rest)
  })

  test("[K7] a transfer brings heads, what is of no document, and clients' numbers", async () => {
    const opened = await openFixture(underTest)
    const head = chainRecords(emptyHead, foreign, [update, retire, unknown, update])
    const below = [
      { origin: foreign, seq: 2, record: retire },
      { origin: foreign, seq: 3, record: unknown },
    ]
    const snapshots = [
      { document, state: Uint8Array.of(9), folded: new VersionVector([[foreign, 4]]) },
    ]
    await appended(opened.store, { own: [testRecord({ document, author: [2, 7] })] })
    const clients = [[testClient(1), 4] as const, [testClient(2), 5] as const]
    await appended(opened.store, { raise: [[foreign, head]], snapshots, below, clients })
    // Interrupted transfers bring things again.
    await appended(opened.store, { raise: [[foreign, head]], below, clients })
    for (const reopen of [false, true]) {
      const store = reopen ? await opened.reopen() : opened.store
      expect(byOrigin(await undocumentedOf(store))[foreign]).toEqual(below)
      expect(await readClient(store, testClient(1))).toBe(4)
      expect(await readClient(store, testClient(2))).toBe(7)
    }
    const records = opened.store.opened.clusterRecords
    expect(records).toEqual([{ origin: foreign, seq: 2, record: retire }])
    expect(opened.store.opened.floors).toEqual([[foreign, head]])
    const next = { origin: foreign, firstSeq: 5, records: [update] }
    await appended(opened.store, { adopted: [next] })
  })

  test("[K7] clients are told in order, page by page", async () => {
    const { store } = await openFixture(underTest)
    const own = [3, 1, 2].map((client) => testRecord({ document, author: [client, client * 10] }))
    await appended(store, { own, clients: [[testClient(4), 40]] })
    const all = [1, 2, 3, 4].map((client) => [testClient(client), client * 10])
    expect(await clientsOf(store, undefined, 10)).toEqual(all)
    expect(await clientsOf(store, undefined, 2)).toEqual(all.slice(0, 2))
    expect(await clientsOf(store, 2, 2)).toEqual(all.slice(2))
    expect(await clientsOf(store, 4, 2)).toEqual([])
  })
}
