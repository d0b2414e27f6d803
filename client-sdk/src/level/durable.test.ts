/** Clients with storage on disk: what they show without a node, and what damage costs. */
import { join } from "node:path"
import { Level } from "level"
import { describe, expect, test, vi } from "vitest"
import type { DamageReport } from "../index.ts"
import { levelStorage } from "./index.ts"
import {
  connect,
  startNode,
  temporaryFolder,
  textOf,
  type,
  until,
  untilText,
} from "../test/world.ts"

/** Nobody listens there. */
const nowhere = "ws://127.0.0.1:9/sync"

async function openRaw(name: string): Promise<Level<Uint8Array, Uint8Array>> {
  const level = new Level<Uint8Array, Uint8Array>(name, {
    keyEncoding: "view",
    valueEncoding: "view",
  })
  await level.open()
  return level
}

/** Turns a bit in the value of each record whose key begins with that letter. */
async function damage(name: string, letter: string, count = Infinity): Promise<number> {
  const level = await openRaw(name)
  const keys: Uint8Array[] = []
  for await (const key of level.keys()) if (key[0] === letter.charCodeAt(0)) keys.push(key)
  const chosen = keys.slice(0, count)
  for (const key of chosen) {
    const value = Uint8Array.from((await level.get(key)) ?? [])
    value[value.length - 1] = (value.at(-1) ?? 0) ^ 1
    await level.put(key, value)
  }
  await level.close()
  return chosen.length
}

test("[C8] what a client had, and what it typed, is there again without a node", async () => {
  const name = join(await temporaryFolder(), "app")
  const { node, sync } = await startNode()
  const ann = connect(sync).yjs("notes")
  const first = connect(sync, { storage: levelStorage(name) })
  const note = first.yjs("notes")
  const plan = first.automerge<{ title?: string }>("plan")
  type(ann, "from ann")
  await untilText(note, "from ann")
  type(note, ", acked")
  await plan.change((doc) => {
    doc.title = "Ship it"
  })
  await note.saved("node")
  await plan.saved("node")
  first.goOffline()
  type(note, ", offline")
  await first.close()
  await node.close()

  const second = connect(nowhere, { storage: levelStorage(name) })
  const again = second.yjs("notes")
  const planned = second.automerge<{ title?: string }>("plan")
  await Promise.all([again.loaded, planned.loaded])
  expect(textOf(again)).toBe("from ann, acked, offline")
  expect(planned.doc).toEqual({ title: "Ship it" })
  expect(again.status.current).toMatchObject({ pending: 1, savedTo: "local", generation: 1 })
  expect(again.ydoc.clientID).not.toBe(note.ydoc.clientID)
  type(again, "!")
  await again.saved("local")
  await second.close()

  const third = connect(nowhere, { storage: levelStorage(name) })
  const last = third.yjs("notes")
  await last.loaded
  expect(textOf(last)).toBe("from ann, acked, offline!")
})

test("[C8] a handle that is closed and opened again shows what it showed", async () => {
  const name = join(await temporaryFolder(), "app")
  const { sync } = await startNode()
  const client = connect(sync, { storage: levelStorage(name, { flushMs: 20 }) })
  const note = client.yjs("notes")
  type(note, "one ")
  await note.saved("node")
  type(note, "two ")
  note.close()
  client.goOffline()
  const again = client.yjs("notes")
  // Typed before storage was read.
  type(again, "three ")
  await again.loaded
  expect(textOf(again).split(" ").toSorted()).toEqual(["", "one", "three", "two"])
  client.goOnline()
  await again.saved("node")
  await untilText(connect(sync).yjs("notes"), textOf(again))
})

describe("damage", () => {
  test("[C10] of a document costs one more catch-up, and no other document anything", async () => {
    const name = join(await temporaryFolder(), "app")
    const { sync } = await startNode()
    const first = connect(sync, { storage: levelStorage(name) })
    const [note, plan] = [first.yjs("notes"), first.yjs("plan")]
    for (const word of ["a ", "b ", "c "]) {
      type(note, word)
      type(plan, word)
      await note.saved("node")
      await plan.saved("node")
    }
    await first.close()
    // Records sort by the length of their document's name first: these are of "plan".
    expect(await damage(name, "e", 2)).toBe(2)

    const second = connect(nowhere, { storage: levelStorage(name) })
    const [half, whole] = [second.yjs("plan"), second.yjs("notes")]
    await Promise.all([half.loaded, whole.loaded])
    expect(textOf(whole)).toBe("a b c ")
    expect(textOf(half)).not.toBe("a b c ")
    const damages: DamageReport[] = []
    second.onDamaged((report) => damages.push(report))
    await vi.waitFor(() => expect(damages).toMatchObject([{ kind: "document", name: "plan" }]))
    const local = await second.documents()
    expect(local.map((document) => document.name)).toEqual(["notes", "plan"])
    await second.close()

    const third = connect(sync, { storage: levelStorage(name) })
    const healed = third.yjs("plan")
    await untilText(healed, "a b c ")
    await until(healed.status, ({ freshness }) => freshness.state === "live")
    await third.close()
    const fourth = connect(nowhere, { storage: levelStorage(name) })
    const last = fourth.yjs("plan")
    await last.loaded
    expect(textOf(last)).toBe("a b c ")
  })

  test("[C10] of what was typed is named, and blocks nothing", async () => {
    const name = join(await temporaryFolder(), "app")
    const { sync } = await startNode()
    const first = connect(nowhere, { storage: levelStorage(name) })
    const [note, plan] = [first.yjs("notes"), first.yjs("plan")]
    type(note, "lost")
    await note.saved("local")
    type(plan, "kept")
    await first.close()
    expect(await damage(name, "o", 1)).toBe(1)

    const second = connect(sync, { storage: levelStorage(name) })
    const damages: string[] = []
    second.onDamaged(({ kind }) => damages.push(kind))
    const [empty, full] = [second.yjs("notes"), second.yjs("plan")]
    await full.saved("node")
    expect(textOf(full)).toBe("kept")
    expect(textOf(empty)).toBe("")
    expect(damages).toEqual(["outbox"])
    await untilText(connect(sync).yjs("plan"), "kept")
    await second.close()
    const level = await openRaw(name)
    const aside: number[] = []
    for await (const key of level.keys()) if (key[0] === "q".charCodeAt(0)) aside.push(key.length)
    expect(aside).toHaveLength(1)
    await level.close()
  })

  test("[C10] of the identity makes a client a new one, with all it has to send", async () => {
    const name = join(await temporaryFolder(), "app")
    const { sync } = await startNode()
    const first = connect(sync, { storage: levelStorage(name) })
    const note = first.yjs("notes")
    type(note, "one ")
    await note.saved("node")
    first.goOffline()
    type(note, "two")
    await first.close()
    expect(await damage(name, "c")).toBe(1)
    const second = connect(sync, { storage: levelStorage(name) })
    const again = second.yjs("notes")
    await again.saved("node")
    expect(textOf(again)).toBe("one two")
  })
})

test("[C11] storage that somebody else has is tried again, then it is memory alone", async () => {
  const name = join(await temporaryFolder(), "app")
  const { sync } = await startNode()
  const first = connect(sync, { storage: levelStorage(name) })
  await first.yjs("notes").loaded
  const second = connect(sync, { storage: levelStorage(name) })
  const note = second.yjs("notes")
  type(note, "hi")
  await until(second.storage, ({ state }) => state === "failing")
  await until(second.storage, ({ state }) => state === "memory-only")
  expect(second.storage.current).toMatchObject({ code: "blocked" })
  await note.saved("node")
  await first.close()
  await second.close()
  const third = connect(sync, { storage: levelStorage(name) })
  await third.yjs("notes").loaded
  expect(third.storage.current).toEqual({ state: "ok" })
})

test("[C11] one storage given to two clients is one client's until that is closed", async () => {
  const storage = levelStorage(join(await temporaryFolder(), "app"))
  const first = connect(nowhere, { storage })
  const second = connect(nowhere, { storage })
  type(first.yjs("one"), "first")
  await first.yjs("one").saved("local")
  type(second.yjs("two"), "second")
  await expect(second.yjs("two").saved("local")).rejects.toMatchObject({ code: "ERR_STORAGE" })
  expect(second.storage.current).toMatchObject({ state: "memory-only", code: "blocked" })
  await second.close()
  type(first.yjs("one"), ", and on")
  await first.close()
  const third = connect(nowhere, { storage })
  await third.yjs("one").loaded
  expect(textOf(third.yjs("one"))).toBe("first, and on")
})
