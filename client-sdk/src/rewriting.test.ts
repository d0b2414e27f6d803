/** What a copy in storage is rewritten with: nothing that has still to be handed in. */
import { expect, test, vi } from "vitest"
import * as Y from "yjs"
import { assert, documentIdOf } from "@causeway/crdt/base"
import { VersionVector } from "@causeway/crdt/clock"
import type { StorageWrite } from "@causeway/crdt/ports"
import { memoryStorage } from "./index.ts"
import type { ClientStorage } from "./index.ts"
import { connect, type } from "./test/world.ts"

const nowhere = "ws://127.0.0.1:9/sync"
/** A copy to which so many were appended is rewritten as soon as it is opened. */
const appendedMax = 1100

const document = documentIdOf("yjs", "note")
assert(document !== undefined, "a document's name")
const note = document

/** Storage with a long copy of the note, and what is written to it from now on. */
function longCopy(): { readonly storage: ClientStorage; readonly writes: StorageWrite[] } {
  const before = new Y.Doc()
  const updates: Uint8Array[] = []
  before.on("update", (update: Uint8Array) => updates.push(update))
  for (let index = 0; index < appendedMax; index++) before.getText("text").insert(index, "x")
  const memory = memoryStorage()
  const copy = { document: note, generation: 1, updates, resume: new VersionVector() }
  memory.write([{ type: "document-append", ...copy }], () => undefined)
  const writes: StorageWrite[] = []
  const storage: ClientStorage = {
    load: (fresh, done) => memory.load(fresh, done),
    read: (id, done) => memory.read(id, done),
    list: (done) => memory.list(done),
    close: (done) => memory.close(done),
    write: (some, done) => {
      writes.push(...some)
      memory.write(some, done)
    },
  }
  return { storage, writes }
}

test("[C9] a copy is rewritten as its document is opened", async () => {
  const { storage, writes } = longCopy()
  const handle = connect(nowhere, { storage }).yjs("note")
  await handle.loaded
  expect(handle.ydoc.getText("text").length).toBe(appendedMax)
  await vi.waitFor(() => expect(writes.map((write) => write.type)).toContain("document-replace"))
})

test("[C1] [C9] not with what was typed before it was loaded", async () => {
  const { storage, writes } = longCopy()
  const handle = connect(nowhere, { storage }).yjs("note")
  type(handle, "early")
  await handle.saved("local")
  const types = writes.map((write) => write.type)
  expect(types).toContain("outbox-add")
  expect(types).not.toContain("document-replace")
})
