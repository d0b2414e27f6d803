/** Clients of real nodes: what is typed in one shows in the other, and says where it is saved. */
import { describe, expect, test } from "vitest"
import { limits } from "@causeway/crdt/base"
import { createClient, memoryStorage, SyncError } from "./index.ts"
import type { ClientStorage, RejectedUpdate } from "./index.ts"
import { connect, startNode, temporaryFolder, textOf, type, until } from "./test/world.ts"
import { untilText, within } from "./test/world.ts"

type Plan = { title?: string; done?: number }

describe("Yjs documents", () => {
  test("what one client types, the other shows", async () => {
    const { sync } = await startNode()
    const [ann, ben] = [connect(sync).yjs("notes"), connect(sync).yjs("notes")]
    type(ann, "hello")
    await untilText(ben, "hello")
    type(ben, " world")
    await untilText(ann, "hello world")
    expect(ann.ydoc.clientID).not.toBe(ben.ydoc.clientID)
  })

  test("[C1] saved(local) needs no node, saved(node) waits for one", async () => {
    const { node, sync } = await startNode()
    const client = connect(sync)
    const note = client.yjs("notes")
    client.goOffline()
    type(note, "offline")
    await note.saved("local")
    expect(note.status.current).toMatchObject({ pending: 1, savedTo: "local" })
    expect(client.pending.documents()).toEqual([{ engine: "yjs", name: "notes" }])
    client.goOnline()
    await note.saved("node")
    expect(note.status.current).toMatchObject({ pending: 0, savedTo: "node" })
    expect(client.pending.count).toBe(0)
    expect(node.status()).toBeDefined()
  })

  test("[T1] [T9] on a node that is alone every tier is the node's", async () => {
    const { sync } = await startNode()
    const note = connect(sync).yjs("notes")
    type(note, "hello")
    expect(note.status.current.quorum).toEqual({ state: "unasked" })
    await note.saved("quorum")
    expect(note.status.current).toMatchObject({ savedTo: "quorum", quorum: { state: "saved" } })
    await note.saved("all")
    expect(note.status.current).toMatchObject({ savedTo: "all", all: { state: "saved" } })
    type(note, "!")
    expect(note.status.current.savedTo).not.toBe("all")
    await note.saved("all")
  })

  test("[N4] status says how fresh the document is", async () => {
    const { sync } = await startNode()
    const client = connect(sync)
    const note = client.yjs("notes")
    expect(note.status.current.freshness.state).toBe("unknown")
    await until(note.status, ({ freshness }) => freshness.state === "live")
    client.goOffline()
    const { freshness } = await until(note.status, (status) => status.freshness.state === "stale")
    expect(freshness.state === "stale" && Date.now() - freshness.sinceMs).toBeLessThan(20_000)
  })

  test("[C2] what a client left unsent is sent by the next one on its storage", async () => {
    const { sync } = await startNode()
    const storage = memoryStorage()
    const first = createClient({ urls: [sync], storage })
    first.goOffline()
    type(first.yjs("notes"), "typed before the crash")
    await first.yjs("notes").saved("local")
    await first.close()
    const second = connect(sync, { storage })
    const note = second.yjs("notes")
    await note.loaded
    expect(textOf(note)).toBe("typed before the crash")
    await note.saved("node")
    await untilText(connect(sync).yjs("notes"), "typed before the crash")
  })

  test("[C2] a document that nobody opened is sent from storage all the same", async () => {
    const { sync } = await startNode()
    const storage = memoryStorage()
    const first = createClient({ urls: [sync], storage })
    first.goOffline()
    type(first.yjs("notes"), "left")
    await first.close()
    const second = connect(sync, { storage })
    await until(second.pending, ({ count }) => count === 1)
    await until(second.pending, ({ count }) => count === 0)
    await untilText(connect(sync).yjs("notes"), "left")
  })

  test("a handle that is closed and opened again has what was pending", async () => {
    const { sync } = await startNode()
    const client = connect(sync)
    client.goOffline()
    const note = client.yjs("notes")
    type(note, "kept")
    await note.saved("local")
    note.close()
    const again = client.yjs("notes")
    expect(again).not.toBe(note)
    await again.loaded
    expect(textOf(again)).toBe("kept")
    client.goOnline()
    await again.saved("node")
  })

  test("[C2] [C4] a node that restarts gets what was typed meanwhile, once", async () => {
    const directory = await temporaryFolder()
    const { node, sync } = await startNode({ directory })
    const note = connect(sync).yjs("notes")
    type(note, "one ")
    await note.saved("node")
    const { port } = new URL(node.url)
    await node.close()
    type(note, "two ")
    expect(note.status.current.savedTo).not.toBe("node")
    await startNode({ directory, port: Number(port) })
    await note.saved("node")
    type(note, "three")
    await note.saved("node")
    await untilText(connect(sync).yjs("notes"), "one two three")
  })

  test("[N4] a node that lost its disk gets the whole document back from a client", async () => {
    const first = await startNode()
    const note = connect(first.sync).yjs("notes")
    type(note, "everything")
    await note.saved("node")
    const { port } = new URL(first.node.url)
    await first.node.close()
    const second = await startNode({ port: Number(port) })
    await untilText(connect(second.sync).yjs("notes"), "everything")
  })

  test("[C4] a client fails over to the next node, and shows what comes there", async () => {
    const one = await startNode()
    const two = await startNode({ peers: [one.node.url] })
    const ann = connect(one.sync, { urls: [one.sync, two.sync] }).yjs("notes")
    const ben = connect(two.sync).yjs("notes")
    type(ann, "before ")
    await untilText(ben, "before ")
    await one.node.close()
    type(ann, "after")
    await untilText(ben, "before after")
    await ann.saved("node")
  })

  test("[C3] what a node refuses for good is kept for the app, and the rest goes on", async () => {
    const { sync } = await startNode()
    const client = connect(sync)
    const note = client.yjs("notes")
    const rejected = within<RejectedUpdate>((resolve) => {
      client.onRejected(resolve)
      return () => "nothing was rejected"
    })
    type(note, "x".repeat(limits.updateBytesMax))
    const other = client.yjs("others")
    type(other, "goes on")
    const update = await rejected
    expect(update).toMatchObject({ engine: "yjs", name: "notes", reason: "too-large" })
    expect(update.error).toBeInstanceOf(SyncError)
    expect(update.update.length).toBeGreaterThan(limits.updateBytesMax)
    await other.saved("node")
    const late: RejectedUpdate[] = []
    const seen = within<RejectedUpdate>((resolve) => {
      client.onRejected((again) => resolve(again))
      return () => "the kept update was not told to a new listener"
    })
    ;(await seen).dismiss()
    client.onRejected((again) => late.push(again))
    await Promise.resolve()
    expect(late).toEqual([])
  })
})

describe("Automerge documents", () => {
  test("what one client changes, the other shows", async () => {
    const { sync } = await startNode()
    const ann = connect(sync).automerge<Plan>("plan")
    const ben = connect(sync).automerge<Plan>("plan")
    const shown = within<Plan>((resolve) => {
      ben.subscribe((doc) => {
        if (doc.title === "x" && doc.done === 1) resolve(doc)
      })
      return () => `document is ${JSON.stringify(ben.doc)}`
    })
    const titled = ann.change((doc) => {
      doc.title = "x"
    })
    expect(ann.doc).toBeUndefined()
    await titled
    expect(ann.doc).toEqual({ title: "x" })
    await ann.change((doc) => {
      doc.done = 1
    })
    await ann.saved("node")
    expect(await shown).toEqual({ title: "x", done: 1 })
  })

  test("[N4] a node that lost its disk gets the document back from a client", async () => {
    const first = await startNode()
    const plan = connect(first.sync).automerge<Plan>("plan")
    await plan.change((doc) => {
      doc.title = "kept"
    })
    await plan.saved("node")
    const { port } = new URL(first.node.url)
    await first.node.close()
    await plan.change((doc) => {
      doc.done = 2
    })
    const second = await startNode({ port: Number(port) })
    const other = connect(second.sync).automerge<Plan>("plan")
    await within<void>((resolve) => {
      const check = (): void => {
        if (other.doc?.title === "kept" && other.doc.done === 2) resolve()
      }
      other.subscribe(check)
      check()
      return () => `document is ${JSON.stringify(other.doc)}`
    })
  })

  test("the same name in both engines is two documents", async () => {
    const { sync } = await startNode()
    const client = connect(sync)
    type(client.yjs("same"), "yjs")
    const plan = client.automerge<Plan>("same")
    await plan.saved("node")
    expect(plan.doc).toEqual({})
  })
})

describe("the client", () => {
  test("the connection says what it does, and why", async () => {
    const client = connect("ws://127.0.0.1:1/sync")
    const offline = await until(client.connection, ({ state }) => state === "offline")
    expect(offline).toMatchObject({ why: { code: 1006 } })
  })

  test("an address without /sync is named as what may be wrong", async () => {
    const { node } = await startNode()
    const client = connect(node.url)
    const note = client.yjs("notes")
    const offline = await until(client.connection, ({ state }) => state === "offline")
    expect(offline.state === "offline" && offline.why.reason).toContain("never got through")
    expect(offline.state === "offline" && offline.why.reason).toContain("/sync")
    await note.loaded
    expect(note.status.current).toMatchObject({ pending: 0, savedTo: "local" })
  })

  test("[N1] a token is fetched for each attempt; without one the client says so", async () => {
    const { sync } = await startNode()
    let asked = 0
    const client = connect(sync, {
      token: () => {
        asked += 1
        if (asked === 1) throw new Error("not signed in")
        return Promise.resolve("secret")
      },
    })
    const status = await until(client.connection, ({ state }) => state === "needs-token")
    expect(status).toMatchObject({ why: { reason: "Error: not signed in" } })
    await until(client.connection, ({ state }) => state === "connected")
    expect(asked).toBe(2)
  })

  test("misuse is a TypeError, use after close a SyncError", async () => {
    expect(() => createClient({ urls: [] })).toThrow(TypeError)
    expect(() => createClient({ urls: ["http://x"] })).toThrow(TypeError)
    const { sync } = await startNode()
    const client = connect(sync)
    expect(() => client.yjs("")).toThrow(TypeError)
    expect(() => client.yjs("é".repeat(257))).toThrow(TypeError)
    const note = client.yjs("notes")
    expect(client.yjs("notes")).toBe(note)
    await client.close()
    expect(() => client.yjs("notes")).toThrow(SyncError)
    await expect(note.saved("node")).rejects.toMatchObject({ code: "ERR_CLOSED" })
    expect(client.connection.current.state).toBe("closed")
  })

  test("[C11] a client whose storage can't be opened goes on in memory, and says so", async () => {
    const { sync } = await startNode()
    const broken = Object.assign(memoryStorage(), {
      load: (...[, done]: Parameters<ClientStorage["load"]>) => {
        const message = "database is corrupt"
        queueMicrotask(() => done({ ok: false, code: "damaged", message }))
      },
    })
    const client = connect(sync, { storage: broken })
    const note = client.yjs("notes")
    type(note, "hi")
    await note.saved("node")
    const state = { state: "memory-only", code: "damaged", message: "database is corrupt" }
    expect(client.storage.current).toEqual(state)
    await expect(note.saved("local")).rejects.toMatchObject({ code: "ERR_STORAGE" })
    await untilText(connect(sync).yjs("notes"), "hi")
  })
})
