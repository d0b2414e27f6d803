/**
 * What every durable store must do when it is opened in doubt: the fresh epoch, what is kept, moved
 * and named, all as MemoryLog's `renew` does it. Rules [E1] [E3] [E4].
 */
import { expect, test } from "vitest"
import type { OriginId } from "../base/index.ts"
import { chainRecords, cutRecord, decodeUpdate, emptyHead, MemoryLog } from "../log/index.ts"
import type { RenewOptions } from "../log/index.ts"
import type { Store } from "../ports/index.ts"
import { openFixture } from "./store-under-test.ts"
import type { StoreUnderTest } from "./store-under-test.ts"
import {
  appended,
  byOrigin,
  readClient,
  readDocument,
  readOrigin,
  testClient,
  testDocument,
  testOrigin,
  testRecord,
} from "./store-fixtures.ts"

const documents = [testDocument("even"), testDocument("odd")]
const foreign = testOrigin("foreign")
const clients = [1, 2, 3, 4].map(testClient)

/** Records of two clients that take turns, `client` the second, in documents that do so too. */
function records(count: number, first = 1, client = 2): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => {
    const number = first + index
    const document = documents[(number >> 1) % 2] ?? testDocument("none")
    const author = [client - 1 + (number % 2), Math.ceil(number / 2)] as const
    return testRecord({ document, author, body: Uint8Array.of(number) })
  })
}

/** The store's log, as the model that renews it. */
async function modelOf(store: Store): Promise<MemoryLog> {
  const model = new MemoryLog(store.opened.origin)
  for (const [origin] of store.opened.heads) model.appendRun((await readOrigin(store, origin)).run)
  return model
}

async function expectSame(store: Store, model: MemoryLog): Promise<void> {
  expect(store.opened.origin).toBe(model.origin)
  expect(new Map(store.opened.heads)).toEqual(new Map(model.heads()))
  expect(new Map(store.opened.cuts)).toEqual(new Map(model.cuts()))
  for (const [origin, head] of model.heads()) {
    const { run } = await readOrigin(store, origin)
    expect(run).toEqual(model.readOrigin(origin, 1, Infinity).run)
    expect(chainRecords(emptyHead, origin, run.records)).toEqual(head)
  }
  for (const document of documents) {
    expect(byOrigin(await readDocument(store, document))).toEqual(
      byOrigin(model.readDocument(document).entries),
    )
  }
  for (const client of clients)
    expect(await readClient(store, client)).toBe(model.readClient(client))
}

async function filled(underTest: StoreUnderTest) {
  const opened = await openFixture(underTest)
  const adopted = [{ origin: foreign, firstSeq: 1, records: records(6, 100, 4) }]
  await appended(opened.store, { own: records(9), adopted })
  const before = opened.store.opened.origin
  // Opened again, so that the model starts from what is on the disk.
  const model = await modelOf(await opened.reopen())
  return { opened, before, model }
}

function renewModel(model: MemoryLog, fresh: OriginId, options: RenewOptions = {}) {
  const before = model.origin
  return { ...model.renew(fresh, options), before }
}

export function storeEpochContract(underTest: StoreUnderTest): void {
  test("[E1] without a doubt the epoch stays, however often it is opened", async () => {
    const { opened, before, model } = await filled(underTest)
    const store = await opened.reopen()
    expect(store.opened.renewed).toBe(undefined)
    expect(store.opened.origin).toBe(before)
    await expectSame(store, model)
  })

  test.each([0, 4, 9, 20])(
    "[E1] [E3] overtaken with %d entries to keep: the others are logged again, whole",
    async (keepSeq) => {
      const { opened, model } = await filled(underTest)
      const store = await opened.reopen({ why: "overtaken", keepSeq })
      const expected = renewModel(model, store.opened.origin, { keepSeq })
      expect(store.opened.renewed).toEqual({ ...expected, why: "overtaken" })
      expect(expected.salvaged).toBe(Math.max(0, 9 - keepSeq))
      await expectSame(store, model)
      // The old origin goes on with what others have, the fresh one with what is written here.
      const { before } = expected
      const theirs = records(3, 50)
      const firstSeq = model.head(before).seq + 1
      model.appendRun({ origin: before, firstSeq, records: theirs })
      const own = records(2, 60)
      const result = await appended(store, {
        own,
        adopted: [{ origin: before, firstSeq, records: theirs }],
      })
      expect(result.firstSeq).toBe(model.appendOwn(own))
      const again = await opened.reopen()
      expect(again.opened.renewed).toBe(undefined)
      await expectSame(again, model)
    },
  )

  test.each([0, 3, 5, 6, 20])(
    "[X3] [X4] a fork with %d entries of a peer's to keep: the others move to the own origin",
    async (keepSeq) => {
      const { opened, before, model } = await filled(underTest)
      const hash = new Uint8Array(16)
      const store = await opened.reopen({ why: "fork", origin: foreign, keepSeq, hash })
      const expected = model.giveWay({ origin: foreign, keepSeq })
      expect(store.opened.renewed).toEqual({ ...expected, why: "fork", before })
      expect(expected.salvaged).toBe(Math.max(0, 6 - keepSeq))
      await expectSame(store, model)
      const cuts = store.opened.clusterRecords.map(({ record }) => record)
      const cut = keepSeq < 6 ? [cutRecord({ origin: foreign, keepSeq })] : []
      expect(cuts).toEqual(cut)
      // The branch that stays takes the place of the other, and the own origin goes on.
      const theirs = records(4, 50)
      const firstSeq = model.head(foreign).seq + 1
      const run = { origin: foreign, firstSeq, records: theirs }
      model.appendRun(run)
      const own = records(2, 60)
      expect((await appended(store, { own, adopted: [run] })).firstSeq).toBe(model.appendOwn(own))
      const again = await opened.reopen()
      expect(again.opened.renewed).toBe(undefined)
      await expectSame(again, model)
    },
  )

  test("[E1] corrupt, but nothing is: a fresh epoch, and all as it was", async () => {
    const { opened, model } = await filled(underTest)
    const store = await opened.reopen({ why: "corrupt" })
    const expected = renewModel(model, store.opened.origin)
    expect(store.opened.renewed).toEqual({ ...expected, why: "corrupt" })
    expect(expected).toMatchObject({ salvaged: 0, lostCount: 0 })
    await expectSame(store, model)
  })

  test("[E1] renewed again and again: every origin is a new one", async () => {
    const { opened, before } = await filled(underTest)
    const origins = new Set([before])
    for (let round = 1; round <= 4; round++) {
      const store = await opened.reopen({ why: "overtaken", keepSeq: 3 })
      origins.add(store.opened.origin)
      expect(origins.size).toBe(round + 1)
      await appended(store, { own: records(5, 200 + 10 * round) })
    }
  })

  if (underTest.supports.damage) damageRules(underTest)
}

function damageRules(underTest: StoreUnderTest): void {
  test.each([
    ["in the middle of both logs", [3, 4], [2]],
    ["at the beginnings", [1], [1]],
    ["at the ends", [9], [6]],
    ["everywhere in the own log", [1, 2, 3, 4, 5, 6, 7, 8, 9], []],
    ["every other one", [2, 4, 6, 8], [1, 3, 5]],
  ])("[E4] damage %s costs no neighbour, and is named", async (_, own, others) => {
    const { opened, before, model } = await filled(underTest)
    const lost = [
      ...own.map((seq) => ({ origin: before, seq })),
      ...others.map((seq) => ({ origin: foreign, seq })),
    ]
    const doubt = { why: "corrupt" } as const
    const store = await opened.reopen(doubt, async (fixture) => fixture.damage?.(lost))
    const isDamaged = ({ origin, seq }: { origin: OriginId; seq: number }) =>
      (origin === before ? own : origin === foreign ? others : []).includes(seq)
    const expected = renewModel(model, store.opened.origin, { isDamaged })
    expect(store.opened.renewed).toMatchObject({ ...expected, lostCount: lost.length })
    expect(expected.salvaged + lost.length + model.head(before).seq + model.head(foreign).seq).toBe(
      15,
    )
    await expectSame(store, model)
    const again = await opened.reopen()
    expect(again.opened.renewed).toBe(undefined)
    await expectSame(again, model)
  })

  test("[E4] a client is told no number that may be lost, and its resend is logged", async () => {
    const { opened, before } = await filled(underTest)
    const store = await opened.reopen({ why: "corrupt" }, async (fixture) =>
      fixture.damage?.([{ origin: before, seq: 5 }]),
    )
    // Entry 5 was the third update of client 2, who may be waiting for its ack still.
    expect(await readClient(store, testClient(2))).toBeLessThan(3)
    await appended(store, { own: records(5, 5) })
    const { run } = await readOrigin(store, store.opened.origin)
    const authors = run.records.flatMap((record) => decodeUpdate(record)?.author ?? [])
    const named = authors.map(({ client, seq }) => `${client} ${seq}`)
    expect(new Set(named).size).toBe(named.length)
  })
}
