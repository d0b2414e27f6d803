/** What becomes of a deleted document's bytes and digests. Rule [R9]. */
import { expect, test } from "vitest"
import { generationOf, limits } from "../base/index.ts"
import type { DocumentId } from "../base/index.ts"
import { decodeRecord, isDeletedLeaf } from "../log/index.ts"
import { nativeTags } from "../protocol/index.ts"
import { openNative, YWriter } from "./test/clients.ts"
import { documentNamed, engines, must, World } from "./test/harness.ts"
import type { TestNode } from "./test/harness.ts"

const notes = documentNamed("notes")
const other = documentNamed("other")
const { empty } = engines.yjs

let last = 0

function write(node: TestNode, count: number, document = notes): void {
  const id = ++last
  const client = openNative(node, document, id)
  for (let seq = 1; seq <= count; seq++) {
    client.update(1, seq, new YWriter(1000 * id + seq).put(`${id}/${seq}`, "x".repeat(200)))
    node.world.advance(limits.commitPaceMs)
  }
  expect(client.acked).toBe(count)
  client.close()
  node.world.settle()
}

function change(node: TestNode, type: "delete-document" | "create-document"): void {
  node.input({ type: "command", command: ++last, request: { type, document: notes } })
  node.world.advance(50)
}

function heldBy({ store }: TestNode, document: DocumentId = notes) {
  const { snapshot, entries } = store.log.readDocument(document)
  return { state: snapshot?.state, entries: entries.length }
}

function leavesOf({ store }: TestNode) {
  return Array.from({ length: 65_536 }, (_, bucket) => store.log.side.leaves(bucket)).flat()
}

const emptied = { state: empty, entries: 0 }
const long = 4 * limits.digestRoundMs

test("[R9] a deleted document is folded into nothing on every node, which gives space back", () => {
  const world = new World()
  const [a, b] = world.mesh("a", "b").map(must)
  if (a === undefined || b === undefined) return
  write(a, 20)
  write(b, 3, other)
  world.advance(5000)
  const before = a.store.log.sizes().logBytes
  change(a, "delete-document")
  world.advance(4 * limits.sweepMs)
  for (const node of [a, b]) {
    expect(heldBy(node)).toEqual(emptied)
    expect(node.store.log.sizes().logBytes).toBeLessThan(before / 3)
    expect(heldBy(node, other).entries).toBe(3)
  }
  // What says so is there for good.
  for (const node of [a, b]) {
    const kinds = node.store.log.clusterRecords().map(({ record }) => decodeRecord(record).kind)
    expect(kinds).toContain("delete")
  }
})

test("[R9] what a zombie brings later goes the same way, and so does what a start finds", () => {
  const world = new World()
  const [a, b] = world.mesh("a", "b").map(must)
  if (a === undefined || b === undefined) return
  write(a, 3)
  world.advance(2000)
  world.cut(a, b)
  change(a, "delete-document")
  write(b, 5)
  world.advance(1000)
  world.heal(a, b)
  world.advance(4000)
  for (const node of [a, b]) expect(heldBy(node)).toEqual(emptied)
  // The process dies with the delete on its disk, and nothing folded.
  const c = world.node("c")
  write(c, 4)
  c.jobsHeld = true
  change(c, "delete-document")
  expect(heldBy(c).entries).toBe(4)
  c.crash()
  c.jobsHeld = false
  world.advance(4 * limits.sweepMs)
  expect(heldBy(c)).toEqual(emptied)
  change(c, "create-document")
  write(c, 2, notes)
  expect(heldBy(c, generationOf(notes, 2)).entries).toBe(2)
})

test("[R9] while the store fails it waits", () => {
  const world = new World()
  const node = world.node("a")
  write(node, 4)
  node.jobsHeld = true
  change(node, "delete-document")
  node.store.appendFailure = "store-failed"
  node.jobsHeld = false
  world.settle()
  world.advance(1000)
  expect(heldBy(node).entries).toBe(4)
  node.store.appendFailure = undefined
  world.advance(limits.storeRetryMsMax + 2 * limits.sweepMs)
  expect(heldBy(node)).toEqual(emptied)
})

test("[R9] [G4] its leaf counts for nothing, so nodes with the same deletes exchange a sum", () => {
  const world = new World()
  const [a, b] = world.mesh("a", "b").map(must)
  if (a === undefined || b === undefined) return
  write(a, 2)
  write(b, 2, other)
  world.advance(long)
  expect(leavesOf(a).filter(isDeletedLeaf)).toEqual([])
  world.cut(a, b)
  change(a, "delete-document")
  world.advance(long)
  // One side knows of it and the other does not: no divergence.
  world.heal(a, b)
  world.advance(long)
  for (const node of [a, b]) {
    expect(leavesOf(node).filter(isDeletedLeaf)).toMatchObject([{ document: notes }])
    expect(node.eventsOf("divergence-found")).toEqual([])
  }
  const sums = [a, b].map(({ store }) => {
    return store.log.side.bucketSums(0, 65_536).filter(([, sum]) => sum.some((byte) => byte > 0))
  })
  expect(sums[0]).toEqual(sums[1])
  expect(sums[0]).toHaveLength(1)
  a.crash()
  const leaves = () => a.effects.filter((effect) => effect.type === "append")
  a.effects = []
  world.advance(long)
  expect(leaves().filter(({ entries }) => (entries.leaves ?? []).length > 0)).toEqual([])
})

test("[R2] [R9] a transfer brings the deletes, and what is deleted as empty", () => {
  const world = new World()
  const a = world.node("a", { compaction: { logBytesMax: 1, mayStrand: true } })
  write(a, 6)
  write(a, 3, other)
  change(a, "delete-document")
  world.advance(20 * limits.sweepMs)
  expect(a.store.log.floor(a.origin).seq).toBeGreaterThan(9)
  const b = world.node("b", { peers: ["a"] })
  world.advance(20_000)
  expect(b.eventsOf("transfer-done")).toHaveLength(1)
  expect(heldBy(b)).toEqual(emptied)
  const late = openNative(b, notes, ++last)
  expect(late.of("document-closed")).toMatchObject([{ code: "document-deleted" }])
})

test("[R5] who has the document open while a transfer brings its end is told so", () => {
  const world = new World()
  const a = world.node("a", { compaction: { logBytesMax: 1, mayStrand: true } })
  write(a, 6)
  change(a, "delete-document")
  world.advance(20 * limits.sweepMs)
  const b = world.node("b", { peers: ["a"] })
  const open = openNative(b, notes, ++last)
  world.advance(20_000)
  expect(b.eventsOf("transfer-done")).toHaveLength(1)
  expect(open.of("document-closed")).toMatchObject([{ code: "document-deleted" }])
  // At once, and not with the next commit.
  const rest = b.effects.slice(
    b.effects.findIndex(({ type, ...effect }) => {
      return type === "emit" && "event" in effect && effect.event.type === "transfer-done"
    }),
  )
  const told = rest.findIndex((effect) => {
    if (effect.type !== "send" || !effect.to.includes(open.id)) return false
    return effect.frames.some(([tag]) => tag === nativeTags.documentClosed)
  })
  const commits = rest.findIndex(({ type }) => type === "append")
  expect(told).toBeGreaterThan(0)
  expect(commits === -1 || told < commits).toBe(true)
})

test("[R9] a deleted document that is too large to be read is folded into nothing, too", () => {
  const world = new World()
  const node = world.node()
  write(node, 20)
  write(node, 3, other)
  node.store.tooLarge.add(notes)
  const before = node.store.log.sizes().logBytes
  change(node, "delete-document")
  world.advance(4 * limits.sweepMs)
  expect(heldBy(node)).toEqual(emptied)
  expect(heldBy(node, other).entries).toBe(3)
  expect(node.store.log.sizes().logBytes).toBeLessThan(before / 3)
})
