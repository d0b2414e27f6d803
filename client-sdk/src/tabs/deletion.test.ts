/** A document that tabs share is deleted, and its name used again. Rules [R5]–[R7]. */
import { expect, test } from "vitest"
import type { RejectedUpdate } from "../index.ts"
import { connect, startNode, textOf, type, until, untilText } from "../test/world.ts"
import { sharedTabs } from "./index.ts"

const adminToken = "0123456789abcdef"

test("[R5] [R7] what is deleted stays so in all tabs, whoever leads", async () => {
  const { node, sync } = await startNode({ adminToken })
  const change = async (method: "DELETE" | "PUT"): Promise<void> => {
    const url = `${node.url.replace("ws", "http")}/v1/documents/yjs/notes`
    const headers = { authorization: `Bearer ${adminToken}` }
    expect(await fetch(url, { method, headers })).toMatchObject({ status: 200 })
  }
  const tabs = sharedTabs(`deletion ${process.pid}`)
  const first = connect(sync, { tabs })
  const note = first.yjs("notes")
  await note.loaded
  const second = connect(sync, { tabs })
  const other = second.yjs("notes")
  type(note, "first life")
  await note.saved("node")
  await untilText(other, "first life")
  await change("DELETE")
  for (const { status } of [note, other]) {
    await until(status, ({ error }) => error?.code === "ERR_DOCUMENT_DELETED")
  }
  await change("PUT")
  await first.close()
  await until(second.connection, ({ state }) => state === "connected")

  const rejected: RejectedUpdate[] = []
  second.onRejected((update) => rejected.push(update))
  const third = connect(sync, { tabs })
  const fresh = third.yjs("notes")
  await until(fresh.status, ({ generation }) => generation === 2)
  // It builds on nothing of the first life.
  other.ydoc.getMap("late").set("is", true)
  type(other, ", a word too late")
  await expect
    .poll(() => rejected.map(({ reason }) => reason), { timeout: 20_000 })
    .toEqual(["document-deleted", "document-deleted"])
  expect(other.status.current.error?.code).toBe("ERR_DOCUMENT_DELETED")
  type(fresh, "second life")
  await fresh.saved("node")
  await untilText(connect(sync).yjs("notes"), "second life")
  expect(fresh.ydoc.getMap("late").size).toBe(0)
  expect([textOf(fresh), textOf(other)]).toEqual(["second life", "first life, a word too late"])
})
