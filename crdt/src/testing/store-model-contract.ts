/**
 * Random histories, run against the store and against MemoryLog side by side. Calls are not
 * awaited one by one: what is expected is written down at the call, and compared with the
 * result whenever it comes.
 */
import fc from "fast-check"
import { expect, test } from "vitest"
import type { OriginId } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import { MemoryLog } from "../log/index.ts"
import type { LogRun, Renewal } from "../log/index.ts"
import type { ReopenDoubt, Store } from "../ports/index.ts"
import type { StoreUnderTest } from "./store-under-test.ts"
import {
  appended,
  byOrigin,
  close,
  readClient,
  readDocument,
  readOrigin,
  testClient,
  testDocument,
  testOrigin,
  testRecord,
} from "./store-fixtures.ts"

const documents = ["a", "b", "c"].map((name) => testDocument(name))
const foreign = ["one", "two"].map((name) => testOrigin(name))
const clients = [1, 2, 3]

const anyRecord = fc
  .record({
    document: fc.constantFrom(...documents),
    author: fc.option(fc.tuple(fc.constantFrom(...clients), fc.integer({ min: 1, max: 1000 })), {
      nil: undefined,
    }),
    body: fc.uint8Array({ maxLength: 300 }),
  })
  .map(({ document, author, body }) =>
    testRecord(author === undefined ? { document, body } : { document, author, body }),
  )

const anyRecords = fc.array(anyRecord, { maxLength: 5 })

const anyStep = fc.oneof(
  { weight: 6, arbitrary: appendStep() },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("document" as const),
      document: fc.constantFrom(...documents),
      since: fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 3, maxLength: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("origin" as const),
      origin: fc.integer({ min: 0, max: 2 }),
      fromSeq: fc.integer({ min: 1, max: 20 }),
      bytesMax: fc.integer({ min: 0, max: 2000 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant("client" as const), client: anyClient() }),
  },
  { weight: 1, arbitrary: reopenStep() },
)

type Step = typeof anyStep extends fc.Arbitrary<infer Value> ? Value : never

function anyClient() {
  return fc.constantFrom(...clients)
}

function reopenStep() {
  return fc.record({
    type: fc.constant("reopen" as const),
    doubt: fc.oneof(
      fc.constant(undefined),
      fc.record({
        why: fc.constant("overtaken" as const),
        keepSeq: fc.integer({ min: 0, max: 12 }),
      }),
      fc.record({
        why: fc.constant("fork" as const),
        origin: fc.constantFrom(...foreign),
        keepSeq: fc.integer({ min: 0, max: 6 }),
        hash: fc.constant(new Uint8Array(16)),
      }),
      fc.constant({ why: "corrupt" as const }),
    ),
  })
}

function appendStep() {
  return fc.record({
    type: fc.constant("append" as const),
    own: anyRecords,
    adopted: fc.array(fc.tuple(fc.constantFrom(...foreign), anyRecords), { maxLength: 2 }),
  })
}

export function storeModelContract(underTest: StoreUnderTest): void {
  test(`any history gives what the model gives (${underTest.modelRuns} runs)`, async () => {
    const histories = fc.array(anyStep, { minLength: 1, maxLength: 60, size: "max" })
    await fc.assert(
      fc.asyncProperty(histories, (steps) => compare(underTest, steps)),
      { numRuns: underTest.modelRuns },
    )
  })
}

async function compare(underTest: StoreUnderTest, steps: readonly Step[]): Promise<void> {
  const fixture = await underTest.fixture()
  let store = await fixture.open()
  try {
    const model = new MemoryLog(store.opened.origin)
    let checks: Promise<void>[] = []
    for (const step of steps) {
      if (step.type !== "reopen") checks.push(take(step, store, model))
      else if (underTest.supports.durable) {
        await Promise.all(checks)
        checks = []
        await close(store)
        store = await fixture.open(step.doubt)
        checkReopened(store, model, step.doubt)
      }
    }
    await Promise.all(checks)
  } finally {
    await close(store)
    await fixture.remove()
  }
}

function renewAs(model: MemoryLog, doubt: ReopenDoubt, fresh: OriginId): Renewal {
  if (doubt.why === "fork") return model.giveWay(doubt)
  return model.renew(fresh, doubt.why === "overtaken" ? { keepSeq: doubt.keepSeq } : {})
}

function checkReopened(store: Store, model: MemoryLog, doubt: ReopenDoubt | undefined): void {
  if (doubt !== undefined) {
    expect(store.opened.renewed).toMatchObject(renewAs(model, doubt, store.opened.origin))
  }
  expect(store.opened.origin).toBe(model.origin)
  expect(new Map(store.opened.heads)).toEqual(new Map(model.heads()))
}

function take(step: Exclude<Step, { type: "reopen" }>, store: Store, model: MemoryLog) {
  const origins = [model.origin, ...foreign]
  switch (step.type) {
    case "append":
      return checkAppend(step, store, model)
    case "document": {
      const since = new VersionVector(
        origins.map((origin, index) => [origin, step.since[index] ?? 0] as const),
      )
      const expected = byOrigin(model.readDocument(step.document, since).entries)
      return readDocument(store, step.document, since).then((entries) =>
        expect(byOrigin(entries)).toEqual(expected),
      )
    }
    case "origin": {
      const { fromSeq, bytesMax } = step
      const origin = origins[step.origin] ?? model.origin
      const { run, previousHash } = model.readOrigin(origin, fromSeq, bytesMax)
      return readOrigin(store, origin, fromSeq, bytesMax).then((result) => {
        expect(result.run).toEqual(run)
        expect(result.previousHash).toEqual(previousHash)
      })
    }
    case "client": {
      const expected = model.readClient(testClient(step.client))
      return readClient(store, testClient(step.client)).then((seq) => expect(seq).toBe(expected))
    }
  }
}

async function checkAppend(
  step: Extract<Step, { type: "append" }>,
  store: Store,
  model: MemoryLog,
): Promise<void> {
  const firstSeq = model.appendOwn(step.own)
  const adopted: LogRun[] = []
  for (const [origin, records] of step.adopted) {
    if (records.length === 0) continue
    const run = { origin, firstSeq: model.head(origin).seq + 1, records }
    model.appendRun(run)
    adopted.push(run)
  }
  const touched = new Set(adopted.map((run) => run.origin))
  if (step.own.length > 0) touched.add(model.origin)
  const heads = new Map([...touched].map((origin) => [origin, model.head(origin)]))
  const result = await appended(store, { own: step.own, adopted })
  expect(result.firstSeq).toBe(firstSeq)
  expect(new Map(result.heads)).toEqual(heads)
}
