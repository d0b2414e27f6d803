/** Storage of a tab for which its leader had no room: that of the app is with the leader. */
import type { ClientStorage, StorageFailure } from "@causeway/crdt/ports"

const message = "as many tabs as can share the storage have it"
const refusal: StorageFailure = { ok: false, code: "blocked", message }

function refuse(done: (result: StorageFailure) => void): void {
  queueMicrotask(() => done(refusal))
}

export const crowdedStorage: ClientStorage = {
  load: (_fresh, done) => refuse(done),
  write: (_writes, done) => refuse(done),
  read: (_document, done) => refuse(done),
  list: (done) => refuse(done),
  close: (done) => queueMicrotask(done),
}
