import { expect, test } from "vitest"
import { assert, documentIdOf, originOf, parseNodeId } from "@causeway/crdt/base"
import { encodeRecord } from "@causeway/crdt/log"
import type { AppendResult } from "@causeway/crdt/ports"
import { SimDisk } from "./disk.ts"
import { SimRandom } from "./random.ts"
import { Scheduler } from "./scheduler.ts"
import type { DiskChange } from "./watcher.ts"

const node = parseNodeId("n1")
assert(node !== undefined, "a node's name")
const origin = originOf(node, "0123456789abcdef")
assert(origin !== undefined, "an origin's name")
const document = documentIdOf("yjs", "note")
assert(document !== undefined, "a document's name")
const identity = { node, origin }

function record(byte: number): Uint8Array {
  assert(document !== undefined, "a document's name")
  return encodeRecord({ document, author: undefined, atMs: 0, body: Uint8Array.of(byte) })
}

function world(seed = 1) {
  const scheduler = new Scheduler()
  const durable: number[] = []
  const changes: DiskChange[] = []
  const disk = new SimDisk(
    identity,
    scheduler,
    new SimRandom(seed),
    { appendMs: 10, readMs: 1 },
    {
      onDurable: ({ own }, firstSeq) => durable.push(...own.map((_, index) => firstSeq + index)),
      onChanged: (change) => changes.push(change),
    },
  )
  return { scheduler, disk, durable, changes }
}

test("results come in the order of calls, never inside them, and only when durable", () => {
  const { scheduler, disk, durable } = world()
  const store = disk.open()
  const order: string[] = []
  store.append({ own: [record(1), record(2)], adopted: [] }, (result) => {
    expect(result).toMatchObject({ ok: true, firstSeq: 1 })
    expect(durable).toEqual([1, 2])
    order.push("first")
  })
  store.read({ type: "origin", origin, fromSeq: 1, bytesMax: 1e6 }, (result) => {
    expect(result).toMatchObject({ type: "origin", run: { records: [record(1), record(2)] } })
    order.push("read")
  })
  store.append({ own: [record(3)], adopted: [] }, () => order.push("second"))
  store.close(() => order.push("closed"))
  expect(order).toEqual([])
  scheduler.runUntil(1000)
  expect(order).toEqual(["first", "read", "second", "closed"])
})

test("a crash keeps a whole prefix of what is under way, drawn by the seed", () => {
  const kept = new Set<number>()
  for (let seed = 1; seed <= 60; seed++) {
    const { scheduler, disk, durable } = world(seed)
    const store = disk.open()
    const results: AppendResult[] = []
    for (const byte of [1, 3, 5]) {
      const own = [record(byte), record(byte + 1)]
      store.append({ own, adopted: [] }, (result) => results.push(result))
    }
    const lost = disk.crash()
    scheduler.runUntil(1000)
    expect(results).toEqual([])
    const held = disk.durable.head(origin).seq
    expect(held % 2).toBe(0)
    expect(held).toBe(6 - 2 * lost)
    expect(durable).toHaveLength(held)
    expect(disk.open().opened.heads).toEqual([[origin, disk.durable.head(origin)]])
    kept.add(held)
  }
  expect([...kept].sort((one, two) => one - two)).toEqual([0, 2, 4, 6])
})

test("a failing disk refuses writes without a trace and recovers", () => {
  const { scheduler, disk } = world()
  const store = disk.open()
  const results: string[] = []
  const note = (result: AppendResult): unknown =>
    results.push(result.ok ? `ok ${result.firstSeq}` : result.code)
  disk.health.failing = "store-full"
  store.append({ own: [record(1)], adopted: [] }, note)
  scheduler.runUntil(500)
  expect(disk.durable.head(origin).seq).toBe(0)
  disk.health.failing = undefined
  store.append({ own: [record(1)], adopted: [] }, note)
  scheduler.runUntil(1000)
  expect(results).toEqual(["store-full", "ok 1"])
})
