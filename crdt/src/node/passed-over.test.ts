/**
 * Marks of a log that was put back, below a floor: what a node logs of a client later does not
 * vouch for what it does not know. Rule [T3].
 */
import { expect, test } from "vitest"
import type { TierMark } from "../protocol/index.ts"
import { commit, NativeClient, YWriter } from "./test/clients.ts"
import { documentNamed, must, World } from "./test/harness.ts"
import type { TestNode } from "./test/harness.ts"

const notes = documentNamed("notes")
/** So long all must agree before a log that nobody else has is given up, in three steps. */
const lostMs = 10_000
const doc = new YWriter(1)

/** A client with a document open that wants `quorum`; numbers begin at `first`. */
function wanting(node: TestNode, client: number, first: number, ...marks: TierMark[]) {
  const native = opened(node, client, first)
  ask(native, first, ...marks)
  return native
}

function opened(node: TestNode, client: number, first: number): NativeClient {
  const native = new NativeClient(node)
  native.hello(client, first)
  native.open(1, notes)
  node.world.settle()
  return native
}

function ask(native: NativeClient, first: number, ...marks: TierMark[]): void {
  native.wantTier("node", first)
  native.wantTier("quorum", marks.length > 0 ? 1 : first, ...marks)
  native.node.world.settle()
}

function write(client: NativeClient, seq: number): void {
  client.update(1, seq, doc.put(`k${seq}`, seq))
  client.node.world.settle()
  commit(client.node)
}

test.each([
  ["at once", false],
  ["on a later connection", true],
])("[T3] numbers passed over here are not vouched for by a higher one, %s", (_, isLater) => {
  const world = new World()
  const node = world.node("a", { compaction: { tailEntriesMax: 1, logBytesMax: 1 } })
  const empty = node.store.log.copy()
  const first = wanting(node, 1, 1)
  write(first, 1)
  const mark = { toSeq: 1, heads: must(first.of("logged").at(-1)).heads }
  const [origin, { seq }] = must([...mark.heads][0])
  // Its disk is put back, and others write: the log goes on as another one.
  node.restore(empty)
  const other = wanting(node, 2, 1)
  for (let number = 1; number <= 4; number++) write(other, number)
  world.advance(60_000)
  expect([node.origin, node.store.log.floor(origin).seq > seq]).toEqual([origin, true])
  // Hashes of what it wrote itself go with the process.
  node.crash()
  // The client's next number makes its highest here greater than the one that is gone.
  const back = opened(node, 1, 2)
  write(back, 2)
  expect(back.ackedAt("node")).toBe(2)
  if (isLater) back.close()
  const asking = isLater ? wanting(node, 1, 3, mark) : back
  if (!isLater) ask(back, 2, mark)
  world.advance(lostMs)
  expect(asking.ackedAt("quorum")).toBe(0)
  expect(asking.of("tier-status").at(-1)?.missing).toMatchObject([{ member: "a", linked: true }])
  // As nobody else has it either, it is lost; the client has to show that it lives.
  for (let round = 0; round < 3; round++) {
    asking.send({ type: "ping" })
    world.advance(lostMs)
  }
  const status = asking.of("tier-status").findLast((one) => one.tier === "quorum")
  expect(status?.lostTo).toBe(1)
  expect(asking.ackedAt("quorum")).toBe(2)
})
