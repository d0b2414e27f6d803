/** Whatever an app's listeners do, what is written in a Y.Doc is sent, and what comes is shown. */
import { expect, onTestFinished, test } from "vitest"
import * as Y from "yjs"
import type { YjsDocument } from "./index.ts"
import { connect, startNode, textOf, type, untilText } from "./test/world.ts"

/** Two on a document, the first of whom has had something from the second. */
async function openBoth(): Promise<{
  readonly sync: string
  readonly ann: YjsDocument
  readonly ben: YjsDocument
}> {
  const { sync } = await startNode()
  const [ann, ben] = [connect(sync).yjs("notes"), connect(sync).yjs("notes")]
  type(ben, "one")
  await untilText(ann, "one")
  return { sync, ann, ben }
}

/** What becomes an uncaught error until the test is over. */
function uncaughtErrors(): string[] {
  const errors: string[] = []
  const others = process.listeners("uncaughtException")
  process.removeAllListeners("uncaughtException")
  process.on("uncaughtException", (error) => errors.push(error.message))
  onTestFinished(() => {
    process.removeAllListeners("uncaughtException")
    for (const other of others) process.on("uncaughtException", other)
  })
  return errors
}

function fail(): never {
  throw new Error("the app's")
}

const events = [
  "update",
  "beforeTransaction",
  "beforeObserverCalls",
  "afterAllTransactions",
] as const

test.for(events)("a listener of `%s` that throws stops neither us nor Yjs", async (event) => {
  const errors = uncaughtErrors()
  const { ann, ben } = await openBoth()
  const listen = (): void => ann.ydoc.once(event, fail)
  listen()
  type(ann, ", two")
  type(ann, ", three")
  await untilText(ben, "one, two, three")
  listen()
  type(ben, ", four")
  await untilText(ann, "one, two, three, four")
  await expect.poll(() => errors).toEqual(["the app's", "the app's"])
})

test("an observer that throws does not keep away what comes later", async () => {
  const errors = uncaughtErrors()
  const { ann, ben } = await openBoth()
  ann.ydoc.getText("body").observe(fail)
  expect(() => type(ann, ", two")).toThrow("the app's")
  for (const text of ["one, two, three", "one, two, three, four"]) {
    await untilText(ben, text.slice(0, text.lastIndexOf(",")))
    type(ben, text.slice(text.lastIndexOf(",")))
    await untilText(ann, text)
  }
  expect(ann.status.current.error).toBeUndefined()
  await expect.poll(() => errors).toEqual(["the app's", "the app's"])
})

const closings: Readonly<Record<string, (note: YjsDocument) => void>> = {
  "by an observer": (note) => note.ydoc.getText("body").observe(() => note.close()),
  "by a listener": (note) => note.ydoc.on("update", () => note.close()),
  "by its end": (note) => note.ydoc.on("beforeObserverCalls", () => note.ydoc.destroy()),
}

test.for(Object.keys(closings))("a handle that is closed %s sends what led to it", async (how) => {
  const { ann, ben } = await openBoth()
  closings[how]?.(ann)
  ann.ydoc.getText("body").delete(0, 2)
  await untilText(ben, "e")
})

test("a handle that is closed within a transaction sends what was written in it", async () => {
  const { ann, ben } = await openBoth()
  ann.ydoc.transact(() => {
    type(ann, ", two")
    ann.close()
  })
  await untilText(ben, "one, two")
})

test("what listeners write is sent, whenever they do, and nothing that came", async () => {
  const { sync, ann, ben } = await openBoth()
  const written = ann.ydoc.getMap("written")
  const names = [...events, "afterTransaction", "afterTransactionCleanup"] as const
  for (const name of names) {
    ann.ydoc.once(name, () => void written.set(name, textOf(ann)))
  }
  const body = ann.ydoc.getText("body")
  body.observe(() => body.length === 8 && body.insert(8, ", three"))
  type(ben, ", two")
  await untilText(ben, "one, two, three")
  await ann.saved("node")
  const late = connect(sync).yjs("notes")
  await untilText(late, "one, two, three")
  expect(Object.keys(late.ydoc.getMap("written").toJSON()).toSorted()).toEqual(names.toSorted())
  expect(Y.encodeStateVector(late.ydoc)).toEqual(Y.encodeStateVector(ann.ydoc))
})

test("what is applied as the handle's is the app's, if a node does not bring it", async () => {
  const { ann, ben } = await openBoth()
  const other = new Y.Doc()
  other.getText("body").insert(0, "imported")
  Y.applyUpdate(ann.ydoc, Y.encodeStateAsUpdate(other), ann)
  await untilText(ben, textOf(ann))
  expect(textOf(ann)).toContain("imported")
})
