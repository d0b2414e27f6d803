/** Local copies are removed: what nodes have comes back from them, what they don't is the app's. */
import { join } from "node:path"
import { expect, test } from "vitest"
import { limits } from "@causeway/crdt/base"
import { memoryStorage } from "./index.ts"
import type { Client, RejectedUpdate } from "./index.ts"
import { levelStorage } from "./level/index.ts"
import { sqliteStorage } from "./sqlite/index.node.ts"
import { connect, startNode, temporaryFolder, textOf, type, until } from "./test/world.ts"
import { untilText } from "./test/world.ts"

const storages = {
  memory: () => {
    const storage = memoryStorage()
    return () => storage
  },
  LevelDB: (folder: string) => () => levelStorage(join(folder, "level")),
  SQLite: (folder: string) => () => sqliteStorage(join(folder, "storage.db")),
}
const kinds = ["memory", "LevelDB", "SQLite"] as const
/** Nobody listens there. */
const nowhere = "ws://127.0.0.1:9/sync"
const notes = { engine: "yjs", name: "notes" } as const
const unsaved = { code: "ERR_NOT_SAVED", retryable: false }

async function namesIn(client: Client): Promise<string[]> {
  return (await client.documents()).map(({ name }) => name)
}

test.for(kinds)("[C13] %s: what a node has is removed here alone, and comes back", async (kind) => {
  const open = storages[kind](await temporaryFolder())
  const { sync } = await startNode()
  const client = connect(sync, { storage: open() })
  const [note, plan] = [client.yjs("notes"), client.yjs("plan")]
  for (const each of [note, plan]) {
    type(each, `all of ${each.name}`)
    await each.saved("node")
  }
  const openError = { code: "ERR_DOCUMENT_OPEN" }
  await expect(client.remove(notes, { discard: true })).rejects.toMatchObject(openError)
  note.close()
  plan.close()
  expect(await namesIn(client)).toEqual(["notes", "plan"])
  await client.remove(notes)
  expect(await namesIn(client)).toEqual(["plan"])
  await untilText(client.yjs("notes"), "all of notes")
  client.yjs("notes").close()
  await client.remove(notes)
  await client.close()

  const offline = connect(nowhere, { storage: open() })
  const [empty, kept] = [offline.yjs("notes"), offline.yjs("plan")]
  await Promise.all([empty.loaded, kept.loaded])
  expect([textOf(empty), textOf(kept)]).toEqual(["", "all of plan"])
})

test.for(kinds)("[C13] %s: what no node has is only removed if the app says so", async (kind) => {
  const open = storages[kind](await temporaryFolder())
  const { sync } = await startNode()
  const client = connect(nowhere, { storage: open() })
  const [note, plan] = [client.yjs("notes"), client.yjs("plan")]
  type(note, "given up")
  type(plan, "kept")
  const saved = note.saved("node").catch((error: unknown) => error)
  await note.saved("local")
  note.close()
  await expect(client.remove(notes)).rejects.toMatchObject(unsaved)
  const again = client.yjs("notes")
  await again.loaded
  expect(textOf(again)).toBe("given up")
  again.close()
  await client.remove(notes, { discard: true })
  expect(await saved).toMatchObject(unsaved)
  expect(client.pending.documents()).toEqual([{ engine: "yjs", name: "plan" }])
  await client.close()

  const online = connect(sync, { storage: open() })
  await online.yjs("plan").saved("node")
  const [empty, other] = [online.yjs("notes"), connect(sync).yjs("notes")]
  for (const each of [empty, other]) {
    await until(each.status, ({ freshness }) => freshness.state === "live")
    expect(textOf(each)).toBe("")
  }
})

test("[C13] [C3] what was refused stands in the way of removing, too", async () => {
  const { sync } = await startNode()
  const storage = memoryStorage()
  const client = connect(sync, { storage })
  const rejected: RejectedUpdate[] = []
  client.onRejected((update) => rejected.push(update))
  const note = client.yjs("notes")
  type(note, "x".repeat(limits.updateBytesMax + 1))
  await until(note.status, ({ error }) => error !== undefined)
  note.close()
  await expect(client.remove(notes)).rejects.toMatchObject(unsaved)
  expect(rejected).toHaveLength(1)
  await client.remove(notes, { discard: true })
  expect(rejected[0]?.retry()).toBe("gone")
  const fresh = client.yjs("notes")
  type(fresh, "fresh")
  await fresh.saved("node")
  await client.close()
  const next = connect(sync, { storage })
  const left: RejectedUpdate[] = []
  next.onRejected((update) => left.push(update))
  await next.yjs("notes").saved("node")
  expect(left).toEqual([])
})

test("[C13] bad names and closed clients are refused", async () => {
  const client = connect(nowhere)
  await expect(client.remove({ engine: "yjs", name: "" })).rejects.toThrow(TypeError)
  // cast: what an app in JavaScript may do.
  const unknown = { engine: "Yjs" as "yjs", name: "notes" }
  await expect(client.remove(unknown)).rejects.toThrow(TypeError)
  await client.remove({ engine: "automerge", name: "never seen" })
  const note = client.yjs("notes")
  type(note, "still stored")
  await note.saved("local")
  await client.close()
  await expect(client.remove(notes)).rejects.toMatchObject({ code: "ERR_CLOSED" })
})

test("[C13] [T9] who waits for more nodes goes on waiting when the copy goes", async () => {
  const { sync } = await startNode()
  const client = connect(sync)
  const note = client.yjs("notes")
  type(note, "on one")
  await note.saved("node")
  client.goOffline()
  const saved = note.saved("quorum")
  await note.saved("local")
  note.close()
  await client.remove(notes)
  client.goOnline()
  await saved
})
