/** Documents that are watched instead of open: the node's side of rules [N20] and [N21]. */
import { describe, expect, test } from "vitest"
import { documentHash, generationOf, limits } from "../base/index.ts"
import type { DocumentId } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import { cutRecord } from "../log/index.ts"
import { encodeHello, encodeWatch } from "../protocol/index.ts"
import { testOrigin } from "../testing/store-fixtures.ts"
import { clientNumbered, commit, NativeClient, openNative, openStock } from "./test/clients.ts"
import { presenceOf, vectorOf, YWriter } from "./test/clients.ts"
import { documentNamed, must, World } from "./test/harness.ts"
import type { TestNode } from "./test/harness.ts"
import { recordOf } from "./test/peer.ts"

const notes = documentNamed("notes")
const plans = documentNamed("plans")
const lists = documentNamed("lists")
const all = [notes, plans, lists]

/** All that the node has in its log. */
function heldBy(node: TestNode): VersionVector {
  return new VersionVector(node.store.log.heads().map(([origin, { seq }]) => [origin, seq]))
}

function greeted(node: TestNode, client: number): NativeClient {
  const native = new NativeClient(node)
  native.hello(client)
  node.world.settle()
  return native
}

/** An entry of another node. */
function runOf(name: string) {
  const records = [recordOf(plans, new YWriter(9).put(name, 1))]
  return { own: [], adopted: [{ origin: testOrigin(name), firstSeq: 1, records }] }
}

let lastWriter = 100

/** Somebody else writes in the document. */
function write(node: TestNode, document: DocumentId): void {
  const id = ++lastWriter
  const writer = openNative(node, document, id)
  writer.update(1, 1, new YWriter(id).put(`k${id}`, id))
  node.world.settle()
  commit(node)
  writer.close()
  node.world.settle()
}

function world(): { readonly node: TestNode; readonly now: World } {
  const now = new World()
  const node = now.node("n1", { watchMin: 1 })
  for (const document of all) write(node, document)
  return { node, now }
}

/** `[whether it is the answer, hashes]` of each `woken`. */
function wakes(client: NativeClient): unknown[] {
  return client.of("woken").map(({ held, hashes }) => [held !== undefined, hashes])
}

function watching(node: TestNode, client: number, ...documents: DocumentId[]): NativeClient {
  const native = greeted(node, client)
  native.watch(heldBy(node), ...documents)
  node.world.settle()
  return native
}

describe("how far a client has everything", () => {
  test("[N20] is said with a pong, once, and again with news or an open", () => {
    const { node, now } = world()
    const client = openNative(node, notes, 1)
    const ping = () => {
      client.send({ type: "ping" })
      now.settle()
      return client.of("caught-up").map(({ vector }) => vector.get(node.origin))
    }
    expect(ping()).toEqual([3])
    expect(ping()).toEqual([3])
    write(node, plans)
    expect(ping()).toEqual([3, 4])
    client.open(2, lists)
    now.settle()
    expect(ping()).toEqual([3, 4, 4])
  })

  test("[N20] is not said while anything is owed, nor to one with few documents", () => {
    const { node, now } = world()
    const client = openNative(node, notes, 1)
    const count = () => {
      client.send({ type: "ping" })
      now.settle()
      return client.of("caught-up").length
    }
    client.congested()
    write(node, notes)
    expect(count()).toBe(0)
    node.store.held = true
    client.drained()
    client.send({ type: "ping" })
    now.settle()
    expect(client.of("caught-up")).toEqual([])
    node.store.held = false
    now.settle()
    expect(count()).toBe(1)
    const usual = new World().node()
    const few = openNative(usual, notes, 1)
    few.send({ type: "ping" })
    usual.world.settle()
    expect(few.of("caught-up")).toEqual([])
    for (let channel = 2; channel <= limits.watchMin; channel++) {
      few.open(channel, documentNamed(`more ${channel}`))
    }
    usual.world.settle()
    few.send({ type: "ping" })
    usual.world.settle()
    expect(few.of("caught-up")).toHaveLength(1)
  })

  test("[N20] is not said with more than caughtUpOriginsMax origins, nor before the answer", () => {
    for (const [count, times] of [
      [limits.caughtUpOriginsMax, 1],
      [limits.caughtUpOriginsMax + 1, 0],
    ] as const) {
      const node = new World().node("n1", { watchMin: 1 })
      const others = Array.from({ length: count - 1 }, (_, index) => `p${index}`)
      for (const name of others) node.store.log.append(runOf(name))
      node.crash()
      write(node, notes)
      const client = openNative(node, notes, 1)
      client.send({ type: "ping" })
      node.world.settle()
      expect(client.of("caught-up")).toHaveLength(times)
    }
    const { node, now } = world()
    node.store.held = true
    const client = new NativeClient(node)
    client.hello(1)
    now.settle()
    node.store.release()
    now.settle()
    client.watch(heldBy(node), notes)
    client.send({ type: "ping" })
    now.settle()
    expect(client.of("pong")).toHaveLength(1)
    expect(client.of("caught-up")).toEqual([])
  })
})

describe("a watch", () => {
  test("[N21] is answered with what changed behind its vector, on pages", () => {
    const { node, now } = world()
    const since = heldBy(node)
    const more = Array.from({ length: 5 }, (_, index) => documentNamed(`more ${index}`))
    for (const document of [plans, ...more]) write(node, document)
    const client = greeted(node, 1)
    client.watch(since, ...all)
    now.settle()
    expect(wakes(client)).toEqual([[true, [documentHash(plans)]]])
    expect(client.of("woken")[0]?.held?.get(node.origin)).toBe(9)
    expect(client.types).not.toContain("opened")
  })

  test("[N21] wakes at the first update, whoever wrote it, and then no more", () => {
    const { node } = world()
    const client = watching(node, 1, notes, plans)
    write(node, notes)
    write(node, notes)
    write(node, lists)
    const stock = openStock(node, "plans")
    stock.update(new YWriter(7).put("a", 1))
    node.world.settle()
    commit(node)
    expect(wakes(client)).toEqual([
      [true, []],
      [false, [documentHash(notes)]],
      [false, [documentHash(plans)]],
    ])
  })

  test("[N21] misses nothing that becomes durable while the log is read", () => {
    const { node, now } = world()
    const writer = openNative(node, notes, 50)
    const client = greeted(node, 1)
    const since = heldBy(node)
    node.store.held = true
    writer.update(1, 1, new YWriter(50).put("late", 1))
    now.settle()
    client.watch(since, notes, plans)
    now.settle()
    expect(node.store.waiting).toEqual(["append", "read"])
    node.store.held = false
    commit(node)
    const hashes = client.of("woken").flatMap((one) => one.hashes ?? [])
    expect(hashes).toEqual([documentHash(notes)])
  })

  test("[N21] misses nothing of what its pages have passed already", () => {
    const { node, now } = world()
    const early = documentNamed("early")
    const writer = openNative(node, early, 50)
    const client = greeted(node, 1)
    const since = heldBy(node)
    for (const document of all) write(node, document)
    const { log } = node.store
    const readChanged = log.readChanged.bind(log)
    log.readChanged = (from, after) => readChanged(from, after, 1)
    node.store.held = true
    client.watch(since, early, ...all)
    now.settle()
    node.store.release()
    writer.update(1, 1, new YWriter(50).put("late", 1))
    now.settle()
    expect(node.store.waiting).toEqual(["read", "append"])
    node.store.release()
    node.store.release()
    now.settle()
    expect(wakes(client)).toEqual([[false, [documentHash(early)]]])
    node.store.held = false
    now.settle()
    expect(wakes(client).at(-1)).toEqual([true, [lists, notes, plans].map(documentHash)])
  })

  test("[N21] does not wake who wrote it, and goes on for the others that share its hash", () => {
    const { node, now } = world()
    const client = watching(node, 1, notes)
    client.open(1, notes, { type: "vector", vector: heldBy(node) }, 1)
    client.update(1, 1, new YWriter(3).put("own", 1))
    now.settle()
    commit(node)
    expect(wakes(client)).toEqual([[true, []]])
    write(node, notes)
    expect(wakes(client).at(-1)).toEqual([false, [documentHash(notes)]])
  })

  test("[N9] [N21] wakes where somebody is present, then or later, and not for who leaves", () => {
    const { node, now } = world()
    const ben = openNative(node, notes, 2)
    ben.open(2, plans)
    ben.presence(1, presenceOf(2, 1))
    now.settle()
    const client = watching(node, 1, ...all)
    expect(wakes(client)).toEqual([[true, [documentHash(notes)]]])
    ben.presence(2, presenceOf(2, 1))
    now.settle()
    expect(wakes(client).at(-1)).toEqual([false, [documentHash(plans)]])
    const later = watching(node, 3, lists)
    ben.close()
    now.settle()
    expect(wakes(later)).toEqual([[true, []]])
  })

  test("[L7] [N21] wakes for presence on a peer, of a document that is not open here", () => {
    const now = new World()
    const [a, b] = now.mesh("a", "b")
    now.advance(1000)
    const ben = openNative(must(a), notes, 2)
    now.advance(1000)
    const client = watching(must(b), 1, notes)
    ben.presence(1, presenceOf(2, 1))
    now.advance(100)
    expect(wakes(client)).toEqual([
      [true, []],
      [false, [documentHash(notes)]],
    ])
    client.open(1, notes)
    now.settle()
    expect(client.of("document-presence").map(({ entries }) => entries[0]?.client)).toEqual([2])
  })

  test("[N18] [N21] wakes at a deletion, and always for names that were ever deleted", () => {
    const { node, now } = world()
    const client = watching(node, 1, notes, plans)
    const request = { type: "delete-document", document: notes } as const
    node.input({ type: "command", command: 1, request })
    now.advance(50)
    expect(wakes(client).at(-1)).toEqual([false, [documentHash(notes)]])
    const later = watching(node, 2, generationOf(notes, 2), plans)
    expect(wakes(later)).toEqual([[true, [documentHash(notes)]]])
    node.crash()
    expect(wakes(watching(node, 3, notes))).toEqual([[true, [documentHash(notes)]]])
  })

  test("[X5] [N21] over a cut, or with a log that can't be read, wakes all", () => {
    const { node, now } = world()
    const since = heldBy(node)
    node.store.readFailure = "store-failed"
    const unread = greeted(node, 1)
    expect(unread.closed?.reason).toBe("read-failed")
    node.store.readFailure = undefined
    const client = greeted(node, 1)
    node.store.readFailure = "store-failed"
    client.watch(since, notes)
    now.settle()
    node.store.readFailure = undefined
    expect(wakes(client)).toEqual([[false, undefined]])
    node.store.log.append({
      own: [cutRecord({ origin: node.origin, keepSeq: 2 })],
      adopted: [],
    })
    node.crash()
    const over = greeted(node, 2)
    over.watch(since, notes)
    const below = greeted(node, 3)
    below.watch(vectorOf([[node.origin, 2]]), notes)
    now.settle()
    expect(wakes(over)).toEqual([[false, undefined]])
    expect(wakes(below)).toEqual([[true, []]])
  })

  test("[N21] past its pages, all may have changed", () => {
    const { node, now } = world()
    const { log } = node.store
    const readChanged = log.readChanged.bind(log)
    let pages = 0
    log.readChanged = (since, after) => {
      pages += 1
      return readChanged(since, after, 1)
    }
    const many = Array.from({ length: limits.watchPagesMax }, (_, at) => documentNamed(`m ${at}`))
    const since = heldBy(node)
    for (const document of many.slice(1)) write(node, document)
    write(node, notes)
    const client = greeted(node, 1)
    client.watch(since, notes, plans)
    now.settle()
    expect(wakes(client)).toEqual([[true, [documentHash(notes)]]])
    expect(pages).toBe(limits.watchPagesMax)
    write(node, must(many[0]))
    const late = greeted(node, 2)
    late.watch(since, notes, plans)
    now.settle()
    expect(wakes(late)).toEqual([[false, undefined]])
  })

  test("[F5] [N21] a second one closes, and so does one of an older version", () => {
    const { node, now } = world()
    const client = watching(node, 1, notes)
    client.watch(heldBy(node), plans)
    now.settle()
    expect(client.closed?.reason).toBe("malformed")
    const older = new NativeClient(node)
    const said = { client: clientNumbered(2), firstPending: 1, token: "" }
    older.sendFrame(encodeHello({ type: "hello", versions: { min: 1, max: 3 }, ...said }))
    now.settle()
    older.open(1, notes)
    older.send({ type: "ping" })
    now.settle()
    expect(older.of("caught-up")).toEqual([])
    older.sendFrame(encodeWatch({ type: "watch", since: heldBy(node), hashes: [] }))
    now.settle()
    expect(older.closed?.reason).toBe("malformed")
  })

  test("[N21] nobody is told anything once the connection is gone", () => {
    const { node, now } = world()
    const client = watching(node, 1, notes)
    node.store.held = true
    const other = new NativeClient(node)
    other.hello(2)
    now.settle()
    node.store.release()
    now.settle()
    other.watch(heldBy(node), notes)
    now.settle()
    other.close()
    client.close()
    now.settle()
    node.store.held = false
    now.settle()
    write(node, notes)
    expect(wakes(other)).toEqual([])
    expect(wakes(client)).toEqual([[true, []]])
  })
})
