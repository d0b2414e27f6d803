/** Clients of one process as tabs: they share Web Locks and channels as a browser's tabs do. */
import { expect, onTestFinished, test, vi } from "vitest"
import { memoryStorage, SyncError } from "../index.ts"
import { limits } from "@causeway/crdt/base"
import type { Client, ClientOptions, ClientStorage } from "../index.ts"
import type { PresenceState, RejectedUpdate } from "../index.ts"
import { levelStorage } from "../level/index.ts"
import { temporaryFolderSync } from "../test/folders.ts"
import { connect, startNode, textOf, type, until, untilText } from "../test/world.ts"
import { sharedTabs } from "./index.ts"

let lastName = 0

/** Opens tabs of one app, one after the other. */
function tabsOf(
  sync: string,
  options: Partial<ClientOptions> = {},
): (others?: Partial<ClientOptions>) => Client {
  lastName += 1
  const name = `test ${process.pid} ${lastName}`
  const shared = { storage: memoryStorage(), tabs: sharedTabs(name), ...options }
  return (others) => connect(sync, { ...shared, ...others })
}

test("[H1] [H2] tabs share one session; the next one leads when the first is closed", async () => {
  const { sync } = await startNode()
  const open = tabsOf(sync)
  const first = open()
  const note = first.yjs("note")
  await note.loaded
  const second = open()
  const other = second.yjs("note")
  await other.loaded
  type(note, "a")
  await untilText(other, "a")
  type(other, "b")
  await untilText(note, "ab")
  await other.saved("node")
  await until(second.connection, ({ state }) => state === "connected")
  const [one, two] = [first.connection.current, second.connection.current]
  expect(one).toEqual(two)

  await first.close()
  type(other, "c")
  await other.saved("node")
  await until(second.pending, ({ count }) => count === 0)
  const far = connect(sync).yjs("note")
  await untilText(far, "abc")
  expect(textOf(other)).toBe("abc")
})

function namesOf(states: ReadonlyMap<number, PresenceState>): string {
  const names = [...states.values()].map((state) => String(state["name"]))
  return names.toSorted((left, right) => (left < right ? -1 : 1)).join()
}

test("[H1] [C8] what a tab typed offline is there in the next, and sent by it", async () => {
  const { sync } = await startNode()
  const storage = levelStorage(temporaryFolderSync())
  const open = tabsOf(sync, { storage })
  const first = open()
  first.goOffline()
  const second = open()
  const [note, other] = [first.yjs("note"), second.yjs("note")]
  await Promise.all([note.loaded, other.loaded])
  await until(second.connection, ({ state }) => state === "offline")
  type(other, "offline")
  expect(other.status.current.savedTo).toBe("memory")
  await other.saved("local")
  expect(other.status.current).toMatchObject({ savedTo: "local", pending: 1 })
  await untilText(note, "offline")
  expect(second.pending.documents()).toEqual([{ engine: "yjs", name: "note" }])
  expect(await second.documents()).toEqual(await first.documents())

  // Whoever leads next is offline as well, until a tab wants it otherwise.
  await first.close()
  await until(second.connection, ({ state }) => state === "offline")
  const third = open()
  const again = third.yjs("note")
  await untilText(again, "offline")
  third.goOnline()
  await other.saved("node")
  await until(third.pending, ({ count }) => count === 0)
  await untilText(connect(sync).yjs("note"), "offline")
})

test("[C8] what a tab shows and storage lost is in the copy of who leads next", async () => {
  const { sync } = await startNode()
  const far = connect(sync).yjs("note")
  type(far, "kept")
  await far.saved("node")
  const open = tabsOf(sync)
  const first = open()
  await untilText(first.yjs("note"), "kept")
  // As if the browser had cleared it.
  const storage = memoryStorage()
  const second = open({ storage })
  const note = second.yjs("note")
  await untilText(note, "kept")
  await first.close()
  type(note, "!")
  await note.saved("node")
  await second.close()

  const third = open({ storage })
  third.goOffline()
  const again = third.yjs("note")
  await again.loaded
  expect(textOf(again)).toBe("kept!")
})

test("[H3] a tab that is closed leaves nothing behind that is not stored", async () => {
  const { sync } = await startNode()
  const open = tabsOf(sync)
  const note = open().yjs("note")
  await note.loaded
  const second = open()
  const other = second.yjs("note")
  await other.loaded
  type(other, "last words")
  await second.close()
  expect(second.isClosed).toBe(true)
  await untilText(note, "last words")
  await expect(other.saved("node")).rejects.toThrow(
    new SyncError("ERR_CLOSED", "the client is closed", false),
  )
})

/** In memory; while it is late it gives nothing before `read`, and has nothing before `catchUp`. */
class LateStorage implements ClientStorage {
  isLate = false
  readonly #memory = memoryStorage()
  readonly #reads: (() => void)[] = []
  readonly #writes: (() => void)[] = []

  load(...[fresh, done]: Parameters<ClientStorage["load"]>): void {
    this.#memory.load(fresh, done)
  }

  write(...[writes, done]: Parameters<ClientStorage["write"]>): void {
    this.#memory.write(writes, (result) => this.#say(this.#writes, () => done(result)))
  }

  read(...[document, done]: Parameters<ClientStorage["read"]>): void {
    this.#memory.read(document, (result) => this.#say(this.#reads, () => done(result)))
  }

  list(...[done]: Parameters<ClientStorage["list"]>): void {
    this.#memory.list(done)
  }

  close(done: () => void): void {
    this.#memory.close(done)
  }

  #say(late: (() => void)[], run: () => void): void {
    if (this.isLate) late.push(run)
    else run()
  }

  giveReads(): void {
    for (const run of this.#reads.splice(0)) run()
  }

  catchUp(): void {
    this.isLate = false
    for (const run of [...this.#reads.splice(0), ...this.#writes.splice(0)]) run()
  }
}

/** The first leads. */
async function twoTabs(): Promise<{ storage: LateStorage; first: Client; second: Client }> {
  const { sync } = await startNode()
  const storage = new LateStorage()
  const open = tabsOf(sync, { storage })
  const first = open()
  await until(first.storage, ({ state }) => state === "ok")
  const second = open()
  onTestFinished(() => storage.catchUp())
  return { storage, first, second }
}

/** The second types a letter that storage is late with, and closes the note. */
async function typedLate(storage: LateStorage, first: Client, second: Client): Promise<void> {
  const note = second.yjs("note")
  await note.loaded
  storage.isLate = true
  type(note, "a")
  note.close()
  // Answered once all of it has come to who leads, and nobody has the document open any more.
  await second.documents()
  expect(first.pending.current.count).toBe(1)
}

test("[H2] who leads opens a document without what others typed until that is stored", async () => {
  const { storage, first, second } = await twoTabs()
  await typedLate(storage, first, second)
  const shown = first.yjs("note")
  await first.documents()
  storage.giveReads()
  await shown.loaded
  expect(textOf(shown)).toBe("")
  storage.catchUp()
  await untilText(shown, "a")
})

test("[H2] what who leads typed before it was loaded is shown once it is stored", async () => {
  const { storage, first, second } = await twoTabs()
  storage.isLate = true
  const note = first.yjs("note")
  type(note, "a")
  const other = second.yjs("note")
  await second.documents()
  storage.giveReads()
  await note.loaded
  await second.documents()
  expect([textOf(note), textOf(other)]).toEqual(["a", ""])
  storage.catchUp()
  await untilText(other, "a")
})

test("[C13] what is discarded before it is stored is shown to nobody", async () => {
  const { storage, first, second } = await twoTabs()
  await typedLate(storage, first, second)
  const removing = first.remove({ engine: "yjs", name: "note" }, { discard: true })
  await first.documents()
  const shown = first.yjs("note")
  await first.documents()
  storage.giveReads()
  await shown.loaded
  storage.catchUp()
  await removing
  await first.documents()
  type(shown, "b")
  await shown.saved("node")
  expect(textOf(shown)).toBe("b")
})

test("[H2] Automerge documents are shared too, also if the leader has none", async () => {
  const { sync } = await startNode()
  const open = tabsOf(sync)
  const first = open()
  const early = first.automerge<{ title?: string }>("plan")
  await early.change((doc) => {
    doc.title = "begun"
  })
  const second = open()
  const plan = second.automerge<{ title?: string; done?: boolean }>("plan")
  await plan.loaded
  expect(plan.doc).toEqual({ title: "begun" })
  early.close()
  await plan.change((doc) => {
    doc.done = true
  })
  const third = open()
  const late = third.automerge<{ title?: string; done?: boolean }>("plan")
  await late.loaded
  await late.saved("node")
  await expect.poll(() => late.doc, { timeout: 20_000 }).toEqual({ title: "begun", done: true })

  await first.close()
  await late.change((doc) => {
    doc.title = "after"
  })
  await late.saved("node")
  await expect.poll(() => plan.doc, { timeout: 20_000 }).toEqual({ title: "after", done: true })
  const far = connect(sync).automerge("plan")
  await expect.poll(() => far.doc, { timeout: 20_000 }).toEqual({ title: "after", done: true })
})

test("[H5] [N9] each tab is present by itself, and gone when it is", async () => {
  const { sync } = await startNode()
  const open = tabsOf(sync)
  const [first, second, third] = [open(), open(), open()]
  const far = connect(sync).yjs("note")
  far.presence.setLocalState({ name: "far" })
  const notes = [first, second, third].map((client) => client.yjs("note"))
  for (const [index, note] of notes.entries()) {
    await note.loaded
    note.presence.setLocalState({ name: `tab ${index + 1}` })
  }
  for (const { presence } of [far, ...notes]) {
    await expect
      .poll(() => namesOf(presence.current), { timeout: 20_000 })
      .toBe("far,tab 1,tab 2,tab 3")
  }
  await first.close()
  await third.close()
  const left = [far, ...notes.slice(1, 2)]
  for (const { presence } of left) {
    await expect.poll(() => namesOf(presence.current), { timeout: 20_000 }).toBe("far,tab 2")
  }
})

test("[H1] where there are no locks each tab has a socket of its own", async () => {
  const { sync } = await startNode()
  vi.stubGlobal("navigator", {})
  onTestFinished(() => {
    vi.unstubAllGlobals()
  })
  const open = tabsOf(sync)
  const [first, second] = [open(), open()]
  const [note, other] = [first.yjs("note"), second.yjs("note")]
  await note.loaded
  type(note, "met at the node")
  await untilText(other, "met at the node")
  const sessions = [first, second].map(({ connection: { current } }) => {
    return current.state === "connected" ? current.session : current.state
  })
  expect(new Set(sessions).size).toBe(2)
})

test("a name is needed", () => {
  expect(() => sharedTabs("")).toThrow(TypeError)
})

test("[H2] [H6] tabs open and close documents in any order, and show all of them", async () => {
  const { sync } = await startNode()
  const open = tabsOf(sync)
  const clients = [open(), open(), open()]
  const [one, two, three] = clients
  if (one === undefined || two === undefined || three === undefined) throw new Error("no clients")
  let text = ""
  // Two of three have the documents open, each time others.
  for (let round = 0; round < 4; round++) {
    for (const [writer, reader, closer] of [
      [one, three, two],
      [two, one, three],
      [three, two, one],
    ] as const) {
      const word = `${text.length} `
      text += word
      const [note, plan] = [writer.yjs("note"), writer.automerge<Record<string, number>>("plan")]
      await Promise.all([note.loaded, plan.loaded])
      type(note, word)
      await plan.change((doc) => {
        doc[word] = round
      })
      closer.yjs("note").close()
      closer.automerge("plan").close()
      if (round % 2 === 0) await writer.documents()
      const shown = reader.yjs("note")
      await shown.loaded
      await untilText(shown, text)
    }
  }
  for (const client of clients) {
    const [note, plan] = [client.yjs("note"), client.automerge<object>("plan")]
    await untilText(note, text)
    await expect.poll(() => Object.keys(plan.doc ?? {}).length, { timeout: 20_000 }).toBe(12)
    await Promise.all([note.saved("node"), plan.saved("node")])
  }
  await untilText(connect(sync).yjs("note"), text)
})

test("[C3] [C13] refused updates and local copies are those of the shared client", async () => {
  const { sync } = await startNode()
  const open = tabsOf(sync)
  const [first, second] = [open(), open()]
  const heard: RejectedUpdate[][] = [first, second].map((client) => {
    const list: RejectedUpdate[] = []
    client.onRejected((update) => list.push(update))
    return list
  })
  const [note, other] = [first.yjs("note"), second.yjs("note")]
  await Promise.all([note.loaded, other.loaded])
  type(other, "x".repeat(limits.updateBytesMax + 1))
  await expect.poll(() => heard.map(({ length }) => length), { timeout: 20_000 }).toEqual([1, 1])
  await expect(other.saved("node")).rejects.toMatchObject({ code: "ERR_UPDATE_REJECTED" })
  const [rejected] = heard[1] ?? []
  expect(rejected).toMatchObject({ reason: "too-large", name: "note" })
  expect(rejected?.retry()).toBe("too-large")
  const name = { engine: "yjs", name: "note" } as const
  other.close()
  await expect(second.remove(name)).rejects.toMatchObject({ code: "ERR_DOCUMENT_OPEN" })
  note.close()
  await expect(second.remove(name)).rejects.toMatchObject({ code: "ERR_NOT_SAVED" })
  rejected?.dismiss()
  await second.remove(name)
  expect(await first.documents()).toEqual([])
  const later: unknown[] = []
  first.onRejected((update) => later.push(update))
  await second.documents()
  expect([later, heard[0]?.[0]?.retry()]).toEqual([[], "gone"])
})

test("[C11] storage that can't be had is told to every tab, which all live in memory", async () => {
  const { sync } = await startNode()
  const folder = temporaryFolderSync()
  const holder = connect(sync, { storage: levelStorage(folder) })
  await holder.yjs("note").loaded
  const open = tabsOf(sync, { storage: levelStorage(folder) })
  const [first, second] = [open(), open()]
  for (const { storage } of [first, second]) {
    await until(storage, ({ state }) => state === "memory-only")
    expect(storage.current).toMatchObject({ code: "blocked" })
  }
  const [note, other] = [first.yjs("note"), second.yjs("note")]
  await Promise.all([note.loaded, other.loaded])
  second.goOffline()
  type(other, "unsaved")
  await untilText(note, "unsaved")
  await expect(other.saved("local")).rejects.toMatchObject({ code: "ERR_STORAGE" })
  // It was nowhere but in a tab's memory: what the other tab has is sent by the next that leads.
  await first.close()
  second.goOnline()
  await other.saved("node")
  await untilText(holder.yjs("note"), "unsaved")
})
