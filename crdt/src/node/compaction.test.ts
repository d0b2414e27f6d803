/** Folding and truncation, as a running node does them. Rules [K9] [K10] [K11]. */
import { describe, expect, test } from "vitest"
import { limits } from "../base/index.ts"
import type { DocumentId } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import { bodyOf, encodeRecord, readLog } from "../log/index.ts"
import { compactionLimits } from "./compaction.ts"
import { partsOf } from "./document-state.ts"
import { jsonAfter, openNative, YWriter } from "./test/clients.ts"
import { documentNamed, engines, World } from "./test/harness.ts"
import type { TestNode } from "./test/harness.ts"

const notes = documentNamed("notes")
const other = documentNamed("other")
const short = { tailEntriesMax: 8, truncatedMax: 4 }

let lastClient = 0

/** So many updates by one client, one commit each. */
function write(node: TestNode, count: number, document = notes): void {
  const id = ++lastClient
  const client = openNative(node, document, id)
  const writer = new YWriter(id)
  for (let seq = 1; seq <= count; seq++) {
    client.update(1, seq, writer.put(`k${id}`, "x".repeat(200) + String(seq)))
    node.world.advance(limits.commitPaceMs)
  }
  expect(client.acked).toBe(count)
  client.close()
  node.world.settle()
}

function readOf({ store }: TestNode, document: DocumentId = notes) {
  const read = readLog(store.log, { type: "document", document, since: new VersionVector() })
  if (read.type !== "document") throw new TypeError(read.type)
  return read
}

function jsonOf(node: TestNode, document: DocumentId = notes) {
  return engines.yjs.toJson(engines.yjs.merge(partsOf(readOf(node, document))))
}

function floorsOf({ store }: TestNode): number[] {
  return store.log.floors().map(([, { seq }]) => seq)
}

/** n1 with more than a tail that n2 can't hear of, and a log that is old after a minute. */
function cutOff(): { readonly world: World; readonly n1: TestNode; readonly n2: TestNode } {
  const world = new World()
  const compaction = { ...short, logAgeMsMax: 60_000 }
  const n1 = world.node("n1", { peers: ["n2"], compaction })
  const n2 = world.node("n2")
  world.advance(3000)
  world.cut(n1, n2)
  write(n1, 9)
  return { world, n1, n2 }
}

describe("folding", () => {
  test.each([
    [8, 0],
    [9, 1],
  ])("[K9] a tail of %d entries is folded %d times, and says what it said", (count, folds) => {
    const world = new World()
    const node = world.node("n1", { compaction: short })
    write(node, count)
    expect(node.eventsOf("folded")).toHaveLength(folds)
    expect(readOf(node).snapshot === undefined).toBe(folds === 0)
    expect(readOf(node).entries).toHaveLength(folds === 0 ? count : 0)
    const [id] = Object.keys(jsonAfter(partsOf(readOf(node))))
    expect(jsonAfter(partsOf(readOf(node)))[id ?? ""]).toBe("x".repeat(200) + String(count))
    const joined = openNative(node, notes, ++lastClient)
    world.settle()
    const updates = joined.got.flatMap((message) => {
      return message.type === "updates" ? message.updates : []
    })
    expect(jsonAfter(updates)).toEqual(jsonAfter(partsOf(readOf(node))))
  })

  test("[K9] tails are folded again once they are long, against snapshots too", () => {
    const world = new World()
    const node = world.node("n1", { compaction: { ...short, tailBytesMax: 1e9 } })
    for (let round = 0; round < 6; round++) write(node, 7)
    const folded = node.eventsOf("folded")
    expect(folded.length).toBeGreaterThan(2)
    for (const { entries, bytes, snapshotBytes } of folded) {
      expect(entries).toBeGreaterThan(8)
      expect(bytes).toBeGreaterThan(0)
      expect(snapshotBytes).toBeLessThan(4000)
    }
    expect(Object.keys(jsonAfter(partsOf(readOf(node))))).toHaveLength(6)
  })

  test("[K9] a tail is not folded while it has less than half of its snapshot's bytes", () => {
    const world = new World()
    const node = world.node("n1", { compaction: short })
    const client = openNative(node, notes, ++lastClient)
    const writer = new YWriter(lastClient)
    let seq = 0
    const put = (value: string) => {
      client.update(1, ++seq, writer.put(`k${seq}`, value))
      world.advance(limits.commitPaceMs)
    }
    put("x".repeat(8000))
    for (let count = 0; count < 8; count++) put("")
    const folds = () => node.eventsOf("folded")
    expect(folds()).toHaveLength(1)
    // Thrice as many as a tail may have, and few bytes.
    for (let count = 0; count < 24; count++) put("")
    expect(folds()).toHaveLength(1)
    while (folds().length < 2) {
      put("y".repeat(200))
      expect(seq).toBeLessThan(60)
    }
    expect(folds()[1]?.entries).toBeGreaterThan(24)
    expect(folds()[1]?.bytes).toBeGreaterThan(4000)
  })

  test("[K9] what comes while a document is folded is neither lost nor folded", () => {
    const world = new World()
    const node = world.node("n1", { compaction: short })
    node.jobsHeld = true
    write(node, 9)
    expect(node.jobs.map(({ work }) => work.type)).toContain("compact")
    write(node, 3)
    expect(readOf(node).snapshot).toBe(undefined)
    node.jobsHeld = false
    world.settle()
    expect(readOf(node).snapshot).not.toBe(undefined)
    expect(readOf(node).entries).toHaveLength(3)
    expect(Object.keys(jsonAfter(partsOf(readOf(node))))).toHaveLength(2)
  })

  test("[K9] an entry that the engine can't read keeps its document unfolded", () => {
    const world = new World()
    const node = world.node("n1", { compaction: short })
    const body = Uint8Array.of(255, 255, 255)
    const record = encodeRecord({
      kind: "update",
      document: notes,
      author: undefined,
      atMs: 0,
      body,
    })
    node.store.log.appendOwn([record])
    node.crash()
    write(node, 12)
    world.advance(10_000)
    expect(node.eventsOf("folded")).toEqual([])
    expect(readOf(node).entries).toHaveLength(13)
  })

  test("[K9] a document that can't be read holds nothing else up", () => {
    const world = new World()
    const node = world.node("n1", { compaction: short })
    write(node, 8)
    const client = openNative(node, notes, ++lastClient)
    world.settle()
    node.store.readFailure = "store-failed"
    client.update(1, 1, new YWriter(lastClient).put("ninth", 1))
    world.advance(limits.commitPaceMs)
    expect(node.eventsOf("folded")).toEqual([])
    node.store.readFailure = undefined
    write(node, 9, other)
    expect(node.eventsOf("folded").map(({ document }) => document)).toEqual([other])
    write(node, 1)
    expect(node.eventsOf("folded")).toHaveLength(2)
  })
})

describe("floors", () => {
  test("[K10] a node alone truncates what is folded, a batch at a time, and goes on", () => {
    const world = new World()
    const node = world.node("n1", { compaction: short })
    write(node, 9)
    expect(floorsOf(node)).toEqual([])
    world.advance(2 * limits.sweepMs)
    expect(floorsOf(node)).toEqual([9])
    expect(node.eventsOf("truncated").map(({ floors }) => floors[0]?.[1])).toEqual([4, 8, 9])
    node.crash()
    write(node, 9)
    world.advance(2 * limits.sweepMs)
    expect(floorsOf(node)).toEqual([18])
    expect(Object.keys(jsonAfter(partsOf(readOf(node))))).toHaveLength(2)
  })

  test("[K12] no floor passes what only a snapshot that can't be read would hold", () => {
    const world = new World()
    const node = world.node("n1", { compaction: short })
    write(node, 3, other)
    write(node, 9)
    write(node, 9, other)
    node.store.damaged.add(notes)
    const before = jsonAfter(readOf(node).entries.map(({ record }) => bodyOf(record)))
    world.advance(3 * limits.sweepMs)
    expect(node.eventsOf("snapshot-unreadable")[0]).toMatchObject({ document: notes })
    expect(node.eventsOf("truncated").map(({ floors }) => floors[0]?.[1])).toEqual([3])
    expect(node.reopened).toEqual([{ why: "corrupt" }])
    expect(before).toEqual({})
  })

  test("[K10] no floor passes what a member lacks, is not heard of, or is not known yet", () => {
    const world = new World()
    const n1 = world.node("n1", { peers: ["n2"], compaction: short })
    write(n1, 9)
    world.advance(10_000)
    expect(n1.core.status().peers).toHaveLength(1)
    expect(floorsOf(n1)).toEqual([])
    const n2 = world.node("n2", { compaction: short })
    world.advance(20_000)
    const floor = n1.store.log.floor(n1.origin).seq
    expect(floor).toBeGreaterThan(8)
    expect(n2.store.log.head(n1.origin).seq).toBeGreaterThanOrEqual(floor)
    world.cut(n1, n2)
    write(n1, 20)
    world.advance(20_000)
    expect(readOf(n1).snapshot?.folded.get(n1.origin)).toBeGreaterThan(floor + 10)
    expect(n1.store.log.floor(n1.origin).seq).toBe(floor)
    world.heal(n1, n2)
    world.advance(20_000)
    expect(n2.eventsOf("transfer-begun")).toEqual([])
    expect(n1.store.log.floor(n1.origin).seq).toBeGreaterThan(floor + 10)
    expect(jsonOf(n2)).toEqual(jsonOf(n1))
  })

  test("[K11] past the cap the oldest is folded, and a member that is away is left behind", () => {
    const world = new World()
    const compaction = { ...short, tailEntriesMax: 1e9, tailBytesMax: 1e9, logBytesMax: 4000 }
    const n1 = world.node("n1", { peers: ["n2"], compaction })
    const n2 = world.node("n2")
    world.advance(3000)
    world.cut(n1, n2)
    write(n1, 10)
    world.advance(20_000)
    expect(n1.eventsOf("folded")).toEqual([])
    write(n1, 15, other)
    world.advance(20_000)
    expect(n1.store.log.sizes().logBytes).toBeLessThan(4000)
    expect(n1.store.log.floor(n1.origin).seq).toBeGreaterThan(5)
    world.heal(n1, n2)
    world.advance(30_000)
    expect(n2.eventsOf("transfer-done")).toHaveLength(1)
    expect(jsonOf(n2, other)).toEqual(jsonOf(n1, other))
    expect(n2.store.log.head(n1.origin)).toEqual(n1.store.log.head(n1.origin))
  })

  test("[K11] what is folded waits for a member that is away until it is old", () => {
    const { world, n1, n2 } = cutOff()
    world.advance(50_000)
    expect(floorsOf(n1)).toEqual([])
    world.advance(100_000)
    expect(n1.store.log.floor(n1.origin).seq).toBeGreaterThan(8)
    write(n1, 9, other)
    world.advance(20_000)
    expect(n1.store.log.floor(n1.origin).seq).toBeLessThan(n1.store.log.head(n1.origin).seq)
    world.heal(n1, n2)
    world.advance(30_000)
    expect(n2.eventsOf("transfer-done")).toHaveLength(1)
    expect(jsonOf(n2)).toEqual(jsonOf(n1))
  })

  test("[K11] a record of no document at the end of what is old does not keep it", () => {
    const { world, n1 } = cutOff()
    n1.input({ type: "command", command: 1, request: { type: "delete-document", document: other } })
    world.advance(1000)
    const { seq } = n1.store.log.head(n1.origin)
    world.advance(150_000)
    expect(n1.store.log.floor(n1.origin).seq).toBe(seq)
  })

  test("[K11] without leave to strand members floors wait, whatever the log takes", () => {
    const world = new World()
    const compaction = { ...short, logBytesMax: 1000, mayStrand: false }
    const n1 = world.node("n1", { peers: ["n2"], compaction })
    write(n1, 20)
    world.advance(20_000)
    expect(n1.eventsOf("folded").length).toBeGreaterThan(0)
    expect(floorsOf(n1)).toEqual([])
  })

  test("the limits of a node that is told none", () => {
    expect(compactionLimits).toMatchObject({ tailEntriesMax: 256, tailBytesMax: 65_536 })
  })
})
