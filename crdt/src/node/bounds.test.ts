/** What a client can make a node keep or do has a limit, and what happens there is stated. */
import { describe, expect, test } from "vitest"
import { limits } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import { encodeOpen } from "../protocol/index.ts"
import { testOrigin } from "../testing/store-fixtures.ts"
import {
  NativeClient,
  openNative,
  openStock,
  StockClient,
  vectorOf,
  YWriter,
} from "./test/clients.ts"
import { documentNamed, engines, World } from "./test/harness.ts"
import { recordsOf } from "./test/peer.ts"

const notes = documentNamed("notes")

/** A vector of as many origins as one may have. */
function bigVector(): VersionVector {
  const vector = vectorOf()
  for (let index = 0; index < limits.originsMax; index++) {
    vector.raise(testOrigin(String(index).padStart(64, "n")), 1)
  }
  return vector
}

function openReads(world: World): number {
  return [...world.nodes.values()].reduce((sum, { store }) => sum + store.waiting.length, 0)
}

test("[N10] documents that are opened and closed in turn are forgotten", () => {
  const world = new World()
  const node = world.node()
  const client = openNative(node, notes, 1)
  for (let channel = 2; channel < 4000; channel++) {
    client.open(channel, documentNamed(`d${channel}`), { type: "vector", vector: vectorOf() })
    client.send({ type: "close-document", channel })
    if (channel % 50 === 0) world.settle()
  }
  world.settle()
  expect(node.core.status().documents).toBeLessThan(limits.idleDocumentsMax + 100)
  expect(node.core.status().sessions).toBe(1)
})

describe("[N3] many opens at once", () => {
  test("lead to few reads at a time, and are all served", () => {
    const world = new World()
    const node = world.node()
    const client = openNative(node, notes, 1)
    node.store.held = true
    for (let channel = 2; channel < 500; channel++) {
      const resume = channel % 2 ? ({ type: "vector", vector: vectorOf() } as const) : undefined
      client.open(channel, documentNamed(`d${channel}`), resume)
    }
    world.settle()
    expect(openReads(world)).toBeLessThanOrEqual(64)
    node.store.held = false
    world.settle()
    expect(client.of("updates").filter(({ complete }) => complete)).toHaveLength(499)
  })

  test("that are closed again leave nothing behind", () => {
    const world = new World()
    const node = world.node()
    const client = openNative(node, notes, 1)
    node.store.held = true
    const before = node.effects.length
    for (let channel = 2; channel < 1500; channel++) {
      const summary = Uint8Array.of(1, 1 + (channel % 100), 1)
      const byVector = { type: "vector", vector: vectorOf() } as const
      const resume = channel % 2 ? byVector : ({ type: "summary", summary } as const)
      client.open(channel, documentNamed(`d${channel}`), resume)
      client.send({ type: "close-document", channel })
      if (channel % 50 === 0) world.settle()
    }
    world.settle()
    expect(node.core.status().documents).toBeLessThan(limits.idleDocumentsMax + 100)
    node.store.held = false
    world.settle()
    const work = node.effects.slice(before).filter(({ type }) => type === "read" || type === "job")
    expect(work.length).toBeLessThan(50)
  })

  test("with resume points that weigh too much close the connection for now", () => {
    const world = new World()
    const node = world.node()
    const client = openNative(node, notes, 1)
    node.store.held = true
    const resume = { type: "vector", vector: bigVector() } as const
    const frame = encodeOpen({
      type: "open",
      channel: 128,
      document: documentNamed("A"),
      generation: 0,
      resume,
    })
    const nameAt = frame.indexOf("A".charCodeAt(0))
    for (let channel = 128; channel < 250; channel++) {
      const other = frame.slice()
      other[1] = channel
      other[nameAt] = channel - 127
      client.sendFrame(other)
    }
    world.settle()
    expect(client.closed?.reason).toBe("overloaded")
  })
})

test("[N4] who joins together gets the same bytes, encoded once", () => {
  const world = new World()
  const node = world.node()
  const writer = openNative(node, notes, 1)
  writer.update(1, 1, new YWriter(1).put("k", "x".repeat(100_000)))
  world.settle()
  node.jobsHeld = true
  const first = openStock(node, "notes")
  const others = [1, 2, 3].map(() => openStock(node, "notes"))
  const natives = [2, 3, 4].map((client) => openNative(node, notes, client))
  node.jobsHeld = false
  const before = node.effects.length
  world.settle()
  const buffers = new Set<ArrayBufferLike>()
  for (const effect of node.effects.slice(before)) {
    if (effect.type !== "send") continue
    for (const frame of effect.frames) if (frame.length > 100_000) buffers.add(frame.buffer)
  }
  // The first came alone; then the stock and native clients that waited for it.
  expect(buffers.size).toBeLessThanOrEqual(3)
  for (const { got } of [first, ...others]) expect(got.map(({ type }) => type)).toContain("step2")
  for (const native of natives) expect(native.of("updates").at(-1)?.complete).toBe(true)
})

test("[N1] a slow disk is not the client's fault: no permanent code", () => {
  const world = new World()
  const node = world.node()
  node.store.held = true
  const client = new NativeClient(node)
  client.hello(1)
  world.advance(limits.helloMs + limits.sweepMs * 2)
  expect(client.closed).toBeUndefined()
  node.store.held = false
  world.settle()
  expect(client.types).toContain("welcome")
  const silent = new NativeClient(node)
  world.advance(limits.helloMs + limits.sweepMs * 2)
  expect(silent.closed?.reason).toBe("silent")
})

test("[L3] a commit of more entries than fit a frame reaches the peer over the same link", () => {
  const world = new World()
  const [node, peer] = [world.node("n1", { peers: ["n2"] }), world.node("n2")]
  world.advance(100)
  const client = openNative(node, documentNamed("d", "automerge"), 1)
  node.store.held = true
  client.update(1, 1, new Uint8Array())
  world.settle()
  const count = 3000
  client.update(1, 2, ...Array.from({ length: count }, () => new Uint8Array()))
  client.update(1, 2 + count, ...Array.from({ length: count }, () => new Uint8Array()))
  world.settle()
  node.store.held = false
  world.advance(20_000)
  expect(peer.store.log.head(node.origin).seq).toBe(1 + 2 * count)
  expect(peer.eventsOf("connection-refused")).toEqual([])
  expect(node.eventsOf("link-down")).toEqual([])
})

test("[D4] a log that can't be read is not read again for each write", () => {
  const world = new World()
  const node = world.node()
  node.store.readFailure = "store-failed"
  const client = new StockClient(node, "notes")
  const doc = new YWriter(1)
  for (let value = 0; value < 20; value++) {
    client.update(doc.put("k", value))
    world.advance(limits.commitPaceMs)
  }
  const reads = () => {
    return node.effects.filter((it) => it.type === "read" && it.query.type === "document").length
  }
  expect(reads()).toBe(1)
  expect(node.store.log.readDocument(notes).entries).toHaveLength(20)
  node.store.readFailure = undefined
  world.advance(10_000)
  client.update(doc.put("k", 20))
  world.advance(limits.commitPaceMs)
  expect(reads()).toBe(2)
})

describe("[F7] a document whose log is as large as it may be", () => {
  test("takes no more, until it is less", () => {
    const world = new World()
    const node = world.node()
    node.store.log.appendOwn(recordsOf(notes, 1))
    const folded = new VersionVector([[node.origin, 1]])
    const writeTo = (state: Uint8Array) => {
      const snapshots = [{ document: notes, state, folded }]
      node.store.log.append({ own: [], adopted: [], snapshots })
      node.crash()
      const client = openNative(node, notes, 1)
      client.update(1, 1, new YWriter(1).put("k", 1))
      world.advance(100)
      return client
    }
    // No state of anything, so it is left out when it is merged; but it is there.
    const large = writeTo(new Uint8Array(limits.documentLogBytesMax))
    expect(large.of("reject")).toMatchObject([{ seq: 1, code: "too-large" }])
    expect(writeTo(engines.yjs.empty).acked).toBe(1)
  })

  test("takes nothing if it is too large to be read", () => {
    const world = new World()
    const node = world.node()
    node.store.tooLarge.add(notes)
    const client = new StockClient(node, "notes")
    const writer = new YWriter(1)
    client.update(writer.put("a", 1))
    world.advance(100)
    expect(client.closed).toBe(undefined)
    client.update(writer.put("b", 1))
    world.advance(100)
    expect(client.closed?.reason).toBe("too-large")
  })
})
