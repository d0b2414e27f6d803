import { expect, test } from "vitest"
import * as Y from "yjs"
import { runJob } from "./job.ts"
import { engines } from "./test/harness.ts"

function client(id: number, gc = true): Y.Doc {
  const document = new Y.Doc({ gc })
  document.clientID = id
  return document
}

/** Every update that the edit makes. */
function updatesOf(document: Y.Doc, edit: (text: Y.Text) => void): Uint8Array[] {
  const updates: Uint8Array[] = []
  document.on("update", (update) => updates.push(update))
  edit(document.getText("t"))
  return updates
}

function digest(parts: readonly Uint8Array[]) {
  const result = runJob(engines, { type: "digest", engine: "yjs", parts })
  if (result.type !== "digest") throw new TypeError(result.type)
  return result
}

test("[G1] the same updates have one digest, in any order and in any batches", () => {
  const document = client(1)
  const parts = updatesOf(document, (text) => {
    text.insert(0, "hello world")
    text.format(0, 5, { bold: true })
    text.delete(2, 4)
  })
  const { content } = digest(parts)
  expect(digest(parts)).toEqual({ type: "digest", content, contradicts: false })
  expect(digest(parts.toReversed())).toEqual({ type: "digest", content, contradicts: false })
  expect(digest([Y.encodeStateAsUpdate(document)])).toEqual(digest(parts))
})

test("[G1] what waits for a predecessor has a digest too, until it comes", () => {
  const parts = updatesOf(client(1), (text) => {
    text.insert(0, "a")
    text.insert(1, "b")
  })
  const waiting = digest(parts.slice(1))
  expect(waiting.contradicts).toBe(false)
  expect(digest([])).not.toEqual(waiting)
  const others = updatesOf(client(2), (text) => {
    text.insert(0, "c")
    text.insert(1, "d")
  })
  // How engines show what waits is theirs: it is the same whatever waits.
  expect(digest(others.slice(1))).toEqual(waiting)
  expect(digest(parts)).not.toEqual(waiting)
})

test("[G3] a client id used by two is noticed, though no state vector tells", () => {
  const [first] = updatesOf(client(1), (text) => text.insert(0, "AAAA"))
  const [second] = updatesOf(client(1), (text) => text.insert(0, "BBBB"))
  if (first === undefined || second === undefined) throw new TypeError("no update")
  expect(Y.encodeStateVectorFromUpdate(first)).toEqual(Y.encodeStateVectorFromUpdate(second))
  expect(digest([first, second]).contradicts).toBe(true)
  expect(digest([first, second]).content).not.toEqual(digest([second, first]).content)
  // One of both alone can't be told from sound content: that shows when peers compare.
  expect(digest([first]).content).not.toEqual(digest([second]).content)
})

test("[G3] a surrogate pair that a format split is noticed, though no update was sent", () => {
  const document = client(1)
  const sent = updatesOf(document, (text) => text.insert(0, "x😀y"))
  const silent = updatesOf(document, (text) => text.format(0, 2, { bold: null }))
  expect(silent).toEqual([])
  expect(document.getText("t").toString()).toBe("x\uFFFD\uFFFDy")
  // The client comes to a node that has nothing of it and is asked for all it has.
  const whole = Y.encodeStateAsUpdate(document)
  expect(digest([...sent, whole]).contradicts).toBe(true)
})

test("[G3] ordinary histories never contradict themselves", () => {
  const one = client(1)
  const other = client(2, false)
  const parts = [
    ...updatesOf(one, (text) => text.insert(0, "x😀y")),
    ...updatesOf(other, (text) => text.insert(0, "abc")),
  ]
  for (const document of [one, other]) for (const part of parts) Y.applyUpdate(document, part)
  const more = updatesOf(one, (text) => text.delete(1, 3))
  for (const part of more) Y.applyUpdate(other, part)
  const all = [...parts, ...more, Y.encodeStateAsUpdate(other), Y.encodeStateAsUpdate(one)]
  expect(digest(all).contradicts).toBe(false)
  expect(digest(all).content).toEqual(digest([Y.encodeStateAsUpdate(one)]).content)
})
