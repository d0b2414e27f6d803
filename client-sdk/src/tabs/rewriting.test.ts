/** What a tab that comes to lead rewrites a copy with: nothing that nodes refused. */
import { expect, test, vi } from "vitest"
import { limits } from "@causeway/crdt/base"
import type { StorageWrite } from "@causeway/crdt/ports"
import { memoryStorage } from "../index.ts"
import { longCopy, longCopyLetters, watched } from "../test/long-copy.ts"
import { connect, type, until } from "../test/world.ts"
import { sharedTabs } from "./index.ts"

const nowhere = "ws://127.0.0.1:9/sync"

/** What is written by a tab that comes to lead after it typed so much at once. */
async function writesAfter(
  typedBytes: number,
  isClosed: boolean,
): Promise<readonly StorageWrite["type"][]> {
  const memory = memoryStorage()
  const { storage, types } = watched(memory)
  const tabs = sharedTabs(`rewriting ${process.pid} ${typedBytes} ${isClosed}`)
  const first = connect(nowhere, { storage, tabs })
  await until(first.storage, ({ state }) => state === "ok")
  const second = connect(nowhere, { storage, tabs })
  const handle = second.yjs("note")
  await handle.loaded
  if (typedBytes > 0) {
    second.onRejected((update) => update.dismiss())
    type(handle, "y".repeat(typedBytes))
    await until(handle.status, ({ error }) => error?.code === "ERR_UPDATE_REJECTED")
  }
  memory.write([longCopy()], () => undefined)
  const third = connect(nowhere, { storage, tabs })
  await third.documents()
  await first.close()
  // Answered by the second.
  await third.documents()
  await vi.waitFor(() => expect(handle.ydoc.getText("text").length).toBe(longCopyLetters))
  if (isClosed) {
    const other = third.yjs("note")
    await other.loaded
    handle.close()
    await third.documents()
  }
  await new Promise((resolve) => {
    setTimeout(resolve, 50)
  })
  return types
}

test("[C9] a tab that comes to lead rewrites a long copy", async () => {
  expect(await writesAfter(0, false)).toContain("document-replace")
})

test.each([{ isClosed: false }, { isClosed: true }])(
  "[C8] [C9] it does not if its replica showed what was refused; closed: $isClosed",
  async ({ isClosed }) => {
    const types = await writesAfter(limits.updateBytesMax, isClosed)
    expect(types).toContain("rejected-add")
    expect(types).not.toContain("document-replace")
  },
)
