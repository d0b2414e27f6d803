/** A document is deleted under its readers' hands, and its name used again. Rules [R5]–[R7]. */
import { expect, test } from "vitest"
import { memoryStorage } from "./index.ts"
import type { Client, RejectedUpdate } from "./index.ts"
import { connect, startNode, textOf, type, until, untilText } from "./test/world.ts"
import type { NodeUnderTest } from "./test/world.ts"

const adminToken = "0123456789abcdef"
const gone = { code: "ERR_DOCUMENT_DELETED", retryable: false }

async function change({ node }: NodeUnderTest, method: "DELETE" | "PUT"): Promise<void> {
  const url = `${node.url.replace("ws", "http")}/v1/documents/yjs/notes`
  const headers = { authorization: `Bearer ${adminToken}` }
  expect(await fetch(url, { method, headers })).toMatchObject({ status: 200 })
}

function kept(client: Client): RejectedUpdate[] {
  const rejected: RejectedUpdate[] = []
  client.onRejected((update) => rejected.push(update))
  return rejected
}

test("[R5] [R7] who has it open is told for good, and keeps what is typed", async () => {
  const under = await startNode({ adminToken })
  const client = connect(under.sync)
  const rejected = kept(client)
  const note = client.yjs("notes")
  const plan = client.yjs("plan")
  type(note, "first")
  await note.saved("node")
  expect(note.status.current).toMatchObject({ generation: 1 })
  await change(under, "DELETE")
  await until(note.status, ({ error }) => error?.code === gone.code)
  await expect(note.saved("node")).rejects.toMatchObject(gone)
  type(note, " more")
  await until(note.status, () => rejected.length === 1)
  expect(rejected).toMatchObject([{ name: "notes", engine: "yjs", reason: "document-deleted" }])
  type(plan, "goes on")
  await plan.saved("node")
  expect(textOf(note)).toBe("first more")

  await change(under, "PUT")
  note.close()
  const fresh = client.yjs("notes")
  await until(fresh.status, ({ freshness }) => freshness.state === "live")
  expect(textOf(fresh)).toBe("")
  type(fresh, "second")
  await fresh.saved("node")
  expect(fresh.status.current).toMatchObject({ generation: 2, savedTo: "node", error: undefined })
  await untilText(connect(under.sync).yjs("notes"), "second")
})

test("[R6] [R7] what a zombie typed while it was away brings nothing back", async () => {
  const under = await startNode({ adminToken })
  const storage = memoryStorage()
  const zombie = connect(under.sync, { storage })
  const note = zombie.yjs("notes")
  type(note, "first")
  await note.saved("node")
  zombie.goOffline()
  type(note, " offline")
  await note.saved("local")
  await zombie.close()
  await change(under, "DELETE")
  await change(under, "PUT")
  const ann = connect(under.sync).yjs("notes")
  type(ann, "second")
  await ann.saved("node")

  const again = connect(under.sync, { storage })
  const rejected = kept(again)
  const old = again.yjs("notes")
  await until(old.status, ({ error, pending }) => error?.code === gone.code && pending === 0)
  expect(rejected).toMatchObject([{ reason: "document-deleted" }])
  old.close()
  const fresh = again.yjs("notes")
  await untilText(fresh, "second")
  expect(textOf(ann)).toBe("second")
  // The last life's shelf stands in the way of nothing.
  await again.close()
  const third = connect(under.sync, { storage })
  const left = kept(third)
  const last = third.yjs("notes")
  type(last, "!")
  await last.saved("node")
  expect(last.status.current).toMatchObject({ generation: 2, savedTo: "node" })
  expect(left).toHaveLength(1)
  left[0]?.dismiss()
})
