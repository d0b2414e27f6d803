/** Who is believed to be of the cluster, and what is said before that. Rules [L1] [L8] [L12]. */
import { describe, expect, test } from "vitest"
import { limits } from "../base/index.ts"
import type { NodeEvent } from "./effect.ts"
import { secretOf } from "./link-proof.ts"
import { openNative, YWriter } from "./test/clients.ts"
import { documentNamed, must, World } from "./test/harness.ts"
import type { TestNode } from "./test/harness.ts"
import { Peer } from "./test/peer.ts"

const notes = documentNamed("notes")
const secret = secretOf("the cluster's secret")

/** A node with a secret and something to hide. */
function guarded(): TestNode {
  const node = new World().node("n1", { secret: "the cluster's secret" })
  const client = openNative(node, notes, 1)
  client.update(1, 1, new YWriter(1).put("k", "v"))
  node.world.advance(100)
  return node
}

function said(peer: Peer): string[] {
  return [...peer.greeting, ...peer.got].map(({ type }) => type)
}

function failures(node: TestNode): Extract<NodeEvent, { type: "link-not-authenticated" }>[] {
  return node.eventsOf("link-not-authenticated")
}

describe("a peer that dials in", () => {
  test("[L1] [L12] is told nothing but hello before its proof, and then links", () => {
    const node = guarded()
    const peer = new Peer(node)
    node.world.settle()
    peer.hello()
    node.world.advance(1000)
    expect(said(peer)).toEqual(["hello"])
    expect(node.eventsOf("link-up")).toEqual([])
    peer.prove(secret)
    node.world.settle()
    expect(said(peer)).toEqual(["hello", "proof", "vector"])
    expect(node.eventsOf("link-up")).toEqual([])
    peer.vector()
    node.world.settle()
    expect(node.eventsOf("link-up")).toMatchObject([{ peer: "peer" }])
    expect(said(peer)).toContain("entries")
  })

  const wrong: readonly (readonly [string, string, (peer: Peer) => void])[] = [
    ["no proof", "missing", (peer) => peer.prove()],
    ["another secret", "wrong", (peer) => peer.prove(secretOf("the cluster's secre7"))],
    ["the other side's proof", "wrong", (peer) => peer.prove(secret, "acceptor")],
    ["noise", "wrong", (peer) => peer.send({ type: "proof", proof: new Uint8Array(32) })],
  ]
  test.each(wrong)("[L12] with %s is closed and told nothing: %s", (_, cause, prove) => {
    const node = guarded()
    const peer = new Peer(node)
    peer.hello()
    node.world.settle()
    prove(peer)
    peer.vector()
    node.world.settle()
    expect(said(peer)).toEqual(["hello"])
    expect(peer.closed?.reason).toBe("link-not-authenticated")
    expect(failures(node)).toMatchObject([{ peer: "peer", address: undefined, cause }])
    expect(node.eventsOf("link-up")).toEqual([])
    expect(node.core.status().members.active).toEqual(["n1"])
  })

  test("[L12] can't use a proof that was good for another greeting", () => {
    const node = guarded()
    const first = new Peer(node, "honest")
    first.hello()
    node.world.settle()
    first.prove(secret)
    const again = new Peer(node, "honest")
    again.hello()
    node.world.settle()
    // The very hello and proof of the honest one; what differs is the node's nonce.
    again.sendFrame(first.proofSent)
    node.world.settle()
    expect(again.closed?.reason).toBe("link-not-authenticated")
  })

  test("[L12] with a secret to a node that has none is closed, too", () => {
    const node = new World().node()
    const peer = new Peer(node)
    peer.hello()
    node.world.settle()
    peer.prove(secret)
    node.world.settle()
    expect(peer.closed?.reason).toBe("link-not-authenticated")
    expect(failures(node)).toMatchObject([{ cause: "unexpected" }])
  })

  test("[L1] [F4] what is out of turn closes, at every step", () => {
    const node = guarded()
    const reasonAfter = (...steps: ((peer: Peer) => void)[]) => {
      const peer = new Peer(node, `p${Math.floor(node.world.random.next() * 1e6)}`)
      node.world.settle()
      for (const step of steps) {
        step(peer)
        node.world.settle()
      }
      return peer.closed?.reason
    }
    const hello = (peer: Peer) => peer.hello()
    const prove = (peer: Peer) => peer.prove(secret)
    const vector = (peer: Peer) => peer.vector()
    const ping = (peer: Peer) => peer.send({ type: "ping" })
    expect(reasonAfter(prove)).toBe("malformed")
    expect(reasonAfter(vector)).toBe("malformed")
    expect(reasonAfter(hello, vector)).toBe("malformed")
    expect(reasonAfter(hello, ping)).toBe("malformed")
    expect(reasonAfter(hello, prove, ping)).toBe("malformed")
    expect(reasonAfter(hello, prove, prove)).toBe("malformed")
    expect(reasonAfter(hello, prove, vector, prove)).toBe("malformed")
    expect(reasonAfter(hello, prove, vector, hello)).toBe("malformed")
    expect(reasonAfter(hello, prove, vector, ping, vector)).toBeUndefined()
  })

  test("[L8] who stops within the greeting is closed", () => {
    const node = guarded()
    const mute = new Peer(node, "mute")
    mute.hello()
    const proved = new Peer(node, "proved")
    proved.hello()
    node.world.settle()
    proved.prove(secret)
    node.world.advance(limits.linkHandshakeMs + 2 * limits.sweepMs)
    expect([mute.closed?.reason, proved.closed?.reason]).toEqual(["silent", "silent"])
  })

  test("[L12] a failure is news once for each peer and cause, and counted each time", () => {
    const node = guarded()
    const attempt = (name: string, key?: Uint8Array) => {
      const peer = new Peer(node, name)
      peer.hello()
      node.world.settle()
      peer.prove(key)
      node.world.settle()
    }
    for (let count = 0; count < 5; count++) attempt("a")
    attempt("a", secretOf("another"))
    for (let count = 0; count < 1000; count++) attempt(`other${count}`)
    expect(failures(node)).toHaveLength(1006)
    expect(failures(node).filter(({ isNews, peer }) => isNews && peer === "a")).toHaveLength(2)
    expect(failures(node).filter(({ isNews }) => isNews).length).toBeLessThanOrEqual(256)
  })
})

describe("a peer that is dialled", () => {
  test("[L12] gets nowhere by saying back what it was told", () => {
    const node = guarded()
    const peer = new Peer(node, "mirror", 1, "mirror:1")
    peer.hello()
    node.world.settle()
    const proof = peer.greeting.find((message) => message.type === "proof")
    expect(proof).toBeDefined()
    if (proof === undefined) return
    peer.send(proof)
    peer.vector()
    node.world.settle()
    expect(peer.closed?.reason).toBe("link-not-authenticated")
    expect(said(peer)).toEqual(["hello", "proof"])
    expect(failures(node)).toMatchObject([{ peer: "mirror", address: "mirror:1", cause: "wrong" }])
  })

  test("[L12] proves itself last, and is linked", () => {
    const node = guarded()
    const peer = new Peer(node, "peer", 1, "peer:1")
    peer.hello()
    node.world.settle()
    expect(said(peer)).toEqual(["hello", "proof"])
    peer.prove(secret)
    peer.vector()
    node.world.settle()
    expect(node.eventsOf("link-up")).toHaveLength(1)
  })
})

describe("nodes among themselves", () => {
  test("[L12] with one secret link, and with another never, without dialling all the time", () => {
    const world = new World()
    const a = world.node("a", { peers: ["b", "c"], secret: "one and the same" })
    const b = world.node("b", { secret: "one and the same" })
    const c = world.node("c", { secret: "quite another one" })
    world.advance(60_000)
    expect(a.eventsOf("link-up")).toMatchObject([{ peer: "b" }])
    expect(b.eventsOf("link-up")).toMatchObject([{ peer: "a" }])
    expect(c.eventsOf("link-up")).toEqual([])
    const dials = a.effects.filter((effect) => effect.type === "dial" && effect.address === "c")
    expect(dials.length).toBeGreaterThan(5)
    expect(dials.length).toBeLessThanOrEqual(60_000 / limits.linkBackoffMsMax + 1)
    expect(failures(c).filter(({ isNews }) => isNews)).toHaveLength(1)
    expect(a.core.status().members).toEqual({ active: ["a", "b"], unknown: 1, quorum: 2 })
    expect(c.core.status().vector).toEqual({})
  })

  test("[L1] [L12] who is refused for who it is says so: once in events, and in its status", () => {
    const world = new World()
    const a = world.node("a", { secret: "one and the same" })
    const other = world.node("b", { peers: ["a"], secret: "quite another one" })
    const foreign = world.node("c", { peers: ["a"], cluster: "other", secret: "one and the same" })
    world.advance(60_000)
    const newsOf = (node: TestNode) => {
      return [...node.eventsOf("refused-by-peer"), ...node.eventsOf("link-refused")]
        .filter(({ isNews }) => isNews)
        .map(({ reason }) => reason)
    }
    expect(newsOf(other)).toEqual(["link-not-authenticated"])
    expect(newsOf(foreign)).toEqual(["cluster-mismatch"])
    expect(newsOf(a)).toEqual(["cluster-mismatch"])
    expect(other.core.status().peers).toMatchObject([{ refused: "link-not-authenticated" }])
    expect(foreign.core.status().peers).toMatchObject([{ refused: "cluster-mismatch" }])
    for (const { effects } of [other, foreign]) {
      const dials = effects.filter((effect) => effect.type === "dial")
      expect(dials.length).toBeLessThanOrEqual(60_000 / limits.linkBackoffMsMax + 1)
    }
  })

  test("[L12] of which one has no secret never link, and both say why", () => {
    const world = new World()
    const a = world.node("a", { peers: ["b"], secret: "one and the same" })
    const b = world.node("b", { peers: ["a"] })
    world.advance(30_000)
    for (const node of [a, b]) expect(node.eventsOf("link-up")).toEqual([])
    expect(new Set(failures(a).map(({ cause }) => cause))).toEqual(new Set(["missing"]))
    expect(new Set(failures(b).map(({ cause }) => cause))).toEqual(new Set(["unexpected"]))
    expect(must(failures(a)[0]).isNews).toBe(true)
  })
})
