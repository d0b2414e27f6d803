/** What a copy in storage is rewritten with: nothing that has still to be handed in. */
import { expect, test, vi } from "vitest"
import { memoryStorage } from "./index.ts"
import { longCopy, longCopyLetters, watched } from "./test/long-copy.ts"
import { connect, type } from "./test/world.ts"

const nowhere = "ws://127.0.0.1:9/sync"

/** Storage with a long copy of the note, and what is written to it from now on. */
function withLongCopy(): ReturnType<typeof watched> {
  const memory = memoryStorage()
  memory.write([longCopy()], () => undefined)
  return watched(memory)
}

test("[C9] a copy is rewritten as its document is opened", async () => {
  const { storage, types } = withLongCopy()
  const handle = connect(nowhere, { storage }).yjs("note")
  await handle.loaded
  expect(handle.ydoc.getText("text").length).toBe(longCopyLetters)
  await vi.waitFor(() => expect(types).toContain("document-replace"))
})

test("[C1] [C9] not with what was typed before it was loaded", async () => {
  const { storage, types } = withLongCopy()
  const handle = connect(nowhere, { storage }).yjs("note")
  type(handle, "early")
  await handle.saved("local")
  expect(types).toContain("outbox-add")
  expect(types).not.toContain("document-replace")
})
