/** What a node says about a split, on whole nodes: rules [P1]–[P4]. */
import { expect, test } from "vitest"
import { limits } from "../base/index.ts"
import type { DocumentId } from "../base/index.ts"
import { testNode, testOrigin } from "../testing/store-fixtures.ts"
import type { Effect } from "./effect.ts"
import type { PartitionReport } from "./partition-report.ts"
import { Side } from "./partition-report.ts"
import { Partitions } from "./partitions.ts"
import { RecentWrites, runsOf } from "./recent-writes.ts"
import { openNative, YWriter } from "./test/clients.ts"
import { documentNamed, must, World } from "./test/harness.ts"
import type { TestNode } from "./test/harness.ts"
import { Turn } from "./turn.ts"

let lastClient = 0

/** One update of each of these documents, durable on `node`. */
function write(node: TestNode, ...names: string[]): void {
  for (const name of names) {
    const client = openNative(node, documentNamed(name), ++lastClient)
    client.update(1, 1, new YWriter(lastClient).put(`k${lastClient}`, 1))
    node.world.settle()
    node.world.advance(limits.commitPaceMs)
    client.close()
    node.world.settle()
  }
}

function reports(node: TestNode): PartitionReport[] {
  return node.eventsOf("partition-healed").map(({ report }) => report)
}

/** Cuts or heals every link between the two sides. */
function split(how: "cut" | "heal", left: TestNode[], right: TestNode[], silently = true): void {
  for (const a of left) {
    for (const b of right) {
      if (how === "cut") a.world.cut(a, b, silently)
      else a.world.heal(a, b)
    }
  }
}

/** The nodes by name, linked with each other. */
function linkedMesh(...names: string[]): { world: World; nodes: TestNode[] } {
  const world = new World()
  const nodes = world.mesh(...names)
  world.advance(10_000)
  for (const node of nodes) {
    expect(node.core.status().peers.every(({ state }) => state === "linked")).toBe(true)
  }
  return { world, nodes }
}

test.each([true, false])("[P1] [P2] both sides report a split, exactly (silent: %s)", (silent) => {
  const { world, nodes } = linkedMesh("a", "b", "c")
  const [a, b, c] = [must(nodes[0]), must(nodes[1]), must(nodes[2])]
  write(a, "x", "y")
  world.advance(5000)
  const cutMs = world.nowMs
  split("cut", [a], [b, c], silent)
  // Before the loss can be noticed, and after it.
  write(a, "x", "only-a")
  write(b, "x", "only-b")
  world.advance(40_000)
  write(a, "x")
  write(b, "both")
  write(c, "both", "only-c")
  write(a, "both")
  const healMs = world.nowMs
  split("heal", [a], [b, c])
  world.advance(10_000)
  const report = must(reports(a)[0])
  expect(reports(a)).toHaveLength(1)
  expect(report).toMatchObject({
    members: ["b", "c"],
    here: { entries: 4, documents: 3 },
    there: { entries: 5, documents: 4 },
    both: { documents: 2, named: [documentNamed("both"), documentNamed("x")] },
    isLowerBound: false,
  })
  expect(report.sinceMs).toBeLessThanOrEqual(cutMs + 100)
  expect(report.sinceMs).toBeGreaterThan(cutMs - limits.linkPingMs - 1000)
  expect(report.backMs).toBeGreaterThanOrEqual(healMs)
  expect(must(report.convergedMs)).toBeGreaterThanOrEqual(report.allBackMs)
  expect(must(report.convergedMs) - healMs).toBeLessThan(5000)
  expect(report.bytesIn).toBeGreaterThan(0)
  expect(report.bytesOut).toBeGreaterThan(0)
  for (const node of [b, c]) {
    expect(reports(node)).toMatchObject([
      {
        members: ["a"],
        here: { entries: 5, documents: 4 },
        there: { entries: 4, documents: 3 },
        both: { documents: 2 },
      },
    ])
  }
  expect(a.core.status().partition).toBeUndefined()
})

test("[P1] a peer that restarts is no split; one that stays away is noticed, once", () => {
  const { world, nodes } = linkedMesh("a", "b")
  const [a, b] = [must(nodes[0]), must(nodes[1])]
  split("cut", [a], [b], false)
  world.advance(limits.partitionMsMin / 4)
  split("heal", [a], [b])
  world.advance(60_000)
  expect([a, b].flatMap(reports)).toEqual([])
  expect(a.eventsOf("partition-noticed")).toEqual([])
  expect(a.core.status().partition).toBeUndefined()
  split("cut", [a], [b], false)
  const cutMs = world.nowMs
  world.advance(60_000)
  write(a, "x")
  expect(a.eventsOf("partition-noticed")).toMatchObject([{ peer: "b" }])
  expect(a.core.status().partition).toMatchObject({
    away: ["b"],
    back: [],
    here: { entries: 1, documents: 1 },
    there: { entries: 0, documents: 0 },
  })
  expect(must(a.core.status().partition).sinceMs).toBeLessThanOrEqual(cutMs)
  expect(reports(a)).toEqual([])
})

test("[P2] what a bridge brings meanwhile counts where it was written", () => {
  const { world, nodes } = linkedMesh("a", "b", "c")
  const [a, b, c] = [must(nodes[0]), must(nodes[1]), must(nodes[2])]
  split("cut", [a], [c])
  world.advance(30_000)
  write(a, "x")
  write(b, "x")
  write(c, "x", "y")
  world.advance(5000)
  split("heal", [a], [c])
  world.advance(10_000)
  expect(reports(a)).toMatchObject([{ members: ["c"], here: { entries: 2 } }])
  expect(reports(a)).toMatchObject([{ there: { entries: 2, documents: 2 }, bytesIn: 0 }])
  expect(reports(b)).toEqual([])
})

test("[P3] who comes back late has a report of its own, with all it missed", () => {
  const { world, nodes } = linkedMesh("a", "b", "c")
  const [a, b, c] = [must(nodes[0]), must(nodes[1]), must(nodes[2])]
  split("cut", [a], [b, c])
  split("cut", [b], [c])
  world.advance(30_000)
  write(a, "x")
  write(b, "y")
  split("heal", [a], [b])
  world.advance(limits.partitionStragglerMs + 10_000)
  expect(reports(a)).toMatchObject([{ members: ["b"], here: { entries: 1 } }])
  write(a, "z")
  write(c, "x")
  split("heal", [a, b], [c])
  world.advance(10_000)
  const [, second] = reports(a)
  expect(reports(a)).toHaveLength(2)
  expect(second).toMatchObject({
    members: ["c"],
    here: { entries: 2 },
    there: { entries: 1 },
    both: { named: [documentNamed("x")] },
  })
})

test("[P3] what was reported and goes on with who is still away is counted once", () => {
  const { world, nodes } = linkedMesh("a", "b", "c")
  const [a, b, c] = [must(nodes[0]), must(nodes[1]), must(nodes[2])]
  split("cut", [a], [b, c])
  split("cut", [b], [c])
  world.advance(20_000)
  b.store.held = true
  split("heal", [a], [b])
  world.advance(limits.partitionStragglerMs + 1500)
  write(a, "x")
  for (let waited = 0; reports(a).length === 0 && waited < 10_000; waited += 250) world.advance(250)
  expect(reports(a)).toMatchObject([{ members: ["b"], here: { entries: 1 } }])
  // Lost again while nobody knows whether it has what was just counted.
  split("cut", [a], [b], false)
  world.advance(20_000)
  b.store.held = false
  split("heal", [a], [b, c])
  world.advance(10_000)
  expect(reports(a).slice(1)).toMatchObject([{ members: ["b", "c"], here: { entries: 1 } }])
})

test("[P3] what others brought of who comes back late is in its own report too", () => {
  const { world, nodes } = linkedMesh("a", "b", "c")
  const [a, b, c] = [must(nodes[0]), must(nodes[1]), must(nodes[2])]
  split("cut", [a], [b, c])
  world.advance(20_000)
  write(b, "x")
  write(c, "x", "y")
  world.advance(5000)
  split("heal", [a], [b])
  world.advance(limits.partitionStragglerMs + 10_000)
  expect(reports(a)).toMatchObject([{ members: ["b"], there: { entries: 3, documents: 2 } }])
  write(a, "y")
  split("heal", [a], [c])
  world.advance(10_000)
  const [, second] = reports(a)
  expect(second).toMatchObject({
    members: ["c"],
    there: { entries: 2, documents: 2 },
    both: { named: [documentNamed("y")] },
  })
})

test("[P3] a report does not wait for ever for nodes to be level", () => {
  const { world, nodes } = linkedMesh("a", "b")
  const [a, b] = [must(nodes[0]), must(nodes[1])]
  split("cut", [a], [b], false)
  world.advance(10_000)
  write(a, "x")
  b.store.held = true
  split("heal", [a], [b])
  world.advance(limits.partitionConvergeMs / 2)
  expect(reports(a)).toEqual([])
  expect(a.core.status().partition).toMatchObject({ away: [], back: ["b"] })
  world.advance(limits.partitionConvergeMs)
  expect(reports(a)).toMatchObject([{ members: ["b"], convergedMs: undefined }])
})

test("[P2] a link that is lost again belongs to the same split", () => {
  const { world, nodes } = linkedMesh("a", "b")
  const [a, b] = [must(nodes[0]), must(nodes[1])]
  split("cut", [a], [b])
  world.advance(30_000)
  write(a, "x")
  b.store.held = true
  split("heal", [a], [b])
  world.advance(5000)
  split("cut", [a], [b], false)
  write(a, "y")
  world.advance(1000)
  b.store.held = false
  split("heal", [a], [b])
  world.advance(10_000)
  expect(reports(a)).toMatchObject([{ here: { entries: 2, documents: 2 }, there: { entries: 0 } }])
})

test("[P2] a split that all are lost in again goes on, with what was counted there", () => {
  const { world, nodes } = linkedMesh("a", "b", "c")
  const [a, b, c] = [must(nodes[0]), must(nodes[1]), must(nodes[2])]
  split("cut", [a], [b, c])
  world.advance(20_000)
  write(b, "x", "y")
  world.advance(5000)
  split("heal", [a], [b])
  // Not as long as a report waits for `c`.
  world.advance(10_000)
  expect(a.core.status().partition).toMatchObject({ back: ["b"], there: { entries: 2 } })
  split("cut", [a], [b])
  world.advance(limits.partitionStragglerMs + 10_000)
  expect(reports(a)).toEqual([])
  write(c, "z")
  split("heal", [a], [b, c])
  world.advance(10_000)
  expect(reports(a)).toMatchObject([
    { members: ["b", "c"], there: { entries: 3, documents: 3 }, isLowerBound: false },
  ])
})

test("[P1] nobody waits for a member that was retired", () => {
  const [a, b, c] = ["a", "b", "c"].map((name) => testNode(name))
  const [own, peer] = [must(a), { node: must(b), heads: new Map(), heardMs: 0, sentBytes: 0 }]
  let members = [own, must(b), must(c)]
  const options = {
    node: own,
    heads: () => new Map(),
    linked: () => [],
    members: () => members,
  }
  const partitions = new Partitions(options, 0)
  const turn = (nowMs: number) => new Turn(nowMs, [])
  partitions.onLinkDown(turn(1000), peer)
  partitions.onLinkDown(turn(1000), { ...peer, node: must(c) })
  partitions.sweep(turn(10_000))
  expect(partitions.status()).toMatchObject({ away: ["b", "c"] })
  members = [own, must(c)]
  partitions.sweep(turn(20_000))
  expect(partitions.status()).toMatchObject({ away: ["c"] })
  members = [own]
  partitions.sweep(turn(30_000))
  expect(partitions.status()).toBeUndefined()
})

test("[P4] what comes as states of documents makes a lower bound", () => {
  const peer = { node: testNode("b"), heads: new Map(), heardMs: 0, sentBytes: 0 }
  const options = {
    node: testNode("a"),
    heads: () => new Map(),
    linked: () => [peer],
    members: () => [testNode("a"), testNode("b")],
  }
  const partitions = new Partitions(options, 0)
  const effects: Effect[] = []
  partitions.onLinkDown(new Turn(1000, effects), peer)
  const update = { document: documentNamed("x"), body: new Uint8Array(3) }
  partitions.onDurable(new Turn(10_000, effects), [{ ...update, dot: undefined }])
  partitions.onDurable(new Turn(10_000, effects), [
    { ...update, dot: { origin: testOrigin("b"), seq: 1 } },
  ])
  partitions.onLinkUp(new Turn(20_000, effects), peer)
  expect(effects).toMatchObject([
    { event: { report: { there: { entries: 1, documents: 1 }, isLowerBound: true } } },
  ])
})

test.each([true, false])("[P4] a loss that is noticed late is a lower bound (%s)", (isLate) => {
  const peer = { node: testNode("b"), heads: new Map(), heardMs: 100_000, sentBytes: 0 }
  const options = {
    node: testNode("a"),
    heads: () => new Map(),
    linked: () => [peer],
    members: () => [testNode("a"), testNode("b")],
  }
  const partitions = new Partitions(options, 0)
  const effects: Effect[] = []
  // What was durable just before it was heard may have been missed, too.
  const fromMs = peer.heardMs - 2 * limits.linkVectorIntervalMs
  const noticedMs = fromMs + limits.partitionRecentMs + (isLate ? 1 : 0)
  partitions.onLinkDown(new Turn(noticedMs, effects), peer)
  partitions.onLinkUp(new Turn(noticedMs + 1000, effects), peer)
  expect(effects).toMatchObject([{ event: { report: { isLowerBound: isLate } } }])
})

test("[P4] documents are told apart up to a bound, entries are counted past it", () => {
  const side = new Side()
  const name = (index: number): DocumentId => documentNamed(`d${index}`)
  for (let index = 0; index < limits.partitionDocumentsMax; index++) side.add(name(index))
  expect(side.isLowerBound).toBe(false)
  side.add(name(0))
  expect(side.isLowerBound).toBe(false)
  side.add(name(limits.partitionDocumentsMax))
  expect(side.report()).toEqual({
    entries: limits.partitionDocumentsMax + 2,
    documents: limits.partitionDocumentsMax,
  })
  expect(side.isLowerBound).toBe(true)
  const { documents, named } = side.shared(side.copy())
  expect(documents).toBe(limits.partitionDocumentsMax)
  expect(named).toHaveLength(limits.partitionNamedMax)
})

test("[P4] recent writes are kept for a time and up to a count; what is forgotten is said", () => {
  const recent = new RecentWrites()
  const origin = testOrigin("a")
  const document = documentNamed("x")
  const half = limits.partitionRecentEntriesMax / 2
  const run = (firstSeq: number, count: number) =>
    must(
      runsOf(
        Array.from({ length: count }, (_, index) => {
          const dot = { origin, seq: firstSeq + index }
          return { dot, document, body: new Uint8Array(2) }
        }),
      )[0],
    )
  const firsts = (fromMs: number) => [...recent.since(fromMs)].map(({ firstSeq }) => firstSeq)
  recent.add(run(1, half), 0)
  recent.add(run(half + 1, half), 1000)
  expect([firsts(0), firsts(1000)]).toEqual([[1, half + 1], [half + 1]])
  expect(recent.isCompleteSince(0, 1000)).toBe(true)
  recent.add(run(2 * half + 1, 1), 2000)
  expect(firsts(0)).toEqual([half + 1, 2 * half + 1])
  expect([recent.isCompleteSince(0, 2000), recent.isCompleteSince(1, 2000)]).toEqual([false, true])
  const laterMs = 2000 + limits.partitionRecentMs
  recent.add(run(2 * half + 2, 1), laterMs)
  expect(firsts(0)).toEqual([2 * half + 1, 2 * half + 2])
  expect(recent.isCompleteSince(1999, laterMs)).toBe(false)
  expect(recent.isCompleteSince(2000, laterMs)).toBe(true)
})
