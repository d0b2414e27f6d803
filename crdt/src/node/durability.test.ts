/** What is shown, acked and refused, and when: rules [D1]–[D6]. */
import { describe, expect, test } from "vitest"
import { limits } from "../base/index.ts"
import { openNative, openStock, YWriter } from "./test/clients.ts"
import { documentNamed, World } from "./test/harness.ts"

const notes = documentNamed("notes")

test("[D1] [D2] no update, ack or entry leaves between an append and its commit", () => {
  const world = new World()
  const [node, peer] = [world.node("n1", { peers: ["n2"] }), world.node("n2")]
  world.advance(100)
  const writer = openNative(node, notes, 1)
  const native = openNative(node, notes, 2)
  const stock = openStock(node, "notes")
  const remote = openStock(peer, "notes")
  world.advance(1000)
  const seen = [writer, native, stock, remote].map(({ got }) => got.length)
  node.store.held = true
  writer.update(1, 1, new YWriter(1).put("k", 1))
  world.settle()
  expect(node.store.waiting).toEqual(["append"])
  const before = node.effects.length
  world.settle()
  expect(node.effects.slice(before).filter(({ type }) => type === "send")).toEqual([])
  expect([writer, native, stock, remote].map(({ got }) => got.length)).toEqual(seen)
  expect(peer.store.log.head(node.origin).seq).toBe(0)

  node.store.held = false
  world.settle()
  expect(writer.acked).toBe(1)
  expect(native.of("updates").at(-1)?.updates).toHaveLength(1)
  expect(stock.of("update")).toHaveLength(1)
  world.advance(10)
  expect(remote.of("update")).toHaveLength(1)
})

test("[D1] a peer shows an adopted entry only after its own commit", () => {
  const world = new World()
  const [node, peer] = [world.node("n1", { peers: ["n2"] }), world.node("n2")]
  world.advance(100)
  const remote = openStock(peer, "notes")
  const writer = openNative(node, notes, 1)
  world.settle()
  peer.store.held = true
  writer.update(1, 1, new YWriter(1).put("k", 1))
  world.advance(50)
  expect(peer.store.waiting).toContain("append")
  expect(remote.of("update")).toEqual([])
  peer.store.held = false
  world.settle()
  expect(remote.of("update")).toHaveLength(1)
})

test("[D3] what is refused reaches no log, no client and no peer", () => {
  const world = new World()
  const [node, peer] = [world.node("n1", { peers: ["n2"] }), world.node("n2")]
  world.advance(100)
  const [writer, reader] = [openNative(node, notes, 1), openStock(node, "notes")]
  const good = new YWriter(1).put("k", 1)
  const before = [reader.got.length, peer.store.log.head(node.origin).seq]
  const bad = [
    good.slice(0, -1),
    Uint8Array.of(...good, 0),
    Uint8Array.of(1, 2, 3),
    new Uint8Array(),
  ]
  writer.update(1, 1, ...bad)
  world.advance(1000)
  expect(writer.of("reject").map(({ seq, code }) => [seq, code])).toEqual(
    bad.map((_, index) => [index + 1, "invalid-update"]),
  )
  expect(node.store.log.head(node.origin).seq).toBe(0)
  expect([reader.got.length, peer.store.log.head(node.origin).seq]).toEqual(before)
})

describe("[D4] a failing store", () => {
  const setup = () => {
    const world = new World()
    const node = world.node()
    const native = openNative(node, notes, 1)
    native.update(1, 1, new YWriter(1).put("before", 1))
    world.advance(limits.commitPaceMs)
    const appends = () => node.effects.filter(({ type }) => type === "append").length
    return { world, node, native, appends }
  }

  test("[D4] refuses writes for now, those that waited behind the failed ones too", () => {
    const { world, node, native } = setup()
    const [other, stock] = [openNative(node, notes, 2), openStock(node, "notes")]
    node.store.held = true
    node.store.appendFailure = "store-full"
    const doc = new YWriter(2)
    native.update(1, 2, doc.put("a", 1))
    world.settle()
    native.update(1, 3, doc.put("b", 1))
    other.update(1, 1, new YWriter(3).put("c", 1))
    stock.update(new YWriter(4).put("d", 1))
    world.settle()
    node.store.held = false
    world.settle()
    const rejects = [native, other].map((client) =>
      client.of("reject").map(({ seq, code }) => [seq, code]),
    )
    expect(rejects).toEqual([[[2, "store-failed"]], [[1, "store-failed"]]])
    expect(stock.closed?.reason).toBe("store-failed")
    native.update(1, 2, doc.put("a", 1))
    world.settle()
    expect(native.of("reject")).toHaveLength(2)
    expect(node.core.status()).toMatchObject({ store: "failing", ready: false })
    expect(node.store.log.head(node.origin).seq).toBe(1)
  })

  test("[D4] goes on answering reads", () => {
    const { world, node, native } = setup()
    node.store.appendFailure = "store-failed"
    native.update(1, 2, new YWriter(2).put("a", 1))
    world.settle()
    const [joined, stock] = [openNative(node, notes, 2), openStock(node, "notes")]
    expect(joined.of("updates").at(-1)?.complete).toBe(true)
    expect(stock.of("step2")).toHaveLength(1)
    node.input({ type: "command", command: 5, request: { type: "read-document", document: notes } })
    world.settle()
    expect(node.replies.get(5)).toMatchObject({ type: "document" })
  })

  test("[D4] is tried again after 250 ms, then ever later up to 5 s, until it works", () => {
    const { world, node, native, appends } = setup()
    node.store.appendFailure = "store-failed"
    native.update(1, 2, new YWriter(2).put("a", 1))
    world.settle()
    const startedMs = world.nowMs
    const triedMs: number[] = []
    for (let count = appends(); triedMs.length < 8;) {
      world.nowMs = node.deadline()
      native.send({ type: "ping" })
      world.advance(0)
      if (appends() > count) triedMs.push(world.nowMs - startedMs)
      count = appends()
    }
    const waits = triedMs.map((ms, index) => ms - (triedMs[index - 1] ?? 0))
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000, 5000])
    node.store.appendFailure = undefined
    world.advance(limits.storeRetryMsMax)
    expect(node.eventsOf("store-recovered")).toHaveLength(1)
    native.send({ type: "ping" })
    native.update(1, 2, new YWriter(2).put("a", 1))
    world.advance(limits.commitPaceMs)
    expect(native.acked).toBe(2)
    // The next failure starts from 250 ms again.
    node.store.appendFailure = "store-failed"
    native.update(1, 3, new YWriter(3).put("a", 1))
    world.settle()
    const count = appends()
    world.advance(limits.storeRetryMsMin)
    expect(appends()).toBe(count + 1)
  })
})

describe("[D5] the commit is the batching clock", () => {
  test("[D5] the first write after idle starts at once, what comes meanwhile is one batch", () => {
    const world = new World()
    const node = world.node()
    const client = openNative(node, notes, 1)
    const sizes = () =>
      node.effects.flatMap((effect) =>
        effect.type === "append" ? [effect.entries.own.length] : [],
      )
    node.store.held = true
    const doc = new YWriter(1)
    for (let seq = 1; seq <= 10; seq++) {
      client.update(1, seq, doc.put("k", seq))
      world.settle()
    }
    expect(sizes()).toEqual([1])
    world.pass(limits.commitPaceMs * 2)
    node.store.held = false
    world.settle()
    expect(sizes()).toEqual([1, 9])
    expect(client.of("ack").map(({ seq }) => seq)).toEqual([1, 10])
  })

  test("[D5] under load commits start commitPaceMs apart, but for the first commitBurst", () => {
    const world = new World()
    const node = world.node()
    const client = openNative(node, notes, 1)
    const doc = new YWriter(1)
    for (let seq = 1; seq <= 100; seq++) {
      client.update(1, seq, doc.put("k", seq))
      world.advance(0.5)
    }
    const { appendsMs: startsMs } = node
    const gaps = startsMs.slice(1).map((ms, index) => ms - (startsMs[index] ?? 0))
    const paced = gaps.slice(limits.commitBurst)
    expect(Math.min(...paced)).toBe(limits.commitPaceMs)
    expect(Math.max(...paced)).toBe(limits.commitPaceMs)
    expect((startsMs[limits.commitBurst - 1] ?? 0) - (startsMs[0] ?? 0)).toBeLessThan(2)
  })
})

test("[D6] the batch is full at its bytes too; the next commit makes room", () => {
  const world = new World()
  const node = world.node()
  const clients = [1, 2, 3, 4].map((id) => openNative(node, notes, id))
  node.store.held = true
  const big = (id: number) =>
    new YWriter(id).put("k", "x".repeat(limits.openBatchBytesMax / 2 - 2000))
  for (const [index, client] of clients.entries()) {
    client.update(1, 1, big(index + 1))
    world.settle()
  }
  expect(clients.map((client) => client.of("reject").map(({ code }) => code))).toEqual([
    [],
    [],
    [],
    ["overloaded"],
  ])
  node.store.held = false
  world.advance(limits.commitPaceMs)
  clients[3]?.update(1, 1, big(4))
  world.advance(limits.commitPaceMs)
  expect(clients.map(({ acked }) => acked)).toEqual([1, 1, 1, 1])
})
