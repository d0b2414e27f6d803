/** When the tab that leads rewrites a copy in storage from its app's replica. */
import { expect, onTestFinished, test, vi } from "vitest"
import { assert, documentIdOf } from "@causeway/crdt/base"
import { VersionVector } from "@causeway/crdt/clock"
import type { StorageWrite } from "@causeway/crdt/ports"
import { memoryStorage } from "../index.ts"
import type { ClientStorage } from "../index.ts"
import type { Replica } from "../replica.ts"
import { Reign } from "./reign.ts"

const nowhere = "ws://127.0.0.1:9/sync"
/** A copy to which so many were appended is rewritten as soon as it is opened. */
const appendedMax = 1100

const document = documentIdOf("yjs", "note")
assert(document !== undefined, "a document's name")
const state = Uint8Array.of(1)
const replica: Replica = {
  document,
  isAhead: () => false,
  resume: () => ({ type: "nothing" }),
  apply: () => undefined,
  state: () => state,
  lacking: () => undefined,
  onPresence: () => undefined,
  onStatus: () => undefined,
  onClosed: () => undefined,
}

/** What a tab writes that comes to lead with the note open; `isAhead`: it typed more there. */
async function writesOf(isAhead: boolean): Promise<StorageWrite["type"][]> {
  const updates = Array.from({ length: appendedMax }, () => Uint8Array.of(0))
  const memory = memoryStorage()
  const copy = { document: replica.document, generation: 1, updates, resume: new VersionVector() }
  memory.write([{ type: "document-append", ...copy }], () => undefined)
  const types: StorageWrite["type"][] = []
  const storage: ClientStorage = {
    load: (fresh, done) => memory.load(fresh, done),
    read: (id, done) => memory.read(id, done),
    list: (done) => memory.list(done),
    close: (done) => memory.close(done),
    write: (writes, done) => {
      types.push(...writes.map(({ type }) => type))
      memory.write(writes, done)
    },
  }
  const held = vi.fn<() => void>()
  const reign = new Reign({ urls: [nowhere], token: undefined, storage }, true, {
    tell: ({ type }) => {
      if (type === "held") held()
    },
    post: () => undefined,
    mayRun: () => true,
    own: () => ({ replica, generation: 1, showsRefused: false }),
    isAhead: () => isAhead,
    hasFollowers: () => false,
    watch: () => undefined,
  })
  onTestFinished(() => reign.close())
  reign.carryOut({ type: "hold", document: replica.document })
  await vi.waitFor(() => expect(held).toHaveBeenCalled())
  await new Promise((resolve) => {
    setTimeout(resolve, 50)
  })
  return types
}

test("[C9] a long copy is rewritten from the app's replica", async () => {
  expect(await writesOf(false)).toContain("document-replace")
})

test("[C9] it is not while that has what was not handed in", async () => {
  expect(await writesOf(true)).not.toContain("document-replace")
})
