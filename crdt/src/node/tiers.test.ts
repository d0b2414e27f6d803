/** Acks of the tiers above `node`: rules [T1]–[T7] and the node's side of [N15]–[N17]. */
import { describe, expect, test } from "vitest"
import { limits } from "../base/index.ts"
import type { OriginId } from "../base/index.ts"
import { HASH_BYTES } from "../log/index.ts"
import type { Head } from "../log/index.ts"
import { encodeHello, tierMarksMax } from "../protocol/index.ts"
import type { TierMark } from "../protocol/index.ts"
import { clientNumbered, commit, NativeClient, openNative, YWriter } from "./test/clients.ts"
import { must, World } from "./test/harness.ts"
import type { TestNode } from "./test/harness.ts"
import { lostMs, missing, notes, three, vectorsMs, wanting, write } from "./test/tiers.ts"

/** Where the client was told that its updates stand. */
function placeOf(client: NativeClient): ReadonlyMap<OriginId, Head> {
  return must(client.of("logged").at(-1)).heads
}

describe("whom it takes", () => {
  test("[T1] quorum is more than half of the members, all is each of them", () => {
    const { world, nodes } = three()
    const [a, b, c] = nodes
    const client = wanting(a, 1, 1)
    world.cut(a, c)
    world.cut(b, c)
    write(client, 1)
    world.advance(vectorsMs)
    expect([client.ackedAt("node"), client.ackedAt("quorum"), client.ackedAt("all")]).toEqual([
      1, 1, 0,
    ])
    world.heal(a, c)
    world.heal(b, c)
    world.advance(limits.linkBackoffMsMax + vectorsMs)
    expect(client.ackedAt("all")).toBe(1)
  })

  test("[T1] a node alone is everybody", () => {
    const client = wanting(new World().node(), 1, 1)
    write(client, 1)
    expect([client.ackedAt("quorum"), client.ackedAt("all")]).toEqual([1, 1])
  })

  test("[T1] [T5] of three, one that is cut off from both others acks nothing above node", () => {
    const { world, nodes } = three()
    const [a, b, c] = nodes
    world.cut(a, b)
    world.cut(a, c)
    const client = wanting(a, 1, 1)
    write(client, 1)
    world.advance(60_000)
    expect([client.ackedAt("node"), client.ackedAt("quorum")]).toEqual([1, 0])
    // Not even after it started anew: its log says who belongs to it.
    a.crash()
    const again = wanting(a, 1, 2)
    world.advance(60_000)
    expect(again.ackedAt("quorum")).toBe(0)
  })

  test("[T1] an address that nobody answered from counts against both tiers", () => {
    const world = new World()
    const node = world.node("a", { peers: ["b"] })
    const client = wanting(node, 1, 1)
    write(client, 1)
    world.advance(6000)
    const tiers = ["node", "quorum", "all"] as const
    expect(tiers.map((tier) => client.ackedAt(tier))).toEqual([1, 0, 0])
    expect(missing(client, "quorum")).toContain("b false")
  })

  test("[T1] what is sent and not durable at a peer does not count", () => {
    const { world, nodes } = three()
    const [a, b, c] = nodes
    b.store.held = true
    c.store.held = true
    const client = wanting(a, 1, 1)
    write(client, 1)
    world.advance(vectorsMs)
    expect([client.ackedAt("node"), client.ackedAt("quorum")]).toEqual([1, 0])
    b.store.held = false
    world.advance(vectorsMs)
    expect([client.ackedAt("quorum"), client.ackedAt("all")]).toEqual([1, 0])
  })

  test("[T2] a thousand commits that wait, and some more, are all acked in the end", () => {
    const { world, nodes } = three()
    const [a, b, c] = nodes
    const client = wanting(a, 1, 1)
    world.cut(a, b)
    world.cut(a, c)
    for (let seq = 1; seq <= 1030; seq++) write(client, seq)
    expect([client.ackedAt("node"), client.ackedAt("quorum")]).toEqual([1030, 0])
    world.heal(a, b)
    world.heal(a, c)
    world.advance(limits.linkBackoffMsMax + vectorsMs)
    expect([client.ackedAt("quorum"), client.ackedAt("all")]).toEqual([1030, 1030])
  })

  test("[T5] a member that joins counts for what is acked from then on", () => {
    const world = new World()
    const [a, b] = world.mesh("a", "b")
    world.advance(5000)
    const client = wanting(must(a), 1, 1)
    write(client, 1)
    world.advance(vectorsMs)
    expect(client.ackedAt("all")).toBe(1)
    const c = world.node("c", { peers: ["a", "b"] })
    world.advance(limits.linkBackoffMsMax + vectorsMs)
    world.cut(must(a), c)
    world.cut(must(b), c)
    write(client, 2)
    world.advance(vectorsMs)
    expect([client.ackedAt("quorum"), client.ackedAt("all")]).toEqual([2, 1])
  })
})

describe("what is known", () => {
  test("[T4] what a peer said on an earlier link counts for nothing", () => {
    const { world, nodes } = three()
    const [a, b, c] = nodes
    const client = wanting(a, 1, 1)
    write(client, 1)
    world.advance(vectorsMs)
    expect(client.ackedAt("all")).toBe(1)
    world.cut(a, b)
    world.cut(a, c)
    const place = placeOf(client)
    const again = wanting(a, 2, 2, { toSeq: 1, heads: place })
    world.advance(vectorsMs)
    expect(again.ackedAt("quorum")).toBe(0)
    world.heal(a, b)
    world.advance(limits.linkBackoffMsMax + vectorsMs)
    expect(again.ackedAt("quorum")).toBe(1)
  })

  test("[T2] [T3] on another node a mark is waited for, whatever that node logs itself", () => {
    const { world, nodes } = three()
    const [a, b, c] = nodes
    world.cut(a, b)
    world.cut(a, c)
    const first = wanting(a, 1, 1)
    write(first, 1)
    const moved = wanting(b, 1, 2, { toSeq: 1, heads: placeOf(first) })
    write(moved, 2)
    world.advance(vectorsMs)
    expect([moved.ackedAt("node"), moved.ackedAt("quorum")]).toEqual([2, 0])
    expect(missing(moved, "quorum")).toContain("b true")
    world.heal(a, b)
    world.advance(limits.linkBackoffMsMax + vectorsMs)
    expect(moved.ackedAt("quorum")).toBe(2)
  })

  test("[T3] another log under the same name counts for nothing", () => {
    const { world, nodes } = three()
    const [a, b, c] = nodes
    const client = wanting(a, 1, 1)
    write(client, 1)
    world.advance(vectorsMs)
    const old = a.store.log.copy()
    write(client, 2)
    world.advance(vectorsMs)
    expect(client.ackedAt("all")).toBe(2)
    // Put back, and cut off: the same numbers stand for other updates.
    world.cut(a, b)
    world.cut(a, c)
    a.restore(old)
    const other = wanting(a, 2, 1)
    write(other, 1)
    expect(other.ackedAt("node")).toBe(1)
    const [place] = placeOf(other)
    expect(b.store.log.head(must(place)[0]).seq).toBeGreaterThanOrEqual(must(place)[1].seq)
    const moved = wanting(b, 2, 2, { toSeq: 1, heads: placeOf(other) })
    world.advance(60_000)
    expect(moved.ackedAt("quorum")).toBe(0)
  })

  test("[T3] below a floor, with no hash left, a mark counts if its numbers were logged", () => {
    const world = new World()
    const node = world.node("a", { compaction: { tailEntriesMax: 1, logBytesMax: 1 } })
    const empty = node.store.log.copy()
    const first = wanting(node, 1, 1)
    write(first, 1)
    const place = placeOf(first)
    for (let number = 2; number <= 4; number++) write(first, number)
    const [origin, { seq }] = must([...place][0])
    const folded = () => node.store.log.floor(origin).seq > seq
    world.advance(60_000)
    expect(folded()).toBe(true)
    node.crash()
    const back = wanting(node, 1, 5, { toSeq: 1, heads: place })
    world.settle()
    expect([back.ackedAt("quorum"), back.ackedAt("all")]).toEqual([4, 4])
    // Its disk is put back, and others write: nothing shows that it was another log.
    node.restore(empty)
    const other = wanting(node, 2, 1)
    for (let number = 1; number <= 4; number++) write(other, number)
    world.advance(60_000)
    expect([node.origin, folded()]).toEqual([origin, true])
    node.crash()
    const late = wanting(node, 1, 5, { toSeq: 1, heads: place })
    world.advance(lostMs)
    expect([late.ackedAt("quorum"), late.ackedAt("all")]).toEqual([0, 0])
    expect(missing(late, "quorum")).toEqual(["a true"])
  })

  test("[T6] [T7] what nobody has any more is lost, and holds up nothing", () => {
    const { world, nodes } = three()
    const [a, b, c] = nodes
    const empty = a.store.log.copy()
    world.cut(a, b)
    world.cut(a, c)
    const first = wanting(a, 1, 1)
    write(first, 1)
    const moved = wanting(b, 1, 2, { toSeq: 1, heads: placeOf(first) })
    write(moved, 2)
    world.advance(lostMs)
    // It may come back with its disk, so it is waited for.
    expect(moved.of("tier-status").map(({ lostTo }) => lostTo)).not.toContain(1)
    // Its disk did not: the log ends where the others have it, and it writes under a fresh origin.
    a.restore(empty)
    a.store.log.renew(freshOrigin(a), {})
    a.crash()
    world.heal(a, b)
    world.heal(a, c)
    world.advance(limits.linkBackoffMsMax + vectorsMs)
    expect(moved.ackedAt("quorum")).toBe(0)
    world.advance(lostMs)
    const status = must(moved.of("tier-status").findLast(({ tier }) => tier === "quorum"))
    expect(status.lostTo).toBe(1)
    expect([moved.ackedAt("quorum"), moved.ackedAt("all")]).toEqual([2, 2])
  })

  test("[T6] marks of many logs that are gone are lost together, not one after the other", () => {
    const { world, nodes } = three()
    const [a, b] = nodes
    const marks = Array.from({ length: tierMarksMax }, (_, index): TierMark => {
      const head = { seq: index + 1, hash: new Uint8Array(HASH_BYTES) }
      return { toSeq: index + 1, heads: new Map([[freshOrigin(a), head]]) }
    })
    const client = wanting(b, 1, tierMarksMax + 1, ...marks)
    write(client, tierMarksMax + 1)
    world.advance(4000)
    const statuses = () => client.of("tier-status").filter(({ tier }) => tier === "quorum")
    expect(statuses().map(({ lostTo }) => lostTo)).not.toContain(1)
    world.advance(lostMs)
    expect(statuses().at(-1)?.lostTo).toBe(tierMarksMax)
    expect(client.ackedAt("quorum")).toBe(tierMarksMax + 1)
  })

  test("[T2] [T6] [N17] what is lost is said before anything behind it is acked", () => {
    const { world, nodes } = three()
    const [a, b] = nodes
    const first = wanting(b, 1, 1)
    write(first, 1)
    const gone: Head = { seq: 1, hash: new Uint8Array(HASH_BYTES) }
    const lost = (toSeq: number): TierMark => ({ toSeq, heads: new Map([[freshOrigin(a), gone]]) })
    const kept: TierMark = { toSeq: 3, heads: placeOf(first) }
    const client = wanting(b, 2, 5, lost(1), lost(2), kept, lost(4))
    write(client, 5)
    world.advance(vectorsMs + lostMs)
    const told = client.got.flatMap((one) => {
      if (one.type === "ack" && one.tier === "quorum") return [`ack ${one.seq}`]
      return one.type === "tier-status" && one.tier === "quorum" ? [`lost ${one.lostTo}`] : []
    })
    expect(told.filter((one, index) => one !== told[index - 1])).toEqual([
      "lost 0",
      "lost 2",
      "ack 3",
      "lost 4",
      "ack 5",
    ])
  })
})

describe("the messages", () => {
  test("[N16] each ack follows the place of what it covers", () => {
    const { nodes } = three()
    const client = wanting(nodes[0], 1, 1)
    write(client, 1)
    const types = client.types.filter((type) => type === "logged" || type === "ack")
    expect(types.slice(0, 2)).toEqual(["logged", "ack"])
    const [origin] = [...placeOf(client).keys()]
    expect(origin).toBe(nodes[0].origin)
    expect(placeOf(client).get(must(origin))).toEqual(nodes[0].store.log.head(must(origin)))
  })

  test("[N16] what was logged before the welcome is placed when it is asked for", () => {
    const { world, nodes } = three()
    const first = openNative(nodes[0], notes, 1)
    write(first, 1)
    const again = new NativeClient(nodes[0])
    again.hello(1)
    world.settle()
    again.wantTier("node")
    again.wantTier("quorum")
    world.advance(vectorsMs)
    expect(placeOf(again).get(nodes[0].origin)).toEqual(nodes[0].store.log.head(nodes[0].origin))
    expect(again.ackedAt("quorum")).toBe(1)
  })

  test("[T2] [N16] what comes in place of a refused update stands in all logs of the node", () => {
    const { world, nodes } = three()
    const [a, b] = nodes
    write(openNative(b, notes, 2), 1)
    world.advance(vectorsMs)
    const client = wanting(a, 1, 1)
    const late = new YWriter(7)
    late.put("lost", 0)
    client.update(1, 1, late.put("k", "x".repeat(limits.pendingBytesMax)))
    commit(a)
    client.update(1, 2, late.put("k", "more"))
    commit(a)
    expect(client.of("reject").map(({ code }) => code)).toEqual(["missing-predecessors"])
    expect([...placeOf(client).keys()]).toEqual([a.origin])
    // As a client does: in a new session, under the same number, less what the node has by now.
    client.send({ type: "close-document", channel: 1 })
    client.open(2, notes)
    world.settle()
    client.update(2, 2, new YWriter(8).put("k", "instead"))
    commit(a)
    expect(client.ackedAt("node")).toBe(2)
    expect([...placeOf(client).keys()]).toEqual(expect.arrayContaining([a.origin, b.origin]))
    client.update(2, 3, new YWriter(9).put("k", "next"))
    commit(a)
    expect([...placeOf(client).keys()]).toEqual([a.origin])
  })

  test("[N16] where a welcome's updates are is said once", () => {
    const { world, nodes } = three()
    const client = openNative(nodes[0], notes, 1)
    write(client, 1)
    for (let count = 0; count < 3; count++) client.wantTier("node")
    world.settle()
    expect(client.of("logged")).toHaveLength(1)
  })

  test("[N15] [F6] a client of version 1 is told nothing of it, and may ask for nothing", () => {
    const { world, nodes } = three()
    const old = new NativeClient(nodes[0])
    const versions = { min: 1, max: 1 }
    const hello = { type: "hello", versions, client: clientNumbered(1), firstPending: 1 } as const
    old.sendFrame(encodeHello({ ...hello, token: "" }))
    world.settle()
    old.open(1, notes)
    world.settle()
    write(old, 1)
    world.advance(vectorsMs)
    expect(old.of("welcome").map(({ version }) => version)).toEqual([1])
    expect(old.of("ack").map(({ tier }) => tier)).toEqual(["node"])
    expect([...old.of("logged"), ...old.of("tier-status")]).toEqual([])
    old.wantTier("quorum")
    world.settle()
    expect(old.closed?.reason).toBe("malformed")
  })

  test("[T7] [N17] a client hears whom a tier waits for, and for how long", () => {
    const { world, nodes } = three()
    const [a, b, c] = nodes
    const client = wanting(a, 1, 1)
    write(client, 1)
    world.advance(vectorsMs)
    world.cut(a, c)
    world.cut(b, c)
    const before = client.of("tier-status").length
    write(client, 2)
    world.advance(60_000)
    expect(missing(client, "all")).toEqual(["c false"])
    // Said once, as nothing changed since.
    expect(client.of("tier-status").length).toBe(before + 1)
    const status = must(client.of("tier-status").at(-1))
    expect(status).toMatchObject({ tier: "all", seq: 1 })
    expect(must(status.missing[0]).forMs).toBeLessThan(10_000)
  })
})

function freshOrigin(node: TestNode): OriginId {
  // cast: an epoch of the test's own.
  return node.origin.replace(/@.*/, "@00000000000000ff") as OriginId
}
