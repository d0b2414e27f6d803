/** In whatever order updates come: after each look, what a Y.Doc has that got them too. */
import { assert, documentIdOf } from "@causeway/crdt/base"
import { yjsEngine } from "@causeway/crdt/engines/yjs"
import { expect, test } from "vitest"
import * as Y from "yjs"
import { SimRandom } from "../random.ts"
import { YjsReplica } from "./yjs-replica.ts"

const documentId = documentIdOf("yjs", "d")
assert(documentId !== undefined, "a name")

/** Three authors who edit, delete and now and then hear of each other. */
function updatesOf(seed: number): Uint8Array[] {
  const random = new SimRandom(seed)
  const updates: Uint8Array[] = []
  const authors = [1, 2, 3].map((clientID) => {
    const doc = new Y.Doc()
    doc.clientID = clientID
    doc.on("update", (update: Uint8Array, origin: unknown) => {
      if (origin !== "heard") updates.push(update)
    })
    return doc
  })
  for (let step = 0; step < 200; step++) {
    const author = random.pick(authors)
    const text = author.getText("t")
    if (random.chance(0.2)) {
      Y.applyUpdate(author, Y.encodeStateAsUpdate(random.pick(authors)), "heard")
    } else if (text.length > 3 && random.chance(0.3)) text.delete(random.int(0, 2), 2)
    else text.insert(random.int(0, text.length), "ab")
  }
  return updates
}

test.each([1, 2, 3, 4, 5, 6])("updates in any order, seed %i", (seed) => {
  const random = new SimRandom(seed)
  const replica = new YjsReplica(documentId, random, undefined)
  const plain = new Y.Doc()
  const updates = random.shuffled(updatesOf(seed))
  const pending: boolean[] = []
  const expected: boolean[] = []
  while (updates.length > 0) {
    const some = updates.splice(0, random.int(1, 12))
    replica.apply(some)
    for (const update of some) Y.applyUpdate(plain, update)
    replica.look()
    expect(replica.summary()).toEqual(Y.encodeStateVector(plain))
    // What is asked for all of it keeps nothing apart any more.
    if (random.chance(0.1)) {
      const waits = plain.store.pendingStructs !== null || plain.store.pendingDs !== null
      pending.push(yjsEngine.frontier(replica.state()).pendingBytes > 0)
      expected.push(waits)
    }
  }
  expect(pending).toEqual(expected)
  const whole = yjsEngine.digest(Y.encodeStateAsUpdate(plain))
  expect(yjsEngine.digest(replica.state())).toEqual(whole)
})
