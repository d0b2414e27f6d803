/** When the tab that leads rewrites a copy in storage from its app's replica. */
import { expect, onTestFinished, test, vi } from "vitest"
import type { StorageWrite } from "@causeway/crdt/ports"
import { memoryStorage } from "../index.ts"
import type { Replica } from "../replica.ts"
import { longCopy, note, watched } from "../test/long-copy.ts"
import { Reign } from "./reign.ts"

const nowhere = "ws://127.0.0.1:9/sync"

const state = Uint8Array.of(1)
const replica: Replica = {
  document: note,
  isAhead: () => false,
  resume: () => ({ type: "nothing" }),
  apply: () => undefined,
  state: () => state,
  lacking: () => undefined,
  onPresence: () => undefined,
  onStatus: () => undefined,
  onClosed: () => undefined,
}

/** What a tab writes that comes to lead with the note open; `isAhead`: it typed more there. */
async function writesOf(isAhead: boolean): Promise<readonly StorageWrite["type"][]> {
  const memory = memoryStorage()
  memory.write([longCopy()], () => undefined)
  const { storage, types } = watched(memory)
  const held = vi.fn<() => void>()
  const reign = new Reign({ urls: [nowhere], token: undefined, storage }, true, {
    tell: ({ type }) => {
      if (type === "held") held()
    },
    post: () => undefined,
    mayRun: () => true,
    own: () => ({ replica, generation: 1, showsRefused: false }),
    isAhead: () => isAhead,
    hasFollowers: () => false,
    watch: () => undefined,
  })
  onTestFinished(() => reign.close())
  reign.carryOut({ type: "hold", document: note })
  await vi.waitFor(() => expect(held).toHaveBeenCalled())
  await new Promise((resolve) => {
    setTimeout(resolve, 50)
  })
  return types
}

test("[C9] a long copy is rewritten from the app's replica", async () => {
  expect(await writesOf(false)).toContain("document-replace")
})

test("[C9] it is not while that has what was not handed in", async () => {
  expect(await writesOf(true)).not.toContain("document-replace")
})
