import { expect, test } from "vitest"
import { InvariantError } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import { testClient, testDocument, testOrigin, testRecord } from "../testing/store-fixtures.ts"
import { chainRecords, emptyHead, genesisHash } from "./chain.ts"
import { MemoryLog } from "./memory-log.ts"

const own = testOrigin("own")
const other = testOrigin("other")
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
  expect(log.readDocument(b)).toEqual([])
})

test("a document read gives what the vector does not cover", () => {
  const log = new MemoryLog(own)
  log.appendOwn([recordA, recordB, recordA])
  log.appendRun({ origin: other, firstSeq: 1, records: [recordA] })
  const dots = (since?: VersionVector) =>
    log.readDocument(a, since).map(({ origin, seq, record }) => {
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
