/** Snapshots, floors and raised heads of a MemoryLog, which every store is compared with. */
import { expect, test } from "vitest"
import type { DocumentId, OriginId } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import { testClient, testDocument, testOrigin, testRecord } from "../testing/store-fixtures.ts"
import { chainRecords, emptyHead } from "./chain.ts"
import { MemoryLog } from "./memory-log.ts"
import { readLog } from "./query.ts"
import { bodyOf, encodeRecord } from "./record.ts"
import { compareDocuments } from "./compare-documents.ts"

const own = testOrigin("own")
const other = testOrigin("other")
const fresh = testOrigin("own", 2)
const a = testDocument("a")
const b = testDocument("b")
const state = Uint8Array.of(42)

function vector(...seqs: [OriginId, number][]): VersionVector {
  return new VersionVector(seqs)
}

/** Own: a b a b a, by client 7 with numbers 1 to 5; other: b a. */
function filled(): MemoryLog {
  const log = new MemoryLog(own)
  log.append({ own: [1, 2, 3, 4, 5].map(numbered), adopted: [] })
  const records = [numbered(12), numbered(11)]
  log.append({ own: [], adopted: [{ origin: other, firstSeq: 1, records }] })
  return log
}

function numbered(seq: number): Uint8Array {
  const document = seq % 2 === 1 ? a : b
  const author = [seq > 10 ? 8 : 7, seq] as const
  return testRecord({ document, author, body: Uint8Array.of(seq) })
}

function snapshot(document: DocumentId, ...folded: [OriginId, number][]) {
  return { document, state, folded: vector(...folded) }
}

function write(log: MemoryLog, batch: Partial<Parameters<MemoryLog["append"]>[0]>): void {
  const whole = { own: [], adopted: [], ...batch }
  expect(log.refusal(whole)).toBe(undefined)
  log.append(whole)
}

function refusal(log: MemoryLog, batch: Partial<Parameters<MemoryLog["append"]>[0]>) {
  return log.refusal({ own: [], adopted: [], ...batch })
}

/** The bodies of a document's entries, and whether the snapshot came with them. */
function read(log: MemoryLog, document: DocumentId, since?: VersionVector) {
  const { snapshot: held, entries } = log.readDocument(document, since)
  return { bodies: entries.flatMap(({ record }) => [...bodyOf(record)]), held: held !== undefined }
}

const foldedA = snapshot(a, [own, 5], [other, 2])
const foldedB = snapshot(b, [own, 4], [other, 1])

test("[K1] a snapshot comes first, then what it lacks; the log is as it was", () => {
  const log = filled()
  write(log, { snapshots: [snapshot(a, [own, 3])] })
  expect(read(log, a)).toEqual({ held: true, bodies: [5, 11] })
  expect(log.readDocument(a).snapshot).toEqual({ state, folded: vector([own, 3]) })
  expect(read(log, b)).toEqual({ held: false, bodies: [2, 4, 12] })
  expect(log.readOrigin(own, 1, Infinity).run.records.length).toBe(5)
  // All of it is in the log: who has something is sent the rest as before.
  expect(read(log, a, vector([own, 1]))).toEqual({ held: false, bodies: [3, 5, 11] })
})

test("[K1] a snapshot that holds less than the one before is refused", () => {
  const log = filled()
  write(log, { snapshots: [snapshot(a, [own, 3])] })
  for (const folded of [[own, 2] as const, [other, 2] as const]) {
    const why = refusal(log, { snapshots: [snapshot(a, [...folded])] })
    expect(why).toEqual(expect.stringContaining("holds less"))
  }
  write(log, { snapshots: [foldedA] })
  expect(read(log, a)).toEqual({ held: true, bodies: [] })
})

test("[K2] a floor takes entries away, and neither heads nor numbers of clients", () => {
  const log = filled()
  const heads = log.heads()
  write(log, { snapshots: [foldedA, foldedB], floors: [[own, 4]] })
  expect(log.heads()).toEqual(heads)
  expect(log.floors()).toEqual([[own, chainRecords(emptyHead, own, [1, 2, 3, 4].map(numbered))]])
  expect(log.readOrigin(own, 5, Infinity)).toEqual({
    run: { origin: own, firstSeq: 5, records: [numbered(5)] },
    previousHash: log.floor(own).hash,
  })
  write(log, { floors: [[own, 5]] })
  expect(log.head(own)).toEqual(log.floor(own))
  expect(log.readClient(testClient(7))).toBe(5)
  expect(log.copy().heads()).toEqual(heads)
  expect(log.appendOwn([numbered(6)])).toBe(6)
  expect(log.head(own)).toEqual(chainRecords(emptyHead, own, [1, 2, 3, 4, 5, 6].map(numbered)))
})

test("[K2] a floor over what is not folded is refused", () => {
  const log = filled()
  expect(refusal(log, { floors: [[own, 1]] })).toMatch(/not folded/)
  write(log, { snapshots: [snapshot(a, [own, 3])] })
  expect(refusal(log, { floors: [[own, 1]] })).toBe(undefined)
  expect(refusal(log, { floors: [[own, 2]] })).toMatch(/not folded/)
  expect(refusal(log, { floors: [[own, 2]], snapshots: [snapshot(b, [own, 2])] })).toBe(undefined)
  expect(refusal(log, { floors: [[own, 6]] })).toMatch(/above the head/)
  expect(refusal(log, { floors: [[testOrigin("none"), 1]] })).toMatch(/above the head/)
})

test("[K2] records of no document stay below a floor, and hold none up", () => {
  const log = new MemoryLog(own)
  const member = encodeRecord({ kind: "member", atMs: 0, address: "" })
  write(log, { own: [member, numbered(1), member] })
  write(log, { snapshots: [snapshot(a, [own, 2])], floors: [[own, 3]] })
  expect(log.clusterRecords().map(({ seq }) => seq)).toEqual([1, 3])
  expect(log.floor(own).seq).toBe(3)
})

test("[K3] below a floor a document is read as its snapshot and what that lacks", () => {
  const log = filled()
  write(log, { snapshots: [foldedA, foldedB], floors: [[own, 3]] })
  write(log, { own: [numbered(7)] })
  expect(read(log, a)).toEqual({ held: true, bodies: [7] })
  expect(read(log, a, vector([own, 1]))).toEqual({ held: true, bodies: [7] })
  // Who has what is below the floor gets the rest as entries, folded or not.
  expect(read(log, a, vector([own, 3]))).toEqual({ held: false, bodies: [5, 11, 7] })
  expect(read(log, a, vector([own, 6], [other, 2]))).toEqual({ held: false, bodies: [] })
})

test("[K3] a snapshot ahead of the log goes to everybody who lacks something of it", () => {
  const log = filled()
  write(log, { snapshots: [snapshot(a, [other, 9])] })
  expect(read(log, a, vector([own, 5], [other, 2]))).toEqual({ held: true, bodies: [] })
  expect(read(log, a, vector([own, 5], [other, 9]))).toEqual({ held: false, bodies: [] })
})

test("[K3] an origin is read from above its floor", () => {
  const log = filled()
  write(log, { snapshots: [foldedA, foldedB], floors: [[own, 3]] })
  const query = { type: "origin", origin: own, bytesMax: 1e6 } as const
  const truncated = { type: "truncated", floor: log.floor(own) }
  for (const fromSeq of [1, 3]) expect(readLog(log, { ...query, fromSeq })).toEqual(truncated)
  expect(readLog(log, { ...query, fromSeq: 4 })).toMatchObject({ run: { firstSeq: 4 } })
})

test("[K4] what changed since a vector, in order of documents, page by page", () => {
  const log = filled()
  const c = testDocument("c")
  write(log, { own: [testRecord({ document: c })], snapshots: [foldedA, foldedB] })
  write(log, { floors: [[own, 5]] })
  const all = { document: a, vector: vector([own, 5], [other, 2]) }
  const page = log.readChanged(vector(), undefined, 2)
  expect(page.documents).toEqual([all, { document: b, vector: foldedB.folded }])
  expect(page.next).toBe(b)
  expect(log.readChanged(vector(), b, 2)).toEqual({
    documents: [{ document: c, vector: vector([own, 6]) }],
    next: undefined,
  })
  const names = (since: VersionVector) =>
    log.readChanged(since, undefined, 9).documents.map(({ document }) => document)
  expect(names(vector([own, 4], [other, 1]))).toEqual([a, c])
  expect(names(vector([own, 6], [other, 1]))).toEqual([a])
  expect(names(vector([own, 6], [other, 2]))).toEqual([])
})

test("[K4] documents are ordered by code points", () => {
  const names = ["a", "a\u{1f980}", "a\uff5e", "b", ""].map((name) => testDocument(`x${name}`))
  const sorted = ["", "a", "a\uff5e", "a\u{1f980}", "b"].map((name) => testDocument(`x${name}`))
  expect(names.sort(compareDocuments)).toEqual(sorted)
})

test("[K4] what compaction can work on: the oldest that are not folded, and floors", () => {
  const log = filled()
  const upTo = vector([own, 4], [other, 2])
  const foldable = (limit = 9) => {
    const { documents, floors } = log.readFoldable(upTo, limit)
    return { documents, floors }
  }
  expect(foldable()).toEqual({ documents: [b, a], floors: [] })
  expect(foldable(1)).toEqual({ documents: [b], floors: [] })
  write(log, { snapshots: [snapshot(a, [own, 3])] })
  expect(foldable()).toEqual({ documents: [b, a], floors: [[own, 1]] })
  write(log, { snapshots: [foldedA, foldedB] })
  const floors = [
    [other, 2],
    [own, 4],
  ]
  expect(foldable()).toEqual({ documents: [], floors })
  const before = log.sizes()
  write(log, { floors: [[own, 4]] })
  const bytes = [1, 2, 3, 4].reduce((sum, seq) => sum + numbered(seq).length, 0)
  expect(log.sizes()).toEqual({ ...before, logBytes: before.logBytes - bytes })
  expect(foldable()).toEqual({ documents: [], floors: [[other, 2]] })
})

test("[K6] a raised head is a floor; what is not folded stays, below it too", () => {
  const log = filled()
  const head = { seq: 9, hash: new Uint8Array(16).fill(9) }
  write(log, { snapshots: [snapshot(a, [other, 8])], raise: [[other, head]] })
  expect([log.head(other), log.floor(other)]).toEqual([head, head])
  expect(read(log, a)).toEqual({ held: true, bodies: [1, 3, 5] })
  expect(read(log, b)).toEqual({ held: false, bodies: [2, 4, 12] })
  write(log, { snapshots: [snapshot(b, [other, 7])] })
  expect(read(log, b, vector([own, 5]))).toEqual({ held: true, bodies: [] })
  expect(log.readClient(testClient(8))).toBe(12)
  write(log, { raise: [[other, { seq: 3, hash: head.hash }]] })
  expect(log.head(other)).toEqual(head)
  log.appendRun({ origin: other, firstSeq: 10, records: [numbered(13)] })
  expect(log.readOrigin(other, 10, 0).previousHash).toEqual(head.hash)
})

test("[K5] a damaged snapshot whose entries are all there is rebuilt from them", () => {
  const log = filled()
  const heads = new Map(log.heads())
  write(log, { snapshots: [foldedA, foldedB] })
  const isSnapshotDamaged = (document: DocumentId) => document === a
  expect(log.renew(fresh, { isSnapshotDamaged })).toMatchObject({ salvaged: 0, lostDocuments: [] })
  expect(new Map(log.heads())).toEqual(heads.set(fresh, emptyHead))
  expect(read(log, a)).toEqual({ held: false, bodies: [1, 3, 5, 11] })
  expect(read(log, b)).toEqual({ held: true, bodies: [] })
})

test("[K5] a damaged snapshot that held more is named, and nothing of it is claimed", () => {
  const log = filled()
  write(log, { snapshots: [foldedA, foldedB], floors: [[own, 4]] })
  const isSnapshotDamaged = (document: DocumentId) => document === a
  const renewal = log.renew(fresh, { isSnapshotDamaged })
  // The last entry, and what b's snapshot holds: if peers lost it too, it is nowhere else.
  expect(renewal).toMatchObject({ salvaged: 2, lostDocuments: [a], lostDocumentCount: 1 })
  const again = log.readOrigin(fresh, 1, Infinity).run.records.map((record) => [...bodyOf(record)])
  expect(again).toEqual([[5], [...state]])
  expect(new Map(log.heads()).get(own)).toEqual(emptyHead)
  expect(log.head(other).seq).toBe(2)
  expect(read(log, a)).toEqual({ held: false, bodies: [11, 5] })
  expect(read(log, b)).toEqual({ held: true, bodies: [...state] })
  expect(log.readClient(testClient(7))).toBe(0)
  // The snapshot of b holds what is not claimed here: who lacks it is sent it.
  expect(read(log, b, vector([fresh, 2]))).toEqual({ held: true, bodies: [] })
  log.appendRun({ origin: own, firstSeq: 1, records: [1, 2, 3, 4, 5].map(numbered) })
  expect(read(log, a)).toEqual({ held: false, bodies: [11, 5, 1, 3, 5] })
})

test("[K5] a lost entry that a snapshot holds is logged again with it", () => {
  const log = filled()
  write(log, { snapshots: [foldedA, foldedB] })
  const renewal = log.renew(fresh, { isDamaged: ({ origin, seq }) => origin === own && seq > 4 })
  expect(renewal).toMatchObject({ salvaged: 1, lostCount: 1, lostDocuments: [] })
  const [record] = log.readOrigin(fresh, 1, 0).run.records
  expect(record === undefined ? undefined : bodyOf(record)).toEqual(state)
})

test("[K5] [E3] behind a fork a snapshot says nothing about what others have there", () => {
  const log = filled()
  write(log, { snapshots: [foldedA, foldedB] })
  expect(log.renew(fresh, { keepSeq: 2 })).toMatchObject({ salvaged: 3 })
  log.appendRun({ origin: own, firstSeq: 3, records: [numbered(21), numbered(22)] })
  expect(read(log, a)).toEqual({ held: true, bodies: [3, 5, 21] })
  expect(read(log, b)).toEqual({ held: true, bodies: [4, 22] })
})

test("[K5] [E3] a fork below the floor: what only snapshots hold is logged again with them", () => {
  const log = filled()
  write(log, { snapshots: [foldedA, foldedB], floors: [[own, 4]] })
  expect(log.renew(fresh, { keepSeq: 3 })).toMatchObject({ salvaged: 3, lostCount: 0 })
  expect(log.head(own)).toEqual(emptyHead)
  expect(log.cuts()).toEqual([[own, 0]])
  expect(read(log, a)).toEqual({ held: true, bodies: [5, 42] })
  expect(read(log, b)).toEqual({ held: true, bodies: [42] })
})
