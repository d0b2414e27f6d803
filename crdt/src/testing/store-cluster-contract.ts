/**
 * What every durable store does with records of no document: they are in their origin's log like
 * any other, in no document, and an opening tells them. Rule [M1].
 */
import { expect, test } from "vitest"
import { encodeRecord } from "../log/index.ts"
import type { ClusterFields } from "../log/index.ts"
import {
  appended,
  byOrigin,
  readDocument,
  readOrigin,
  testDocument,
  testOrigin,
  testRecord,
} from "./store-fixtures.ts"
import { openFixture } from "./store-under-test.ts"
import type { StoreUnderTest } from "./store-under-test.ts"

const document = testDocument("a")
const foreign = testOrigin("foreign")

function clusterRecord(fields: ClusterFields): Uint8Array {
  return encodeRecord(fields)
}

const update = testRecord({ document })
const member = clusterRecord({ kind: "member", atMs: 1, address: "a:1" })
const retire = clusterRecord({ kind: "retire", atMs: 2, origins: [testOrigin("gone")] })
const cut = clusterRecord({ kind: "cut", atMs: 3, origin: foreign, keepSeq: 9 })
/** Of a kind that only a later version knows. */
const unknown = Uint8Array.of(1, 200, 7, 7)

async function filled(underTest: StoreUnderTest) {
  const opened = await openFixture(underTest)
  const own = [member, update, unknown, retire]
  const adopted = [{ origin: foreign, firstSeq: 1, records: [update, unknown, cut] }]
  await appended(opened.store, { own, adopted })
  const { origin } = opened.store.opened
  const expected = byOrigin([
    { origin, seq: 1, record: member },
    { origin, seq: 4, record: retire },
    { origin: foreign, seq: 3, record: cut },
  ])
  return { opened, origin, own, adopted, expected }
}

export function storeClusterContract(underTest: StoreUnderTest): void {
  test("[M1] records of no document are in the log, in none, and told at opening", async () => {
    const { opened, origin, own, adopted, expected } = await filled(underTest)
    expect(opened.store.opened.clusterRecords).toEqual([])
    const store = await opened.reopen()
    expect(byOrigin(store.opened.clusterRecords)).toEqual(expected)
    expect((await readOrigin(store, origin)).run.records).toEqual(own)
    expect((await readOrigin(store, foreign)).run.records).toEqual(adopted[0]?.records)
    expect(await readDocument(store, document)).toHaveLength(2)
  })

  test("[M1] [E4] an opening that looks through the log keeps them", async () => {
    const { opened, origin, own, expected } = await filled(underTest)
    const store = await opened.reopen({ why: "corrupt" })
    expect(byOrigin(store.opened.clusterRecords)).toEqual(expected)
    expect((await readOrigin(store, origin)).run.records).toEqual(own)
    expect(await readDocument(store, document)).toHaveLength(2)
  })

  test("[M1] [E3] one that is logged again is the cluster's under its new name too", async () => {
    const { opened, origin } = await filled(underTest)
    const store = await opened.reopen({ why: "overtaken", keepSeq: 1 })
    const fresh = store.opened.origin
    const again = byOrigin((await opened.reopen()).opened.clusterRecords)
    expect(again[origin]).toEqual([{ origin, seq: 1, record: member }])
    expect(again[fresh]?.[0]).toEqual({ origin: fresh, seq: 3, record: retire })
    expect(again[foreign]).toHaveLength(1)
  })
}
