/** A node refuses an update: from then on nothing of that document is called saved, until the app
 * has dealt with it. */
import { expect, test } from "vitest"
import * as Y from "yjs"
import { documentIdOf, limits, parseClientId } from "@causeway/crdt/base"
import type { ClientStorage, RejectedUpdate as StoredRejection } from "@causeway/crdt/ports"
import type { StoredClient } from "@causeway/crdt/ports"
import { memoryStorage } from "./index.ts"
import type { Client, RejectedUpdate } from "./index.ts"
import { connect, startNode, textOf, type, until, untilText } from "./test/world.ts"

const tooMuch = "x".repeat(limits.updateBytesMax + 1)
const refused = { code: "ERR_UPDATE_REJECTED", retryable: false }

function kept(client: Client): RejectedUpdate[] {
  const rejected: RejectedUpdate[] = []
  client.onRejected((update) => rejected.push(update))
  return rejected
}

test("[C3] edits after a rejection: saved fails, until they are written afresh", async () => {
  const { sync } = await startNode()
  const ben = connect(sync).yjs("notes")
  const client = connect(sync)
  const rejected = kept(client)
  const note = client.yjs("notes")
  type(note, "before ")
  await note.saved("node")
  type(note, tooMuch)
  await expect(note.saved("node")).rejects.toMatchObject(refused)
  note.ydoc.getText("body").delete("before ".length, tooMuch.length)
  type(note, "after")
  await expect(note.saved("node")).rejects.toMatchObject(refused)
  await note.saved("local")
  const quiet = await until(note.status, ({ pending }) => pending === 0)
  expect(quiet).toMatchObject({ savedTo: "local", error: refused })
  expect(quiet.error?.message).toContain("onRejected")
  // Later edits follow what nobody has: nobody sees them, and dismissing alone does not help.
  expect(textOf(ben)).toBe("before ")
  for (const { dismiss } of rejected) dismiss()
  expect(note.status.current).toMatchObject({ savedTo: "memory", error: refused })
  await expect(note.saved("node")).rejects.toMatchObject(refused)

  const wanted = textOf(note)
  note.close()
  const fresh = client.yjs("notes")
  await untilText(fresh, "before ")
  type(fresh, wanted.slice("before ".length))
  await fresh.saved("node")
  expect(fresh.status.current).toMatchObject({ savedTo: "node", error: undefined })
  await untilText(ben, "before after")
})

test("[C3] a rejection of an earlier life stands in the way until it is dismissed", async () => {
  const { sync } = await startNode()
  const storage = memoryStorage()
  const first = connect(sync, { storage })
  const note = first.yjs("notes")
  type(note, tooMuch)
  await expect(note.saved("node")).rejects.toMatchObject(refused)
  await first.close()
  const second = connect(sync, { storage })
  const rejected = kept(second)
  const again = second.yjs("notes")
  type(again, "new")
  await expect(again.saved("node")).rejects.toMatchObject(refused)
  expect(rejected).toHaveLength(1)
  rejected[0]?.dismiss()
  await again.saved("node")
  expect(again.status.current).toMatchObject({ savedTo: "node", error: undefined })
})

/** Storage with updates of new documents on its shelf, each with its document's name as text. */
async function shelved(
  code: StoredRejection["code"],
  ...names: readonly string[]
): Promise<ClientStorage> {
  const storage = memoryStorage()
  const fresh = parseClientId("00112233445566778899aabbccddeeff")
  if (fresh === undefined) throw new Error("a well-formed id")
  await new Promise<unknown>((resolve) => storage.load(fresh, resolve))
  const writes = names.map((name, index) => {
    const document = documentIdOf("yjs", name)
    if (document === undefined) throw new Error("a well-formed name")
    const doc = new Y.Doc()
    doc.getText("body").insert(0, name)
    const bytes = Y.encodeStateAsUpdate(doc)
    const update = { seq: index + 1, document, generation: 0, bytes, code, message: "" }
    return { type: "rejected-add", update } as const
  })
  await new Promise<unknown>((resolve) => storage.write(writes, resolve))
  return storage
}

function stored(storage: ClientStorage): Promise<StoredClient> {
  const fresh = parseClientId("f".repeat(32))
  if (fresh === undefined) throw new Error("a well-formed id")
  return new Promise((resolve, reject) => {
    storage.load(fresh, (result) => (result.ok ? resolve(result.stored) : reject(new Error())))
  })
}

test("[C3] opening a document sends again what a node could not take then", async () => {
  const { sync } = await startNode()
  const storage = await shelved("missing-predecessors", "notes")
  const client = connect(sync, { storage })
  const rejected = kept(client)
  await until(client.connection, ({ state }) => state === "connected")
  expect(rejected).toMatchObject([{ reason: "missing-predecessors", error: { retryable: true } }])

  const note = client.yjs("notes")
  await note.saved("node")
  expect(textOf(note)).toBe("notes")
  expect(note.status.current).toMatchObject({ savedTo: "node", error: undefined })
  await untilText(connect(sync).yjs("notes"), "notes")
  const left = kept(client)
  await client.close()
  expect(left).toEqual([])
  expect(await stored(storage)).toMatchObject({ outbox: [], rejected: [], nextSeq: 3 })
})

test("[C3] the app has a refused update tried again, its document open or not", async () => {
  const { node, sync } = await startNode()
  const storage = await shelved("permission-denied", "open", "closed", "dismissed", "left")
  const client = connect(sync, { storage })
  const rejected = kept(client)
  const note = client.yjs("open")
  await note.loaded
  expect(textOf(note)).toBe("")
  await expect(note.saved("node")).rejects.toMatchObject(refused)
  const [open, closed, dismissed, left] = rejected
  expect([open?.retry(), closed?.retry()]).toEqual(["pending", "pending"])
  expect(textOf(note)).toBe("open")
  expect([open?.retry(), closed?.retry()]).toEqual(["gone", "gone"])
  // They are no longer the shelf's to dismiss.
  open?.dismiss()
  dismissed?.dismiss()
  expect(dismissed?.retry()).toBe("gone")
  await note.saved("node")
  expect(note.status.current).toMatchObject({ savedTo: "node", error: undefined })
  await until(client.pending, ({ count }) => count === 0)
  const other = connect(sync)
  await untilText(other.yjs("open"), "open")
  await untilText(other.yjs("closed"), "closed")
  expect(Object.values(node.status().vector)).toEqual([2])
  expect(kept(client)).toEqual([])
  await client.close()
  expect(() => left?.retry()).toThrow(expect.objectContaining({ code: "ERR_CLOSED" }))
  const { outbox, rejected: shelf } = await stored(storage)
  expect([outbox, shelf.map(({ seq }) => seq)]).toEqual([[], [4]])
})

test("[C3] what no node can take is not tried again, and stays", async () => {
  const { sync } = await startNode()
  const client = connect(sync)
  const rejected = kept(client)
  const note = client.yjs("notes")
  type(note, tooMuch)
  await expect(note.saved("node")).rejects.toMatchObject(refused)
  expect(rejected.map(({ retry }) => retry())).toEqual(["too-large"])
  expect(client.pending.count).toBe(0)
  expect(note.status.current.error).toMatchObject(refused)
})
