/** A copy in storage that is rewritten as soon as its document is opened, and who sees that. */
import * as Y from "yjs"
import { assert, documentIdOf } from "@causeway/crdt/base"
import type { DocumentId } from "@causeway/crdt/base"
import { VersionVector } from "@causeway/crdt/clock"
import type { StorageWrite } from "@causeway/crdt/ports"
import type { ClientStorage } from "../index.ts"

const id = documentIdOf("yjs", "note")
assert(id !== undefined, "a document's name")
export const note: DocumentId = id

/** So many were appended to it, each with a letter: more than a copy may have. */
export const longCopyLetters = 1100

export function longCopy(): StorageWrite {
  const before = new Y.Doc()
  const updates: Uint8Array[] = []
  before.on("update", (update: Uint8Array) => updates.push(update))
  for (let index = 0; index < longCopyLetters; index++) before.getText("text").insert(index, "x")
  const resume = new VersionVector()
  return { type: "document-append", document: note, generation: 1, updates, resume }
}

/** The same storage, and what is written through it from now on. */
export function watched(memory: ClientStorage): {
  readonly storage: ClientStorage
  readonly types: readonly StorageWrite["type"][]
} {
  const types: StorageWrite["type"][] = []
  const storage: ClientStorage = {
    load: (fresh, done) => memory.load(fresh, done),
    read: (document, done) => memory.read(document, done),
    list: (done) => memory.list(done),
    close: (done) => memory.close(done),
    write: (writes, done) => {
      types.push(...writes.map(({ type }) => type))
      memory.write(writes, done)
    },
  }
  return { storage, types }
}
