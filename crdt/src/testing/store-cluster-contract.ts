/**
 * What every durable store does with records of no document: they are in their origin's log like
 * any other, in no document, and an opening tells them. Rule [M1].
 */
import { expect, test } from "vitest"
import { VersionVector } from "../clock/index.ts"
import { encodeRecord } from "../log/index.ts"
import type { ClusterFields } from "../log/index.ts"
import type { Store } from "../ports/index.ts"
import {
  appended,
  byOrigin,
  read,
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

  test("[R1] [R2] generations are documents apart, and deletes outlive floors", async () => {
    const opened = await openFixture(underTest)
    const { origin } = opened.store.opened
    const later = testDocument("a", "yjs", 2)
    const own = [
      testRecord({ document, body: Uint8Array.of(1) }),
      clusterRecord({ kind: "delete", atMs: 1, document }),
      clusterRecord({ kind: "create", atMs: 2, document: later }),
      testRecord({ document: later, body: Uint8Array.of(2) }),
    ]
    await appended(opened.store, { own })
    const state = Uint8Array.of(9)
    const folded = new VersionVector([[origin, 4]])
    await appended(opened.store, {
      snapshots: [
        { document, state: Uint8Array.of(), folded: new VersionVector([[origin, 1]]) },
        { document: later, state, folded },
      ],
      floors: [[origin, 4]],
    })
    const shows = async (store: Store) => {
      const since = new VersionVector()
      const ended = await read(store, { type: "document", document, since })
      expect(ended).toMatchObject({ snapshot: { state: Uint8Array.of() }, entries: [] })
      const created = await read(store, { type: "document", document: later, since })
      expect(created).toMatchObject({ snapshot: { state }, entries: [] })
      const changed = await read(store, { type: "changed", since, after: undefined, limit: 9 })
      const documents = changed.type === "changed" ? changed.documents : []
      expect(documents.map((one) => one.document)).toEqual([document, later])
    }
    await shows(opened.store)
    const store = await opened.reopen()
    await shows(store)
    const records = store.opened.clusterRecords.map(({ record }) => record)
    expect(records).toEqual(own.slice(1, 3))
  })
}
