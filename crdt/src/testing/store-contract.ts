/**
 * What every store must do (ports/store.ts), whatever is under it. A store's test calls
 * `storeContract` with how to open it and what it supports; the rest is here.
 */
import { describe, expect, test } from "vitest"
import { bytesEqual, InvariantError } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import { chainRecords, emptyHead, genesisHash } from "../log/index.ts"
import { storeClusterContract } from "./store-cluster-contract.ts"
import { storeCrashContract } from "./store-crash-contract.ts"
import { storeEpochContract } from "./store-epoch-contract.ts"
import {
  append,
  appended,
  byOrigin,
  close,
  read,
  readClient,
  readDocument,
  readOrigin,
  testClient,
  testDocument,
  testOrigin,
  testRecord,
} from "./store-fixtures.ts"
import { storeModelContract } from "./store-model-contract.ts"
import { storeSideContract } from "./store-side-contract.ts"
import { storeSnapshotContract } from "./store-snapshot-contract.ts"
import { openFixture } from "./store-under-test.ts"
import type { StoreUnderTest } from "./store-under-test.ts"

export function storeContract(name: string, underTest: StoreUnderTest): void {
  describe(`store contract: ${name}`, () => {
    appendRules(underTest)
    adoptionRules(underTest)
    readRules(underTest)
    closeRules(underTest)
    if (underTest.supports.durable) {
      durableRules(underTest)
      storeEpochContract(underTest)
      storeClusterContract(underTest)
    }
    storeSnapshotContract(underTest)
    storeSideContract(underTest)
    storeModelContract(underTest)
    if (underTest.supports.crash !== undefined) storeCrashContract(underTest.supports.crash)
  })
}

/** What any caller does with a store: enough where only the way to it differs. */
export function storeBasics(name: string, underTest: StoreUnderTest): void {
  describe(`store basics: ${name}`, () => {
    appendRules(underTest)
    closeRules(underTest)
    if (underTest.supports.durable) durableRules(underTest)
  })
}

const documentA = testDocument("a")
const documentB = testDocument("b")
const recordA = testRecord({ document: documentA })
const recordB = testRecord({ document: documentB })
const origin1 = testOrigin("one")
const origin2 = testOrigin("two")

function appendRules(underTest: StoreUnderTest): void {
  test("a new store holds its own origin and nothing else", async () => {
    const { store } = await openFixture(underTest)
    expect(store.opened.origin.startsWith(`${store.opened.node}@`)).toBe(true)
    expect(store.opened.heads).toEqual([[store.opened.origin, emptyHead]])
  })

  test("results come in the order of the calls, never inside the call", async () => {
    const { store } = await openFixture(underTest)
    const order: number[] = []
    let inside = true
    const note = (index: number) => () => {
      expect(inside).toBe(false)
      order.push(index)
    }
    for (let index = 0; index < 30; index += 3) {
      store.append({ own: [recordA, recordB], adopted: [] }, note(index))
      store.read({ type: "client", client: testClient(1) }, note(index + 1))
      const since = new VersionVector()
      store.read({ type: "document", document: documentA, since }, note(index + 2))
    }
    inside = false
    await readClient(store, testClient(1))
    expect(order).toEqual(Array.from({ length: 30 }, (_, index) => index))
  })

  test("own sequence numbers follow each other, across batches under way together", async () => {
    const { store } = await openFixture(underTest)
    const results = await Promise.all([
      appended(store, { own: [recordA, recordB] }),
      appended(store, { own: [recordA] }),
      appended(store, { own: [recordB, recordB, recordB] }),
    ])
    expect(results.map((result) => result.firstSeq)).toEqual([1, 3, 4])
    const records = [recordA, recordB, recordA, recordB, recordB, recordB]
    const head = chainRecords(emptyHead, store.opened.origin, records)
    expect(results[2]?.heads).toEqual([[store.opened.origin, head]])
  })

  test("an empty append succeeds, gives the next seq and changes nothing", async () => {
    const { store } = await openFixture(underTest)
    await appended(store, { own: [recordA] })
    expect(await appended(store, {})).toEqual({ ok: true, firstSeq: 2, heads: [] })
    expect((await readOrigin(store, store.opened.origin)).run.records).toEqual([recordA])
  })

  test("the caller's bytes stay the caller's", async () => {
    const { store } = await openFixture(underTest)
    const frame = new Uint8Array(3 + recordA.length)
    frame.set(recordA, 3)
    await appended(store, { own: [frame.subarray(3)] })
    expect(frame.subarray(3)).toEqual(recordA)
  })

  test("a record of the largest size comes back whole", async () => {
    const { store } = await openFixture(underTest)
    const body = Uint8Array.from({ length: 8 * 1024 * 1024 }, (_, index) => index % 251)
    const record = testRecord({ document: documentA, body })
    await appended(store, { own: [record, recordB] })
    const entries = await readDocument(store, documentA)
    expect(entries.map((entry) => bytesEqual(entry.record, record))).toEqual([true])
  })
}

function adoptionRules(underTest: StoreUnderTest): void {
  test("adopted runs are chained and their heads given, own first", async () => {
    const { store } = await openFixture(underTest)
    const records = [recordA, recordB]
    const first = await appended(store, {
      own: [recordB],
      adopted: [
        { origin: origin2, firstSeq: 1, records },
        { origin: origin1, firstSeq: 1, records: [recordB] },
        { origin: origin2, firstSeq: 3, records: [recordB] },
      ],
    })
    expect(first.heads).toEqual([
      [store.opened.origin, chainRecords(emptyHead, store.opened.origin, [recordB])],
      [origin2, chainRecords(emptyHead, origin2, [recordA, recordB, recordB])],
      [origin1, chainRecords(emptyHead, origin1, [recordB])],
    ])
    const next = await appended(store, {
      adopted: [{ origin: origin1, firstSeq: 2, records: [recordA] }],
    })
    expect(next.firstSeq).toBe(2)
    expect(next.heads).toEqual([[origin1, chainRecords(emptyHead, origin1, [recordB, recordA])]])
  })

  test.each([
    ["a gap", 3],
    ["a repeat", 1],
    ["seq 0", 0],
  ])("%s is refused in the call, and nothing of the batch is kept", async (_name, firstSeq) => {
    const { store } = await openFixture(underTest)
    store.append(
      { own: [], adopted: [{ origin: origin1, firstSeq: 1, records: [recordA] }] },
      () => undefined,
    )
    const bad = {
      own: [recordA],
      adopted: [
        { origin: origin2, firstSeq: 1, records: [recordA] },
        { origin: origin1, firstSeq, records: [recordB] },
      ],
    }
    expect(() => store.append(bad, () => undefined)).toThrow(InvariantError)
    expect((await appended(store, {})).firstSeq).toBe(1)
    expect((await readOrigin(store, origin2)).run.records).toEqual([])
    expect((await readOrigin(store, origin1)).run.records).toEqual([recordA])
    await appended(store, { adopted: [{ origin: origin1, firstSeq: 2, records: [recordB] }] })
  })

  test("the own origin can't be adopted", async () => {
    const { store } = await openFixture(underTest)
    const run = { origin: store.opened.origin, firstSeq: 1, records: [recordA] }
    expect(() => store.append({ own: [], adopted: [run] }, () => undefined)).toThrow(InvariantError)
  })
}

function readRules(underTest: StoreUnderTest): void {
  test("a read sees every append called before it and none called after", async () => {
    const { store } = await openFixture(underTest)
    const counts: Promise<number>[] = []
    const count = async () => (await readDocument(store, documentA)).length
    for (let index = 0; index < 5; index++) {
      counts.push(count())
      store.append({ own: [recordA], adopted: [] }, () => undefined)
    }
    counts.push(count())
    expect(await Promise.all(counts)).toEqual([0, 1, 2, 3, 4, 5])
  })

  test("a document read gives what `since` does not cover, each origin in order", async () => {
    const { store } = await openFixture(underTest)
    const own = store.opened.origin
    const records = [recordA, recordB, recordA, recordA]
    const adopted = [
      { origin: origin1, firstSeq: 1, records },
      { origin: origin2, firstSeq: 1, records: [recordB] },
    ]
    await appended(store, { own: [recordB, recordA], adopted })
    const seqs = async (document = documentA, since = new VersionVector()) =>
      Object.entries(byOrigin(await readDocument(store, document, since))).map(
        ([origin, entries]) => [origin, entries.map((entry) => entry.seq)] as const,
      )
    expect(Object.fromEntries(await seqs())).toEqual({ [own]: [2], [origin1]: [1, 3, 4] })
    const half = new VersionVector([
      [own, 2],
      [origin1, 2],
    ])
    expect(await seqs(documentA, half)).toEqual([[origin1, [3, 4]]])
    const beyond = new VersionVector([
      [own, 9],
      [origin1, 4],
      [testOrigin("unknown"), 7],
    ])
    expect(await seqs(documentA, beyond)).toEqual([])
    expect(await seqs(testDocument("nothing"))).toEqual([])
  })

  test("documents are told apart by engine, case and every character", async () => {
    const { store } = await openFixture(underTest)
    const documents = [
      testDocument("Ä/…/\u{1f980}"),
      testDocument("ä/…/\u{1f980}"),
      testDocument("x"),
      testDocument("x", "automerge"),
      testDocument("x "),
      testDocument("x\0"),
    ]
    await appended(store, { own: documents.map((document) => testRecord({ document })) })
    for (const [index, document] of documents.entries()) {
      const entries = await readDocument(store, document)
      expect(entries.map((entry) => entry.seq)).toEqual([index + 1])
    }
  })

  test("an origin read gives as many as fit, at least one, and the hash before", async () => {
    const { store } = await openFixture(underTest)
    const records = Array.from({ length: 10 }, (_, index) =>
      testRecord({ document: documentA, body: new Uint8Array(100).fill(index) }),
    )
    const size = records[0]?.length ?? 0
    await appended(store, { adopted: [{ origin: origin1, firstSeq: 1, records }] })
    const hashAt = (seq: number) => chainRecords(emptyHead, origin1, records.slice(0, seq)).hash
    const cases = [
      { fromSeq: 1, bytesMax: 0, length: 1 },
      { fromSeq: 4, bytesMax: 3 * size - 1, length: 2 },
      { fromSeq: 4, bytesMax: 3 * size, length: 3 },
      { fromSeq: 8, bytesMax: 100 * size, length: 3 },
      { fromSeq: 11, bytesMax: 100 * size, length: 0 },
    ]
    for (const { fromSeq, bytesMax, length } of cases) {
      const { run, previousHash } = await readOrigin(store, origin1, fromSeq, bytesMax)
      const expected = records.slice(fromSeq - 1, fromSeq - 1 + length)
      expect(run).toEqual({ origin: origin1, firstSeq: fromSeq, records: expected })
      expect(previousHash).toEqual(hashAt(fromSeq - 1))
    }
    const unknown = await readOrigin(store, origin2, 1, 1000)
    expect(unknown.run.records).toEqual([])
    expect(unknown.previousHash).toEqual(genesisHash)
  })

  test("a client's seq is the highest in the log, own or adopted", async () => {
    const { store } = await openFixture(underTest)
    const by = (client: number, seq: number) =>
      testRecord({ document: documentA, author: [client, seq] })
    await appended(store, { own: [by(1, 5), by(1, 4), by(2, 1), recordA] })
    const adopted = [{ origin: origin1, firstSeq: 1, records: [by(1, 3), by(2, 9)] }]
    await appended(store, { adopted })
    expect(await readClient(store, testClient(1))).toBe(5)
    expect(await readClient(store, testClient(2))).toBe(9)
    expect(await readClient(store, testClient(3))).toBe(0)
    await appended(store, { own: [by(3, Number.MAX_SAFE_INTEGER)] })
    expect(await readClient(store, testClient(3))).toBe(Number.MAX_SAFE_INTEGER)
  })
}

function closeRules(underTest: StoreUnderTest): void {
  test("close lets what is under way finish, and later calls fail, all in order", async () => {
    const { store } = await openFixture(underTest)
    const order: string[] = []
    const note = (text: string) => order.push(text)
    store.append({ own: [recordA], adopted: [] }, (result) => note(`append ${result.ok}`))
    const query = { type: "client", client: testClient(1) } as const
    store.read(query, (result) => note(result.type))
    const firstClosed = close(store).then(() => note("closed"))
    store.read(query, (result) => note(`late ${result.type}`))
    const late = append(store, { own: [recordA] })
    await firstClosed
    expect(await late).toMatchObject({ ok: false, code: "store-failed" })
    expect(order.slice(0, 3)).toEqual(["append true", "client", "late failed"])
    await close(store)
    expect(await read(store, query)).toMatchObject({ type: "failed", code: "store-failed" })
  })
}

function durableRules(underTest: StoreUnderTest): void {
  test("everything is there after close and open", async () => {
    const opened = await openFixture(underTest)
    const { node, origin } = opened.store.opened
    const own = [testRecord({ document: documentA, author: [7, 3] }), recordB]
    await appended(opened.store, { own })
    await appended(opened.store, {
      adopted: [{ origin: origin1, firstSeq: 1, records: [recordA] }],
    })
    const before = await readDocument(opened.store, documentA)
    const store = await opened.reopen()
    expect(store.opened.node).toBe(node)
    expect(store.opened.origin).toBe(origin)
    expect(new Map(store.opened.heads)).toEqual(
      new Map([
        [origin, chainRecords(emptyHead, origin, own)],
        [origin1, chainRecords(emptyHead, origin1, [recordA])],
      ]),
    )
    expect(byOrigin(await readDocument(store, documentA))).toEqual(byOrigin(before))
    expect(await readClient(store, testClient(7))).toBe(3)
    expect((await appended(store, { own: [recordA] })).firstSeq).toBe(3)
    const gap = { origin: origin1, firstSeq: 1, records: [recordA] }
    expect(() => store.append({ own: [], adopted: [gap] }, () => undefined)).toThrow(InvariantError)
  })
}
