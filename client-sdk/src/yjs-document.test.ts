/** What bindings and apps do with a Y.Doc beyond typing: subdocuments, undo. */
import { expect, test } from "vitest"
import * as Y from "yjs"
import { connect, startNode, textOf, type, untilText } from "./test/world.ts"

const refused = expect.objectContaining({ code: "ERR_SUBDOCUMENT", name: "SyncError" })

test("a subdocument is refused, and what else was written is synced", async () => {
  const { sync } = await startNode()
  const [ann, ben] = [connect(sync).yjs("notes"), connect(sync).yjs("notes")]
  const parts = ann.ydoc.getMap("parts")
  const list = ann.ydoc.getArray("list")
  expect(() => parts.set("chapter", new Y.Doc())).toThrow(refused)
  expect(() => list.push([1, new Y.Doc(), 2])).toThrow(refused)
  const both = (): void => {
    type(ann, "beside it")
    parts.set("again", new Y.Doc({ autoLoad: true }))
  }
  expect(() => ann.ydoc.transact(both)).toThrow(refused)
  expect([parts.size, list.toArray(), ann.ydoc.subdocs.size]).toEqual([0, [1, 2], 0])
  type(ann, ", after it")
  await untilText(ben, "beside it, after it")
  expect(ben.ydoc.getArray("list").toArray()).toEqual([1, 2])
  expect(ben.ydoc.getMap("parts").size).toBe(0)
  expect(Y.encodeStateVector(ben.ydoc)).toEqual(Y.encodeStateVector(ann.ydoc))
})

test("one that an import brings is refused too", async () => {
  const note = connect((await startNode()).sync).yjs("notes")
  const other = new Y.Doc()
  other.getMap("parts").set("chapter", new Y.Doc())
  other.getText("body").insert(0, "imported")
  expect(() => Y.applyUpdate(note.ydoc, Y.encodeStateAsUpdate(other))).toThrow(refused)
  expect(textOf(note)).toBe("imported")
  expect(note.ydoc.getMap("parts").size).toBe(0)
})

test("one of a stock client is shown, but who loads it or writes in it hears", async () => {
  const { node, sync } = await startNode()
  const other = new Y.Doc()
  other.getMap("parts").set("lazy", new Y.Doc())
  other.getMap("parts").set("eager", new Y.Doc({ autoLoad: true }))
  other.getText("body").insert(0, "stock")
  const socket = new WebSocket(`${node.url}/yjs/notes`)
  const update = Y.encodeStateAsUpdate(other)
  socket.addEventListener("open", () => {
    // y-protocols: sync, update, and its length as varUint of up to two bytes.
    const length = [(update.length & 0x7f) | 0x80, update.length >> 7]
    socket.send(new Uint8Array([0, 2, ...length, ...update]))
  })
  const note = connect(sync).yjs("notes")
  await untilText(note, "stock")
  socket.close()
  const parts = note.ydoc.getMap<Y.Doc>("parts")
  expect(() => parts.get("lazy")?.load()).toThrow(refused)
  expect(() => parts.get("eager")?.getText("body").insert(0, "lost?")).toThrow(refused)
  type(note, ", and on")
  await untilText(connect(sync).yjs("notes"), "stock, and on")
})

test("what observers write as something arrives is sent", async () => {
  const { sync } = await startNode()
  const [client, ben] = [connect(sync), connect(sync).yjs("notes")]
  const ann = client.yjs("notes")
  const seen = ann.ydoc.getArray<string>("seen")
  ann.ydoc.getText("body").observe(() => seen.push([textOf(ann)]))
  ann.ydoc.on("afterTransaction", ({ origin }) => {
    if (origin === ann) ann.ydoc.getMap("last").set("at", seen.length)
  })
  type(ben, "one")
  await untilText(ann, "one")
  type(ben, ", two")
  await untilText(ann, "one, two")
  await ann.saved("node")
  const late = connect(sync).yjs("notes")
  await untilText(late, "one, two")
  expect(late.ydoc.getArray("seen").toArray()).toEqual(["one", "one, two"])
  expect(late.ydoc.getMap("last").get("at")).toBe(2)
  const own = Y.decodeStateVector(Y.encodeStateVector(late.ydoc)).get(ann.ydoc.clientID)
  expect(own).toBe(Y.getState(ann.ydoc.store, ann.ydoc.clientID))
})

test("Y.UndoManager takes back what was typed here, across remote changes and cuts", async () => {
  const { sync } = await startNode()
  const client = connect(sync)
  const [ann, ben] = [client.yjs("notes"), connect(sync).yjs("notes")]
  const undo = new Y.UndoManager(ann.ydoc.getText("body"), { captureTimeout: 0 })
  type(ann, "one ")
  await untilText(ben, "one ")
  type(ben, "[ben] ")
  await untilText(ann, "one [ben] ")
  type(ann, "two ")
  await untilText(ben, "one [ben] two ")
  ben.ydoc.getText("body").insert(0, "first ")
  await untilText(ann, "first one [ben] two ")
  expect(undo.undoStack).toHaveLength(2)
  undo.undo()
  await untilText(ben, "first one [ben] ")
  client.goOffline()
  undo.undo()
  ben.ydoc.getText("body").insert(6, "meanwhile ")
  expect(textOf(ann)).toBe("first [ben] ")
  client.goOnline()
  await untilText(ann, "first meanwhile [ben] ")
  await untilText(ben, "first meanwhile [ben] ")
  undo.redo()
  undo.redo()
  await untilText(ben, "first meanwhile one [ben] two ")
  expect(textOf(ann)).toBe(textOf(ben))
  await ann.saved("node")
})
