/** Storage that does not answer when it is opened, late or never. */
import { expect, onTestFinished, test, vi } from "vitest"
import { memoryStorage } from "./index.ts"
import type { ClientStorage } from "./index.ts"
import { openStepMs, openStepsMax } from "./storage-opening.ts"
import { sharedTabs } from "./tabs/index.ts"
import { connect, startNode, textOf, type, until, untilText } from "./test/world.ts"

/** Nobody listens there. */
const nowhere = "ws://127.0.0.1:9/sync"

/** Storage whose `load` waits for `answer`; says what was called. */
function slow(storage = memoryStorage()): ClientStorage & { answer(): void; calls: string[] } {
  const calls: string[] = []
  const waiting: (() => void)[] = []
  return {
    calls,
    answer: () => waiting.splice(0).forEach((load) => load()),
    load(fresh, done) {
      calls.push("load")
      waiting.push(() => storage.load(fresh, done))
    },
    forgo: () => void calls.push("forgo"),
    write(writes, done) {
      calls.push("write")
      storage.write(writes, done)
    },
    read: (document, done) => storage.read(document, done),
    list: (done) => storage.list(done),
    close(done) {
      calls.push("close")
      storage.close(done)
    },
  }
}

/** The clock of whoever waits for storage, and of nobody else. */
function useClock(): void {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] })
  onTestFinished(() => void vi.useRealTimers())
}

/** Until storage is given up. */
async function wait(): Promise<void> {
  await vi.advanceTimersByTimeAsync(openStepMs * openStepsMax)
}

test("[C11] storage that never answers is memory alone after a while, and is told so", async () => {
  useClock()
  const { sync } = await startNode()
  const storage = slow()
  const client = connect(sync, { storage })
  const note = client.yjs("notes")
  type(note, "typed")
  await vi.advanceTimersByTimeAsync(openStepMs * openStepsMax - 1)
  expect(client.storage.current).toEqual({ state: "opening" })
  await wait()
  expect(client.storage.current).toMatchObject({ state: "memory-only", code: "failed" })
  await note.loaded
  await note.saved("node")
  await untilText(connect(sync).yjs("notes"), "typed")
  await expect(note.saved("local")).rejects.toMatchObject({ code: "ERR_STORAGE" })
  expect(storage.calls).toEqual(["load", "forgo"])
})

test("[C11] storage that answers late is closed again, unused, for the next client", async () => {
  useClock()
  const { sync } = await startNode()
  const kept = memoryStorage()
  const before = connect(nowhere, { storage: kept })
  type(before.yjs("notes"), "kept")
  await before.close()

  const storage = slow(kept)
  const client = connect(sync, { storage })
  const note = client.yjs("notes")
  await wait()
  await note.loaded
  storage.answer()
  await vi.waitFor(() => expect(storage.calls).toEqual(["load", "forgo", "close"]))
  type(note, "in memory")
  await note.saved("node")
  expect(client.storage.current.state).toBe("memory-only")
  await client.close()
  expect(storage.calls).toEqual(["load", "forgo", "close"])

  const next = connect(sync, { storage: kept })
  const again = next.yjs("notes")
  await until(next.storage, ({ state }) => state === "ok")
  await again.saved("node")
  await until(again.status, ({ freshness }) => freshness.state === "live")
  expect(["keptin memory", "in memorykept"]).toContain(textOf(again))
})

test("[C11] what a late answer stores is not who the client was meanwhile", async () => {
  useClock()
  const { sync } = await startNode()
  const kept = memoryStorage()
  const storage = slow(kept)
  const client = connect(sync, { storage })
  const note = client.yjs("notes")
  await wait()
  type(note, "one")
  await note.saved("node")
  storage.answer()
  await client.close()

  // Its numbers begin where those of the other one did.
  const events: string[] = []
  const next = connect(sync, { storage: kept, onEvent: (event) => events.push(event.type) })
  const again = next.yjs("notes")
  type(again, "two")
  await again.saved("node")
  expect(events).toEqual([])
})

test("[C11] storage that answers in the second half of the time is used", async () => {
  useClock()
  const storage = slow()
  const client = connect(nowhere, { storage })
  const note = client.yjs("notes")
  type(note, "typed")
  await vi.advanceTimersByTimeAsync(openStepMs * openStepsMax - 1)
  storage.answer()
  await note.saved("local")
  await wait()
  expect(client.storage.current).toEqual({ state: "ok" })
  expect(storage.calls).toEqual(["load", "write"])
})

test("[C11] a client whose storage never answers can be closed", async () => {
  useClock()
  const client = connect(nowhere, { storage: slow() })
  const note = client.yjs("notes")
  type(note, "typed")
  const closing = client.close()
  await wait()
  await closing
  await expect(note.saved("local")).rejects.toMatchObject({ code: "ERR_CLOSED" })
})

test("[C11] [H1] a leader whose storage hangs leads in memory, the next one need not", async () => {
  useClock()
  const { sync } = await startNode()
  const tabs = sharedTabs(`hangs ${process.pid}`)
  const first = connect(sync, { storage: slow(), tabs })
  const second = connect(sync, { storage: memoryStorage(), tabs })
  const [note, other] = [first.yjs("note"), second.yjs("note")]
  type(other, "typed")
  await wait()
  await until(second.storage, ({ state }) => state === "memory-only")
  await other.saved("node")
  await untilText(note, "typed")
  await first.close()
  await until(second.storage, ({ state }) => state === "ok")
  type(other, ", kept")
  await other.saved("local")
})

test("[C11] once storage is ok, what is pending counts what it holds", async () => {
  const storage = memoryStorage()
  const before = connect(nowhere, { storage })
  type(before.yjs("notes"), "typed")
  await before.close()
  const client = connect(nowhere, { storage })
  expect([client.storage.current.state, client.pending.count]).toEqual(["opening", 0])
  const counts: number[] = []
  client.storage.subscribe(() => counts.push(client.pending.count))
  await until(client.storage, ({ state }) => state === "ok")
  expect(counts).toEqual([1])
})
