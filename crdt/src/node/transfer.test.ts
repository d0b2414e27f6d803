/** Nodes whose peers have no entries any more of what they lack. Rules [K8] [K3]. */
import { describe, expect, test } from "vitest"
import * as Y from "yjs"
import { documentHash, limits } from "../base/index.ts"
import type { DocumentId, OriginId } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import { encodeRecord, genesisHash, readLog } from "../log/index.ts"
import type { Head } from "../log/index.ts"
import { testOrigin } from "../testing/store-fixtures.ts"
import { partsOf, reachOf } from "./document-state.ts"
import { NativeClient, openNative, vectorOf, YWriter } from "./test/clients.ts"
import { documentNamed, engines, World } from "./test/harness.ts"
import type { TestNode } from "./test/harness.ts"
import { linked, recordsOf } from "./test/peer.ts"

const notes = documentNamed("notes")

let lastClient = 0

function write(node: TestNode, value: unknown, document = notes): number {
  const id = ++lastClient
  const client = openNative(node, document, id)
  client.update(1, 1, new YWriter(id).put(`k${id}`, value))
  node.world.advance(2 * limits.commitPaceMs)
  expect(client.acked).toBe(1)
  client.close()
  node.world.settle()
  return id
}

/**
 * Folds every document and truncates every origin, as compaction does, and starts the node again.
 */
function truncate(node: TestNode): void {
  const { log } = node.store
  const snapshots = log.documentIds().map((document) => {
    const read = readLog(log, { type: "document", document, since: new VersionVector() })
    if (read.type !== "document") throw new TypeError(read.type)
    return {
      document,
      state: engines.yjs.compact(engines.yjs.merge(partsOf(read))),
      folded: reachOf(read),
    }
  })
  log.append({ own: [], adopted: [], snapshots })
  const floors = log
    .heads()
    .flatMap(([origin, { seq }]) => (seq > 0 ? [[origin, seq] as const] : []))
  expect(log.refusal({ own: [], adopted: [], floors })).toBe(undefined)
  log.append({ own: [], adopted: [], floors })
  node.crash()
}

function stateOf({ store }: TestNode, document: DocumentId = notes): Uint8Array {
  const read = readLog(store.log, { type: "document", document, since: new VersionVector() })
  if (read.type !== "document") throw new TypeError(read.type)
  return engines.yjs.merge(partsOf(read))
}

function headOf(node: TestNode, origin: OriginId): Head {
  return node.store.log.head(origin)
}

function headsOf(node: TestNode): unknown[] {
  return node.store.log.heads().filter(([, { seq }]) => seq > 0)
}

function jsonOf(node: TestNode, document?: DocumentId) {
  return engines.yjs.toJson(stateOf(node, document))
}

/** Two nodes that met, wrote, and were parted; what n1 wrote since is there as documents alone. */
function parted(documents: readonly DocumentId[] = [notes]) {
  const world = new World()
  const n1 = world.node("n1", { peers: ["n2"] })
  const n2 = world.node("n2")
  write(n1, 1)
  write(n2, 2)
  world.advance(3000)
  world.cut(n1, n2)
  for (const document of documents) write(n1, 3, document)
  truncate(n1)
  write(n1, 4)
  return { world, n1, n2 }
}

describe("state transfer", () => {
  test("[K8] who lacks truncated entries gets documents, then claims what they hold", () => {
    const { world, n1, n2 } = parted()
    write(n2, 5)
    world.heal(n1, n2)
    world.advance(30_000)
    expect(n2.eventsOf("transfer-done")).toMatchObject([{ peer: "n1", documents: 1 }])
    expect(headsOf(n2)).toEqual(headsOf(n1))
    expect(jsonOf(n2)).toEqual(jsonOf(n1))
    expect(new Map(n2.store.log.side.notes()).has("transfer")).toBe(false)
    write(n1, 6)
    world.advance(3000)
    expect(headsOf(n2)).toEqual(headsOf(n1))
    expect(jsonOf(n2)).toEqual(jsonOf(n1))
  })

  test("[K8] [N21] what a transfer brings wakes who watches it", () => {
    const { world, n1, n2 } = parted()
    const client = new NativeClient(n2)
    client.hello(900)
    world.settle()
    client.watch(vectorOf(n2.store.log.heads().map(([origin, { seq }]) => [origin, seq])), notes)
    world.settle()
    expect(client.of("woken").map(({ hashes }) => hashes)).toEqual([[]])
    world.heal(n1, n2)
    // Shown before the transfer is over, and before n1 says anything of its own.
    const isShown = () => client.of("woken").length > 1
    for (let step = 0; step < 20_000 && !isShown(); step++) {
      const [action] = world.actions()
      if (action === undefined) world.pass(50)
      else action()
    }
    expect(client.of("woken").at(-1)?.hashes).toEqual([documentHash(notes)])
    expect(n2.eventsOf("transfer-done")).toEqual([])
  })

  test("[K8] a new node gets everything, and clients' numbers with it", () => {
    const { world, n1 } = parted()
    const n3 = world.node("n3", { peers: ["n1"] })
    world.advance(30_000)
    expect(headsOf(n3)).toEqual(headsOf(n1))
    expect(jsonOf(n3)).toEqual(jsonOf(n1))
    expect(n3.store.log.readClients(undefined, 100)).toEqual(
      n1.store.log.readClients(undefined, 100),
    )
  })

  test("[K8] what it claims stays as it was until all is here; it takes writes meanwhile", () => {
    const many = Array.from({ length: 30 }, (_, index) => documentNamed(`d${index}`))
    const { world, n1, n2 } = parted(many)
    const before = headsOf(n2).length
    const late = openNative(n2, notes, 901)
    world.settle()
    const claimed = n2.core.status().vector[n1.origin]
    world.heal(n1, n2)
    let seen = 0
    for (let step = 0; n2.eventsOf("transfer-done").length === 0; step++) {
      expect(step).toBeLessThan(20_000)
      const [action] = world.actions()
      if (action === undefined) world.pass(50)
      else action()
      if (n2.core.status().transfer === undefined) continue
      seen += 1
      if (n2.eventsOf("transfer-done").length > 0) break
      expect(n2.core.status().vector[n1.origin]).toBe(claimed)
      if (seen === 20) late.update(1, 1, new YWriter(901).put("late", 1))
    }
    expect(seen).toBeGreaterThan(20)
    expect(before).toBe(2)
    world.advance(10_000)
    expect(headsOf(n2)).toEqual(headsOf(n1))
    for (const document of [notes, ...many])
      expect(jsonOf(n2, document)).toEqual(jsonOf(n1, document))
  })

  test("[K8] a page that is full is followed by the document that did not fit", () => {
    const many = Array.from({ length: 7 }, (_, index) => documentNamed(`d${index}`))
    const { world, n1 } = parted()
    const value = "x".repeat(Math.ceil(limits.transferPageBytes / 2.5))
    for (const document of many) write(n1, value, document)
    truncate(n1)
    const n3 = world.node("n3", { peers: ["n1"] })
    world.advance(30_000)
    expect(n3.eventsOf("transfer-done")).toMatchObject([{ documents: 8 }])
    expect(headsOf(n3)).toEqual(headsOf(n1))
    for (const document of many) expect(jsonOf(n3, document)).toEqual(jsonOf(n1, document))
  })

  test("[K8] one that is interrupted again and again goes on where it was", () => {
    const many = Array.from({ length: 40 }, (_, index) => documentNamed(`d${index}`))
    const { world, n1, n2 } = parted(many)
    world.heal(n1, n2)
    const merged = () => n2.effects.filter((it) => it.type === "job" && it.work.type === "compact")
    for (let kill = 1; kill <= 5; kill++) {
      const until = merged().length + 6
      for (let step = 0; merged().length < until; step++) {
        expect(step).toBeLessThan(20_000)
        const [action] = world.actions()
        if (action === undefined) world.pass(50)
        else action()
      }
      n2.crash()
    }
    world.advance(60_000)
    expect(headsOf(n2)).toEqual(headsOf(n1))
    for (const document of [notes, ...many])
      expect(jsonOf(n2, document)).toEqual(jsonOf(n1, document))
    // Each kill costs what was under way, not what was done.
    expect(merged().length).toBeLessThan(41 + 5 * 2)
    expect(
      n2
        .eventsOf("transfer-begun")
        .slice(1)
        .every(({ resumed }) => resumed),
    ).toBe(true)
  })

  test("[K8] another peer goes on where one stopped; claims are what all pages stand for", () => {
    const many = Array.from({ length: 40 }, (_, index) => documentNamed(`d${index}`))
    const { world, n1, n2 } = parted(many)
    const n3 = world.node("n3", { peers: ["n1", "n2"] })
    world.cut(n2, n3)
    world.advance(30_000)
    truncate(n3)
    world.cut(n1, n3)
    write(n1, 8)
    world.heal(n1, n2)
    for (let step = 0; (n2.core.status().transfer?.documents ?? 0) < 5; step++) {
      expect(step).toBeLessThan(20_000)
      const [action] = world.actions()
      if (action === undefined) world.pass(50)
      else action()
    }
    world.cut(n1, n2)
    world.heal(n2, n3)
    world.advance(60_000)
    expect(headsOf(n2)).toEqual(headsOf(n3))
    world.heal(n1, n2)
    world.heal(n1, n3)
    world.advance(60_000)
    expect(headsOf(n2)).toEqual(headsOf(n1))
    for (const document of [notes, ...many])
      expect(jsonOf(n2, document)).toEqual(jsonOf(n1, document))
  })

  test("[K8] a page that never ended stands for what was told before it, no more", () => {
    const many = Array.from({ length: 40 }, (_, index) => documentNamed(`d${index}`))
    const { world, n1, n2 } = parted(many)
    const n3 = world.node("n3", { peers: ["n1", "n2"] })
    world.cut(n2, n3)
    world.advance(30_000)
    world.heal(n1, n2)
    for (let step = 0; (n2.core.status().transfer?.documents ?? 0) < 5; step++) {
      expect(step).toBeLessThan(20_000)
      const [action] = world.actions()
      if (action === undefined) world.pass(50)
      else action()
    }
    world.cut(n1, n2)
    // A document that has come is written to, and the other peer has that as a document alone.
    for (const document of many) write(n1, 9, document)
    world.advance(10_000)
    truncate(n3)
    world.cut(n1, n3)
    world.heal(n2, n3)
    world.advance(60_000)
    expect(headsOf(n2)).toEqual(headsOf(n3))
    for (const document of many) expect(jsonOf(n2, document)).toEqual(jsonOf(n3, document))
  })

  test("[K8] clients that have a document open are shown what came, and resume from it", () => {
    const { world, n1, n2 } = parted()
    const client = openNative(n2, notes, 900)
    world.settle()
    const shown = () => client.types.filter((type) => type === "updates").length
    const before = shown()
    world.heal(n1, n2)
    world.advance(30_000)
    expect(shown()).toBeGreaterThan(before)
    const doc = new Y.Doc()
    for (const message of client.got) {
      if (message.type !== "updates") continue
      for (const update of message.updates) Y.applyUpdate(doc, update)
    }
    const whole = new Y.Doc()
    Y.applyUpdate(whole, stateOf(n1))
    expect(doc.getMap("map").toJSON()).toEqual(whole.getMap("map").toJSON())
  })

  test("[K3] [L11] entries are asked of a peer that has them before a transfer begins", () => {
    const { world, n1, n2 } = parted()
    const n3 = world.node("n3", { peers: ["n2"] })
    world.advance(10_000)
    expect(headsOf(n3)).toEqual(headsOf(n2))
    world.heal(n1, n2)
    world.advance(30_000)
    expect(headsOf(n3)).toEqual(headsOf(n1))
  })

  test("[K8] who claims entries and can't read them keeps nobody from documents", () => {
    const world = new World()
    const n1 = world.node("n1", { peers: ["n2", "n3"] })
    const n2 = world.node("n2", { peers: ["n3"] })
    const n3 = world.node("n3")
    for (const node of [n1, n2, n3]) write(node, 1)
    world.advance(10_000)
    for (const other of [n1, n3]) world.cut(n2, other)
    write(n1, 2)
    world.advance(10_000)
    truncate(n1)
    expect(headsOf(n3)).toEqual(headsOf(n1))
    n3.store.readFailure = "store-failed"
    world.heal(n2, n3)
    world.advance(10_000)
    world.heal(n1, n2)
    world.advance(30_000)
    expect(n2.eventsOf("transfer-done")).toMatchObject([{ peer: "n1" }])
    expect(headsOf(n2)).toEqual(headsOf(n1))
    expect(jsonOf(n2)).toEqual(jsonOf(n1))
  })

  test("[K8] no transfer is begun for what none would bring: our own origin, and a fork", () => {
    const world = new World()
    const node = world.node()
    write(node, 1)
    const own = linked(node, "p1", { heads: new Map([[node.origin, headOf(node, node.origin)]]) })
    own.send({ type: "truncated", origin: node.origin, floorSeq: 5 })
    // Its log is another from the first entry on, which shows once it brings one.
    const lost = testOrigin("lost")
    const head = { seq: 5, hash: genesisHash }
    const forked = linked(node, "p2", { heads: new Map([[lost, head]]) })
    const honest = linked(node, "p3")
    const records = recordsOf(notes, 3)
    honest.entries(lost, 1, records.slice(0, 1))
    world.advance(1000)
    expect(headOf(node, lost).seq).toBe(1)
    forked.send({ type: "truncated", origin: lost, floorSeq: 2 })
    forked.entries(lost, 1, records.slice(1))
    world.advance(2 * limits.sweepMs)
    expect(node.eventsOf("fork-detected")).toMatchObject([{ origin: lost, peer: "p2" }])
    expect(own.of("transfer-want")).toEqual([])
    // What was begun before anybody knew of the fork comes to its end, and that was all.
    expect(forked.of("transfer-want")).toHaveLength(1)
    const heads = new Map([[lost, head]])
    const page = {
      type: "transfer-page",
      heads,
      records: [],
      clients: [],
      next: undefined,
    } as const
    forked.send(page)
    world.advance(3 * limits.sweepMs)
    expect(node.eventsOf("transfer-done")).toHaveLength(1)
    expect(forked.of("transfer-want")).toHaveLength(1)
  })

  test("[K7] [K8] more entries of no document than a page has come page by page", () => {
    const world = new World()
    const n1 = world.node("n1", { peers: ["n2"] })
    write(n1, 1)
    // Several sides of a split deleted as many as they may.
    const count = limits.deletionsMax + 16_000
    const records = Array.from({ length: count }, (_, index) =>
      encodeRecord({ kind: "delete", atMs: 1, document: documentNamed(`d${index}`) }),
    )
    n1.store.log.append({ own: records, adopted: [] })
    truncate(n1)
    const n2 = world.node("n2")
    world.advance(5000)
    expect(n2.eventsOf("transfer-done")).toHaveLength(1)
    expect(headsOf(n2)).toEqual(headsOf(n1))
    expect(n2.core.status().deletions).toBe(count)
    expect(jsonOf(n2)).toEqual(jsonOf(n1))
  })

  test("[K8] two that send nothing of a page don't keep it from a third", () => {
    const world = new World()
    const node = world.node()
    const lost = testOrigin("lost")
    const heads = new Map([[lost, { seq: 5, hash: genesisHash }]])
    const peers = ["p1", "p2", "p3"].map((name) => linked(node, name, { heads }))
    for (const peer of peers) peer.send({ type: "truncated", origin: lost, floorSeq: 5 })
    world.settle()
    const asked = () => peers.map((peer) => peer.of("transfer-want").length)
    for (const expected of [1, 2, 3]) {
      expect(asked().filter((count) => count === 1)).toHaveLength(expected)
      expect(Math.max(...asked())).toBe(1)
      const untilMs = world.nowMs + limits.transferPatienceMs + limits.sweepMs
      while (expected < 3 && world.nowMs < untilMs) {
        world.advance(limits.sweepMs)
        for (const peer of peers) peer.send({ type: "ping" })
      }
      world.settle()
    }
  })
})
