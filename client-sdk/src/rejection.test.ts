/** A node refuses an update: from then on nothing of that document is called saved, until the app
 * has dealt with it. */
import { expect, test } from "vitest"
import * as Y from "yjs"
import { documentIdOf, limits, parseClientId } from "@causeway/crdt/base"
import type { LoadResult } from "@causeway/crdt/ports"
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

test("[C3] opening a document sends again what a node could not take then", async () => {
  const { sync } = await startNode()
  const storage = memoryStorage()
  const fresh = parseClientId("00112233445566778899aabbccddeeff")
  const document = documentIdOf("yjs", "notes")
  if (fresh === undefined || document === undefined) throw new Error("well-formed ids")
  const doc = new Y.Doc()
  doc.getText("body").insert(0, "typed")
  const code = "missing-predecessors" as const
  const update = {
    seq: 1,
    document,
    generation: 0,
    bytes: Y.encodeStateAsUpdate(doc),
    code,
    message: "",
  }
  await new Promise<unknown>((resolve) => storage.load(fresh, resolve))
  await new Promise<unknown>((resolve) =>
    storage.write([{ type: "rejected-add", update }], resolve),
  )
  const client = connect(sync, { storage })
  const rejected = kept(client)
  await until(client.connection, ({ state }) => state === "connected")
  expect(rejected).toMatchObject([{ reason: code, error: { retryable: true } }])

  const note = client.yjs("notes")
  await note.saved("node")
  expect(textOf(note)).toBe("typed")
  expect(note.status.current).toMatchObject({ savedTo: "node", error: undefined })
  await untilText(connect(sync).yjs("notes"), "typed")
  const left = kept(client)
  await client.close()
  expect(left).toEqual([])
  const { stored } = await new Promise<LoadResult & { ok: true }>((resolve, reject) => {
    storage.load(fresh, (result) => (result.ok ? resolve(result) : reject(new Error())))
  })
  expect(stored).toMatchObject({ outbox: [], rejected: [], nextSeq: 3 })
})
