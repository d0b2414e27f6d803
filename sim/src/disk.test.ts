import { expect, test } from "vitest"
import { assert, documentIdOf, originOf, parseNodeId } from "@causeway/crdt/base"
import type { DocumentId } from "@causeway/crdt/base"
import { VersionVector } from "@causeway/crdt/clock"
import { encodeRecord } from "@causeway/crdt/log"
import type { AppendResult } from "@causeway/crdt/ports"
import { DiskImage } from "./disk-image.ts"
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

function documentOf(): DocumentId {
  assert(document !== undefined, "a document's name")
  return document
}

function record(byte: number): Uint8Array {
  return encodeRecord({
    kind: "update",
    document: documentOf(),
    author: undefined,
    atMs: 0,
    body: Uint8Array.of(byte),
  })
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

/** A disk that holds `count` own records. */
function filled(count: number) {
  const staged = world()
  const own = Array.from({ length: count }, (_, index) => record(index))
  staged.disk.open().append({ own, adopted: [] }, () => {})
  staged.scheduler.runUntil(1000)
  return staged
}

test("a torn append is there with its end damaged: the next opening ends the log before it", () => {
  const { scheduler, disk, changes } = filled(2)
  const store = disk.open()
  disk.health.onAppending = () => {
    disk.health.isTorn = true
    disk.health.failing = "store-failed"
    disk.crash()
  }
  store.append({ own: [record(7), record(8)], adopted: [] }, () => expect.unreachable())
  scheduler.runUntil(2000)
  expect(changes).toEqual(["damaged"])
  const { renewed } = disk.open().opened
  expect(renewed).toMatchObject({ why: "tail", before: origin, salvaged: 0 })
  expect(renewed?.lostCount).toBeGreaterThan(0)
  expect(disk.durable.head(origin).seq).toBe(4 - (renewed?.lostCount ?? 0))
  expect(disk.hasDamage).toBe(false)
})

test("a damaged record fails its readers until an opening looks through the log", () => {
  const { scheduler, disk } = filled(9)
  const store = disk.open()
  const dot = disk.damage(new SimRandom(2))
  assert(typeof dot === "object" && dot.seq < 9, "the seed damages a record in the middle")
  const results: unknown[] = []
  const since = new VersionVector()
  store.read({ type: "document", document: documentOf(), since }, (result) => results.push(result))
  const query = { type: "origin", origin, fromSeq: dot.seq, bytesMax: 1 } as const
  store.read(query, (result) => results.push(result))
  scheduler.runUntil(3000)
  const corrupt = { type: "failed", code: "corrupt" }
  expect(results).toMatchObject([corrupt, corrupt])
  const { renewed } = disk.open({ why: "corrupt" }).opened
  expect(renewed).toMatchObject({ why: "corrupt", lost: [dot], salvaged: 9 - dot.seq })
  expect(disk.durable.readDocument(documentOf()).entries).toHaveLength(8)
})

test("damage is told of whatever it hits, and what was deleted is no damage any more", () => {
  const hits = new Set<string>()
  for (let seed = 1; seed <= 40; seed++) {
    const { scheduler, disk } = filled(3)
    const snapshot = (seq: number) => {
      const folded = new VersionVector([[origin, seq]])
      return { document: documentOf(), state: Uint8Array.of(seq), folded }
    }
    const store = disk.open()
    store.append({ own: [], adopted: [], snapshots: [snapshot(3)] }, () => {})
    scheduler.runUntil(2000)
    const hit = disk.damage(new SimRandom(seed))
    assert(hit !== undefined, "there is something to damage")
    hits.add(typeof hit)
    expect(disk.hasDamage).toBe(true)
    const floors = [[origin, 3]] as const
    store.append({ own: [], adopted: [], snapshots: [snapshot(3)], floors }, () => {})
    scheduler.runUntil(4000)
    expect(disk.hasDamage).toBe(false)
  }
  expect(hits).toEqual(new Set(["object", "string"]))
})

test("a folder put back whole is opened as before, a database alone in doubt", () => {
  for (const part of ["folder", "database"] as const) {
    const { scheduler, disk, changes } = filled(2)
    const backup = disk.copy()
    disk.open().append({ own: [record(9)], adopted: [] }, () => {})
    scheduler.runUntil(2000)
    disk.putBack(backup, part)
    expect(changes).toEqual([part === "folder" ? "restored-folder" : "restored-database"])
    const { opened } = disk.open()
    expect(opened.renewed?.why).toBe(part === "folder" ? undefined : "boot-record")
    expect(disk.durable.head(origin).seq).toBe(2)
  }
})

test("a database from the last opening agrees with its boot record: nobody can tell", () => {
  const { disk, changes } = filled(2)
  disk.putBack(disk.copy(), "database")
  expect(changes).toEqual(["restored-folder"])
  expect(disk.open().opened.renewed).toBeUndefined()
})

test("a wiped disk begins under an origin of its own; another node's folder is refused", () => {
  const { disk, changes } = filled(2)
  const other = parseNodeId("n2")
  assert(other !== undefined, "a node's name")
  const otherOrigin = originOf(other, "0123456789abcdef")
  assert(otherOrigin !== undefined, "an origin's name")
  disk.wipe()
  expect(disk.durable.origin).not.toBe(origin)
  expect(disk.open().opened.renewed).toBeUndefined()
  disk.putBack(new DiskImage(other, otherOrigin), "folder")
  expect(disk.isForeign).toBe(true)
  expect(() => disk.open()).toThrow("another node's folder")
  expect(changes).toEqual(["wiped", "cloned"])
})
