import { expect, test } from "vitest"
import { InvariantError } from "../base/index.ts"
import type { DocumentId, OriginId } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import type { Dot } from "../clock/index.ts"
import { testClient, testDocument, testOrigin, testRecord } from "../testing/store-fixtures.ts"
import { chainRecords, emptyHead, genesisHash } from "./chain.ts"
import { MemoryLog } from "./memory-log.ts"
import { bodyOf, decodeUpdate, encodeRecord } from "./record.ts"
import { lostNamedMax } from "./renewal.ts"

const own = testOrigin("own")
const other = testOrigin("other")
const fresh = testOrigin("own", 2)
const a = testDocument("a")
const b = testDocument("b")
const recordA = testRecord({ document: a, author: [1, 5] })
const recordB = testRecord({ document: b, author: [1, 4] })

test("an empty log has its own origin's empty head", () => {
  const log = new MemoryLog(own)
  expect(log.heads()).toEqual([[own, emptyHead]])
  expect(log.head(other)).toEqual(emptyHead)
  expect(log.documentIds()).toEqual([])
})

test("own records are numbered on, and heads are the chain's, in stable order", () => {
  const log = new MemoryLog(own)
  expect(log.appendOwn([recordA, recordB])).toBe(1)
  expect(log.appendOwn([recordB])).toBe(3)
  log.appendRun({ origin: other, firstSeq: 1, records: [recordA] })
  expect(log.heads()).toEqual([
    [other, chainRecords(emptyHead, other, [recordA])],
    [own, chainRecords(emptyHead, own, [recordA, recordB, recordB])],
  ])
})

test.each([0, 1, 3])("a run from %d on a log of one is refused and leaves no trace", (firstSeq) => {
  const log = new MemoryLog(own)
  log.appendRun({ origin: other, firstSeq: 1, records: [recordA] })
  const heads = log.heads()
  const run = { origin: other, firstSeq, records: [recordB] }
  expect(() => log.appendRun(run)).toThrow(InvariantError)
  expect(log.heads()).toEqual(heads)
  expect(log.readDocument(b).entries).toEqual([])
})

test("a document read gives what the vector does not cover", () => {
  const log = new MemoryLog(own)
  log.appendOwn([recordA, recordB, recordA])
  log.appendRun({ origin: other, firstSeq: 1, records: [recordA] })
  const dots = (since?: VersionVector) =>
    log.readDocument(a, since).entries.map(({ origin, seq, record }) => {
      expect(record).toEqual(recordA)
      return [origin, seq]
    })
  expect(dots()).toEqual([
    [own, 1],
    [own, 3],
    [other, 1],
  ])
  expect(dots(new VersionVector([[own, 2]]))).toEqual([
    [own, 3],
    [other, 1],
  ])
  expect(log.documentIds()).toEqual([a, b])
})

test("an origin read gives what fits, at least one, and the hash before", () => {
  const log = new MemoryLog(own)
  log.appendOwn([recordA, recordB, recordA])
  const size = recordA.length
  expect(log.readOrigin(own, 1, 0).run.records).toEqual([recordA])
  expect(log.readOrigin(own, 1, 2 * size).run.records).toEqual([recordA, recordB])
  expect(log.readOrigin(own, 1, 0).previousHash).toEqual(genesisHash)
  expect(log.readOrigin(own, 3, size)).toEqual({
    run: { origin: own, firstSeq: 3, records: [recordA] },
    previousHash: chainRecords(emptyHead, own, [recordA, recordB]).hash,
  })
  expect(log.readOrigin(own, 4, size)).toEqual({
    run: { origin: own, firstSeq: 4, records: [] },
    previousHash: log.head(own).hash,
  })
})

test("a client's seq is its highest, whichever came last", () => {
  const log = new MemoryLog(own)
  log.appendOwn([recordA, recordB])
  expect(log.readClient(testClient(1))).toBe(5)
  expect(log.readClient(testClient(2))).toBe(0)
})

function filled(): MemoryLog {
  const log = new MemoryLog(own)
  log.appendOwn(numbered([1, 2, 3, 4, 5]))
  log.appendRun({ origin: other, firstSeq: 1, records: [recordB, recordA] })
  return log
}

/** Records of one client, in documents that take turns. */
function numbered(seqs: readonly number[]): Uint8Array[] {
  return seqs.map((seq) =>
    testRecord({ document: seq % 2 === 1 ? a : b, author: [7, seq], body: Uint8Array.of(seq) }),
  )
}

function bodiesOf(log: MemoryLog, document: DocumentId): number[] {
  return log.readDocument(document).entries.flatMap(({ record }) => [...bodyOf(record)])
}

function readAll(log: MemoryLog, origin: OriginId): readonly Uint8Array[] {
  return log.readOrigin(origin, 1, Infinity).run.records
}

test("[E1] a renewed log numbers its writes under the fresh origin; the old log stays", () => {
  const log = filled()
  const heads = log.heads()
  expect(log.renew(fresh)).toMatchObject({ salvaged: 0, lost: [], lostCount: 0 })
  expect(log.origin).toBe(fresh)
  expect(new Map(log.heads())).toEqual(new Map([...heads, [fresh, emptyHead]]))
  expect(log.appendOwn([recordA])).toBe(1)
  expect(readAll(log, own)).toEqual(numbered([1, 2, 3, 4, 5]))
  expect(() => log.renew(own)).toThrow(InvariantError)
})

test("[E1] an origin that was never written under leaves nothing behind", () => {
  const log = new MemoryLog(own)
  log.renew(fresh)
  expect(log.heads()).toEqual([[fresh, emptyHead]])
})

test("[E3] what peers may hold otherwise is logged again whole under the fresh origin", () => {
  const log = filled()
  expect(log.renew(fresh, { keepSeq: 3 })).toMatchObject({ salvaged: 2, lost: [], lostCount: 0 })
  expect(log.head(own)).toEqual(chainRecords(emptyHead, own, numbered([1, 2, 3])))
  const cut = encodeRecord({ kind: "cut", atMs: 0, origin: own, keepSeq: 3 })
  expect(readAll(log, fresh)).toEqual([...numbered([4, 5]), cut])
  expect(log.readClient(testClient(7))).toBe(5)
  const theirs = numbered([4, 5, 6])
  log.appendRun({ origin: own, firstSeq: 4, records: theirs })
  expect(bodiesOf(log, a)).toEqual([1, 3, 1, 2, 3, 5, 5])
})

test("[E4] a damaged record costs no neighbour, and no client is told a number it lost", () => {
  const log = filled()
  const isDamaged = ({ origin, seq }: Dot) => (origin === own ? seq === 3 : seq === 1)
  const lost = [
    { origin: other, seq: 1 },
    { origin: own, seq: 3 },
  ]
  expect(log.renew(fresh, { isDamaged })).toMatchObject({ salvaged: 3, lost, lostCount: 2 })
  expect(readAll(log, own)).toEqual(numbered([1, 2]))
  expect(readAll(log, other)).toEqual([])
  const again = readAll(log, fresh).flatMap((record) => decodeUpdate(record) ?? [])
  expect(again.map(({ body }) => [...body])).toEqual([[1, 2, 3], [4], [5]])
  expect(again.map(({ document }) => document)).toEqual([a, b, a])
  expect(again.every(({ author }) => author === undefined)).toBe(true)
  expect(log.readClient(testClient(7))).toBe(2)
  expect(log.head(fresh)).toEqual(chainRecords(emptyHead, fresh, readAll(log, fresh)))
})

test("[E4] lost entries are named up to a bound, and all of them counted", () => {
  const log = new MemoryLog(own)
  log.appendOwn(Array.from({ length: 150 }, () => recordA))
  const { lost, lostCount, salvaged } = log.renew(fresh, { isDamaged: () => true })
  expect([lost.length, lostCount, salvaged]).toEqual([lostNamedMax, 150, 0])
})

test("a copy goes its own way", () => {
  const log = filled()
  const copy = log.copy()
  copy.appendOwn([recordA])
  copy.renew(fresh, { keepSeq: 1 })
  expect(log.heads()).toEqual(filled().heads())
  expect(log.readDocument(a)).toEqual(filled().readDocument(a))
  expect(log.readClient(testClient(7))).toBe(5)
  expect(copy.readDocument(a).entries.length).toBe(5)
})
