/** What is promised for numbers whose updates a client's storage lost. */
import { expect, test } from "vitest"
import * as Y from "yjs"
import { assert, documentIdOf, parseClientId } from "@causeway/crdt/base"
import { engines } from "../engine-cache.ts"
import { Trace } from "../trace.ts"
import { Attempts } from "./attempts.ts"
import { Ledger } from "./ledger.ts"
import { Promises } from "./promises.ts"

const document = documentIdOf("yjs", "note")
const client = parseClientId("0123456789abcdef0123456789abcdef")
assert(document !== undefined && client !== undefined, "well-formed names")
const ids = { document, client }
const old = 7
const now = 8
const nothing = new Uint8Array(0)
const refusal = { type: "reject", code: "invalid-update", message: "nothing" } as const

function staged() {
  const attempts = new Attempts(engines)
  const replica = new Y.Doc()
  replica.getText().insert(0, "typed")
  const update = Y.encodeStateAsUpdate(replica)
  attempts.add(9, ids.document, "typed", update)
  return { promises: new Promises(attempts, new Ledger(attempts), new Trace({ nowMs: 0 })), update }
}

test.each([
  { when: "had come to a node", before: true },
  { when: "came late, on a connection from before", before: false },
])("the number of a lost update is sent empty, and may be refused: it $when", ({ before }) => {
  const { promises, update } = staged()
  promises.onHello(old, ids.client, 1)
  if (before) promises.onUpdate(old, ids.document, 1, [update])
  promises.onLost(ids.client, [{ seq: 1, document: ids.document }])
  if (!before) promises.onUpdate(old, ids.document, 1, [update])
  promises.onHello(now, ids.client, 1)
  promises.onUpdate(now, ids.document, 1, [nothing])
  promises.onReject(now, { ...refusal, seq: 1 })
})

test("so it is if the client's first hello comes after the loss", () => {
  const { promises, update } = staged()
  promises.onLost(ids.client, [{ seq: 1, document: ids.document }])
  promises.onHello(old, ids.client, 1)
  promises.onUpdate(old, ids.document, 1, [update])
  promises.onHello(now, ids.client, 1)
  promises.onReject(now, { ...refusal, seq: 1 })
})

test("an update that was not lost may not be refused for good", () => {
  const { promises, update } = staged()
  promises.onHello(old, ids.client, 1)
  promises.onLost(ids.client, [{ seq: 2, document: ids.document }])
  promises.onUpdate(old, ids.document, 1, [update])
  expect(() => promises.onReject(old, { ...refusal, seq: 1 })).toThrow("refused for good")
})
