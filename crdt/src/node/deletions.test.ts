/** Documents that are deleted and created again, and what of them comes back: nothing. */
import { describe, expect, test } from "vitest"
import { generationOf, limits } from "../base/index.ts"
import { bodyOf, encodeRecord } from "../log/index.ts"
import type { Command, Reply } from "./input.ts"
import { clientNumbered, commit, jsonAfter, logged, NativeClient } from "./test/clients.ts"
import {
  openNative,
  openStock,
  presenceOf,
  StockClient,
  vectorOf,
  YWriter,
} from "./test/clients.ts"
import { documentNamed, must, World } from "./test/harness.ts"
import type { TestNode } from "./test/harness.ts"

const notes = documentNamed("notes")
const second = generationOf(notes, 2)

let lastCommand = 0

function command(node: TestNode, type: "delete-document" | "create-document"): Reply | undefined {
  const request: Command = { type, document: notes }
  const id = ++lastCommand
  node.input({ type: "command", command: id, request })
  node.world.advance(50)
  return node.replies.get(id)
}

function remove(node: TestNode): Reply | undefined {
  return command(node, "delete-document")
}

function create(node: TestNode): Reply | undefined {
  return command(node, "create-document")
}

function readOn(node: TestNode): Reply | undefined {
  const id = ++lastCommand
  const request: Command = { type: "read-document", document: notes }
  node.input({ type: "command", command: id, request })
  node.world.advance(50)
  return node.replies.get(id)
}

function bodiesOf(client: NativeClient): Uint8Array[] {
  return client.of("updates").flatMap(({ updates }) => updates)
}

function closedOf(client: NativeClient) {
  return client.of("document-closed").map(({ channel, code }) => [channel, code])
}

function pair(): readonly [TestNode, TestNode, World] {
  const world = new World()
  const [a, b] = world.mesh("a", "b").map(must)
  world.advance(5000)
  return [must(a), must(b), world]
}

describe("deleting", () => {
  test("[R4] is answered when it is durable, and once for each life", () => {
    const node = new World().node()
    expect(remove(node)).toEqual({ type: "document-deleted", generation: 1 })
    expect(remove(node)).toEqual({ type: "life-unchanged", code: "deleted" })
    expect(create(node)).toEqual({ type: "document-created", generation: 2 })
    expect(create(node)).toEqual({ type: "life-unchanged", code: "alive" })
    expect(remove(node)).toEqual({ type: "document-deleted", generation: 2 })
    expect(create(node)).toEqual({ type: "document-created", generation: 3 })
  })

  test("[R4] [D4] while the store fails it is refused, and nothing has happened", () => {
    const world = new World()
    const node = world.node()
    node.store.appendFailure = "store-failed"
    expect(remove(node)).toEqual({ type: "life-unchanged", code: "store-failed" })
    expect(remove(node)).toEqual({ type: "life-unchanged", code: "store-failed" })
    node.store.appendFailure = undefined
    world.advance(limits.storeRetryMsMax)
    expect(remove(node)).toMatchObject({ type: "document-deleted" })
  })

  test("[R2] [R3] is known after a restart, and to who was cut off, after the heal", () => {
    const [a, b, world] = pair()
    world.cut(a, b)
    remove(a)
    expect(closedOf(openNative(b, notes, 1))).toEqual([])
    a.crash()
    expect(closedOf(openNative(a, notes, 2))).toEqual([[1, "document-deleted"]])
    world.heal(a, b)
    world.advance(5000)
    expect(closedOf(openNative(b, notes, 3))).toEqual([[1, "document-deleted"]])
    expect(create(b)).toEqual({ type: "document-created", generation: 2 })
  })

  test("[R10] past the limit it is refused", () => {
    const world = new World()
    const node = world.node()
    const document = documentNamed("another")
    const record = encodeRecord({ kind: "delete", atMs: 1, document })
    node.store.log.appendOwn(Array<Uint8Array>(limits.deletionsMax).fill(record))
    node.crash()
    expect(remove(node)).toEqual({ type: "life-unchanged", code: "too-many" })
  })
})

describe("who has the document open", () => {
  test("[R5] [N18] is told so for that document alone, on every node", () => {
    const [a, b, world] = pair()
    const other = documentNamed("other")
    const here = openNative(a, notes, 1)
    const there = openNative(b, notes, 2)
    there.open(2, other)
    world.settle()
    remove(a)
    expect(closedOf(here)).toEqual([[1, "document-deleted"]])
    expect(closedOf(there)).toEqual([[1, "document-deleted"]])
    expect(here.closed ?? there.closed).toBeUndefined()
    const before = there.got.length
    there.update(2, 1, new YWriter(1).put("a", 1))
    commit(b)
    expect(there.got.slice(before).map(({ type }) => type)).toEqual(["ack"])
  })

  test("[R5] [N18] updates that come after are refused for good, and numbers go on", () => {
    const world = new World()
    const node = world.node()
    const client = openNative(node, notes, 1)
    client.open(2, documentNamed("other"))
    world.settle()
    remove(node)
    client.update(1, 1, new YWriter(1).put("late", 1))
    client.update(2, 2, new YWriter(2).put("a", 1))
    commit(node)
    expect(client.of("reject")).toMatchObject([{ seq: 1, code: "document-deleted" }])
    expect(client.acked).toBe(2)
    expect(logged(node, 1)).toEqual([2])
  })

  test("[R5] what was on its way to the log with the delete is shown to nobody", () => {
    const world = new World()
    const node = world.node()
    const writer = openNative(node, notes, 1)
    const reader = openNative(node, notes, 2)
    const before = bodiesOf(reader).length
    const request: Command = { type: "delete-document", document: notes }
    writer.update(1, 1, new YWriter(1).put("a", 1))
    node.input({ type: "command", command: ++lastCommand, request })
    writer.update(1, 2, new YWriter(1).put("b", 1))
    world.advance(100)
    expect(closedOf(reader)).toEqual([[1, "document-deleted"]])
    const at = reader.got.findIndex(({ type }) => type === "document-closed")
    expect(reader.got.slice(at).filter(({ type }) => type === "updates")).toEqual([])
    expect(bodiesOf(reader).length - before).toBeLessThanOrEqual(1)
  })

  test("[R5] [R8] a stock client is closed for good, and comes back to nothing", () => {
    const [a, b, world] = pair()
    const here = openStock(a, "notes")
    const there = openStock(b, "notes")
    remove(a)
    for (const { closed } of [here, there]) expect(closed).toEqual({ reason: "document-deleted" })
    create(a)
    world.settle()
    for (const node of [a, b]) {
      const again = new StockClient(node, "notes")
      world.settle()
      expect(again.closed).toEqual({ reason: "document-deleted" })
    }
  })

  test("[R5] its presence is gone, also for who is there in the next life", () => {
    const world = new World()
    const node = world.node()
    const client = openNative(node, notes, 1)
    client.presence(1, presenceOf(7, 1))
    world.settle()
    remove(node)
    create(node)
    const next = openNative(node, notes, 2)
    expect(next.of("document-presence")).toEqual([])
  })
})

describe("reads", () => {
  test("[R5] of what is deleted say so, and later ones show the next life alone", () => {
    const world = new World()
    const node = world.node()
    const first = openNative(node, notes, 1)
    first.update(1, 1, new YWriter(1).put("old", 1))
    commit(node)
    expect(readOn(node)).toEqual({ type: "document", json: { map: { old: 1 } } })
    remove(node)
    expect(readOn(node)).toEqual({ type: "deleted" })
    create(node)
    expect(readOn(node)).toEqual({ type: "no-such-document" })
    openNative(node, notes, 2).update(1, 1, new YWriter(2).put("new", 1))
    commit(node)
    expect(readOn(node)).toEqual({ type: "document", json: { map: { new: 1 } } })
  })

  test("[R5] one that was under way as the delete became durable shows nothing", () => {
    const world = new World()
    const node = world.node()
    openNative(node, notes, 1).update(1, 1, new YWriter(1).put("old", 1))
    commit(node)
    node.jobsHeld = true
    const read = ++lastCommand
    node.input({
      type: "command",
      command: read,
      request: { type: "read-document", document: notes },
    })
    world.settle()
    expect(node.jobs.map(({ work }) => work.type)).toEqual(["json"])
    expect(remove(node)).toMatchObject({ type: "document-deleted" })
    expect(node.replies.get(read)).toBeUndefined()
    node.jobsHeld = false
    world.settle()
    expect(node.replies.get(read)).toEqual({ type: "deleted" })
  })
})

describe("zombies", () => {
  test("[R6] [N18] who is of an earlier life is refused, who has nothing is given the next", () => {
    const world = new World()
    const node = world.node()
    const old = new YWriter(1)
    openNative(node, notes, 1).update(1, 1, old.put("old", 1))
    commit(node)
    remove(node)
    create(node)
    const zombie = openNative(node, notes, 2, { type: "nothing" }, 1)
    expect(closedOf(zombie)).toEqual([[1, "document-deleted"]])
    zombie.update(1, 1, old.put("more", 1))
    commit(node)
    expect(zombie.of("reject")).toMatchObject([{ seq: 1, code: "document-deleted" }])
    const fresh = openNative(node, notes, 3)
    expect(fresh.of("generation")).toMatchObject([{ channel: 1, generation: 2 }])
    expect(jsonAfter(bodiesOf(fresh))).toEqual({})
    const vector = vectorOf([[node.origin, 9]])
    const known = openNative(node, notes, 4, { type: "vector", vector }, 2)
    expect([known.types.includes("opened"), known.of("generation")]).toEqual([true, []])
  })

  test("[R6] [N18] a client of version 1 knows the first generation alone", () => {
    const world = new World()
    const node = world.node()
    const open = (client: number) => {
      const native = new NativeClient(node)
      const versions = { min: 1, max: 1 }
      const hello = { type: "hello", versions, firstPending: 1, token: "" } as const
      native.send({ ...hello, client: clientNumbered(client) })
      world.settle()
      native.open(1, notes)
      world.settle()
      return native
    }
    const first = open(1)
    expect([first.types.includes("opened"), first.of("generation")]).toEqual([true, []])
    remove(node)
    create(node)
    expect(closedOf(open(2))).toEqual([[1, "document-deleted"]])
    const liar = new NativeClient(node)
    const hello = { type: "hello", versions: { min: 1, max: 1 }, firstPending: 1 } as const
    liar.send({ ...hello, client: clientNumbered(3), token: "" })
    world.settle()
    liar.open(1, notes, { type: "nothing" }, 2)
    world.settle()
    expect(liar.closed).toEqual({ reason: "malformed" })
  })

  test("[R3] [R6] a node that was away brings nothing back, and learns of both lives", () => {
    const [a, b, world] = pair()
    const writer = openNative(a, notes, 1)
    writer.update(1, 1, new YWriter(1).put("first", 1))
    world.advance(2000)
    world.cut(a, b)
    remove(a)
    create(a)
    openNative(a, notes, 2).update(1, 1, new YWriter(2).put("second", 1))
    const zombie = openNative(b, notes, 3)
    expect(zombie.of("generation")).toMatchObject([{ generation: 1 }])
    zombie.update(1, 1, new YWriter(3).put("late", 1))
    // It knows nothing of the second life; who comes from there goes on in it.
    const mover = openNative(b, notes, 4, { type: "nothing" }, 2)
    mover.update(1, 1, new YWriter(4).put("moved", 1))
    world.advance(2000)
    world.heal(a, b)
    world.advance(5000)
    expect(closedOf(zombie)).toEqual([[1, "document-deleted"]])
    expect(mover.closed).toBeUndefined()
    for (const node of [a, b]) {
      expect(readOn(node)).toEqual({ type: "document", json: { map: { second: 1, moved: 1 } } })
      const entries = (id: typeof notes) => node.store.log.readDocument(id).entries
      expect(entries(notes).map(({ record }) => bodyOf(record)).length).toBeLessThanOrEqual(2)
      expect(entries(second)).toHaveLength(2)
    }
    expect(jsonAfter(bodiesOf(mover))).toEqual({ second: 1 })
  })

  test("[R3] two sides that delete and create apart from each other agree after the heal", () => {
    const [a, b, world] = pair()
    world.cut(a, b)
    for (const node of [a, b]) {
      remove(node)
      create(node)
      openNative(node, notes, node === a ? 1 : 2).update(
        1,
        1,
        new YWriter(node === a ? 1 : 2).put(node.name, 1),
      )
      commit(node)
    }
    remove(a)
    world.advance(1000)
    world.heal(a, b)
    world.advance(5000)
    // The second life was deleted on one side: that wins over what the other side wrote in it.
    for (const node of [a, b]) expect(readOn(node)).toEqual({ type: "deleted" })
    expect(create(b)).toEqual({ type: "document-created", generation: 3 })
    world.advance(1000)
    expect(readOn(a)).toEqual({ type: "no-such-document" })
  })
})
