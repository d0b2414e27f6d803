/** The SDK's connections and documents: rules [N1]–[N4], [N10]–[N13]. */
import { describe, expect, test } from "vitest"
import * as Y from "yjs"
import { limits, parseOriginId } from "../base/index.ts"
import { encodeHello, encodeOpen, nativeVersions, pingFrame } from "../protocol/index.ts"
import {
  clientNumbered,
  commit,
  jsonAfter,
  logged,
  NativeClient,
  openNative,
  vectorOf,
  YWriter,
} from "./test/clients.ts"
import { documentNamed, must, World } from "./test/harness.ts"

const notes = documentNamed("notes")
const plans = documentNamed("plans")

describe("the greeting", () => {
  test("[N1] the first message is a hello, in time, and there is no second", () => {
    const world = new World()
    const node = world.node()
    const [hasty, late, twice] = [1, 2, 3].map(() => new NativeClient(node))
    const [pinging] = [new NativeClient(node)]
    const resume = { type: "nothing" } as const
    const open = { type: "open", channel: 1, document: notes, generation: 0, resume } as const
    hasty?.sendFrame(encodeOpen(open))
    pinging?.sendFrame(pingFrame)
    twice?.hello(3)
    world.settle()
    twice?.hello(3)
    world.settle()
    expect([hasty?.closed?.reason, pinging?.closed?.reason]).toEqual([
      "hello-expected",
      "hello-expected",
    ])
    expect(twice?.closed?.reason).toBe("malformed")
    world.advance(limits.helloMs - limits.sweepMs)
    expect(late?.closed).toBeUndefined()
    world.advance(limits.sweepMs * 2)
    expect(late?.closed?.reason).toBe("silent")
  })

  test("[F6] the highest version that both speak; none closes", () => {
    const node = new World().node()
    const client = new NativeClient(node)
    const hello = { type: "hello", client: clientNumbered(1), firstPending: 1, token: "" } as const
    client.sendFrame(encodeHello({ ...hello, versions: { min: 1, max: 9 } }))
    const newer = new NativeClient(node)
    newer.sendFrame(encodeHello({ ...hello, versions: { min: 8, max: 9 } }))
    node.world.settle()
    expect(client.of("welcome").map(({ version }) => version)).toEqual([nativeVersions.max])
    expect(newer.closed?.reason).toBe("version-mismatch")
    // A client that can't talk to us replaces nobody.
    expect(client.closed).toBeUndefined()
  })

  test("[N2] welcome counts what was on its way to the log when the hello came", () => {
    const world = new World()
    const node = world.node()
    const doc = new YWriter(1)
    const first = openNative(node, notes, 1)
    node.store.held = true
    first.update(1, 1, doc.put("a", 1))
    world.settle()
    first.update(1, 2, doc.put("b", 2))
    world.settle()
    expect(node.store.waiting).toEqual(["append"])
    const second = new NativeClient(node)
    second.hello(1)
    world.settle()
    expect(first.closed?.reason).toBe("replaced")
    expect(second.got).toEqual([])
    node.store.held = false
    commit(node)
    expect(second.of("welcome").map(({ loggedSeq }) => loggedSeq)).toEqual([2])
    // Sent again, because the acks were lost with the first connection.
    second.open(1, notes)
    second.update(1, 1, doc.put("x", 1), doc.put("y", 1))
    world.settle()
    commit(node)
    expect(second.of("ack").map(({ seq }) => seq)).toEqual([2])
    expect(logged(node, 1)).toEqual([1, 2])
  })

  test("[N2] [D4] what failed while the client reconnected is not counted as logged", () => {
    const world = new World()
    const node = world.node()
    const first = openNative(node, notes, 1)
    node.store.held = true
    node.store.appendFailure = "store-failed"
    first.update(1, 1, new YWriter(1).put("a", 1))
    world.settle()
    const second = new NativeClient(node)
    second.hello(1)
    node.store.held = false
    world.settle()
    expect(second.of("welcome").map(({ loggedSeq }) => loggedSeq)).toEqual([0])
  })

  test("[N2] a client id replaces only its own older connection, greeted or not", () => {
    const node = new World().node()
    const [first, other, second] = [1, 2, 1].map((id) => {
      const client = new NativeClient(node)
      client.hello(id)
      return client
    })
    node.world.settle()
    expect([first, other, second].map((client) => client?.closed?.reason)).toEqual([
      "replaced",
      undefined,
      undefined,
    ])
    second?.close()
    node.world.settle()
    const third = new NativeClient(node)
    third.hello(1)
    node.world.settle()
    expect(third.types).toContain("welcome")
  })

  test("[N2] while the log can't be read nobody is welcomed", () => {
    const node = new World().node()
    node.store.readFailure = "store-failed"
    const client = new NativeClient(node)
    client.hello(1)
    node.world.settle()
    expect(client.closed?.reason).toBe("read-failed")
  })

  test("[N11] pings are answered, silence closes", () => {
    const world = new World()
    const node = world.node()
    const [chatty, silent] = [openNative(node, notes, 1), openNative(node, notes, 2)]
    for (let waited = 0; waited < limits.clientSilentMs * 2; waited += limits.clientHeartbeatMs) {
      chatty.send({ type: "ping" })
      world.advance(limits.clientHeartbeatMs)
    }
    expect(chatty.of("pong")).toHaveLength(8)
    expect(chatty.closed).toBeUndefined()
    expect(silent.closed?.reason).toBe("silent")
  })

  test("[N12] freshness comes after welcome, and whenever it changes", () => {
    const world = new World()
    const [node, peer] = [world.node("n1", { peers: ["n2"] }), world.node("n2")]
    world.advance(limits.sweepMs)
    const client = openNative(node, notes, 1)
    expect(client.types.slice(0, 2)).toEqual(["welcome", "freshness"])
    expect(client.of("freshness")[0]?.peers).toEqual([{ node: "n2", linked: true, behind: 0 }])
    world.cut(node, peer)
    world.advance(limits.sweepMs)
    expect(client.of("freshness").at(-1)?.peers).toEqual([{ node: "n2", linked: false, behind: 0 }])
    const said = client.of("freshness").length
    client.send({ type: "ping" })
    world.advance(limits.sweepMs * 2)
    expect(client.of("freshness")).toHaveLength(said)
  })

  test("[N12] who comes is told how it is now, and of peers that were never reached", () => {
    const world = new World()
    const [node, peer] = [world.node("n1", { peers: ["n2"] }), world.node("n2")]
    world.cut(node, peer)
    world.advance(limits.sweepMs)
    const lonely = openNative(node, notes, 1)
    const unlinked = [{ node: "n2", linked: false, behind: 0 }]
    expect(lonely.of("freshness")[0]?.peers).toEqual(unlinked)
  })
})

describe("documents", () => {
  const filled = (options: Parameters<World["node"]>[1] = {}) => {
    const world = new World()
    const node = world.node("n1", options)
    const doc = new YWriter(7)
    const writer = openNative(node, notes, 9)
    writer.update(1, 1, doc.put("a", 1))
    commit(node)
    const half = Y.encodeStateVector(doc.doc)
    writer.update(1, 2, doc.put("b", 2))
    commit(node)
    return { world, node, doc, writer, half }
  }

  test("[N3] [N4] nothing, a summary and a vector each get what they lack", () => {
    const { node, half } = filled()
    const vector = vectorOf([[node.origin, 1]])
    const resumes = [
      { type: "nothing" },
      { type: "summary", summary: half },
      { type: "vector", vector },
    ] as const
    const got = resumes.map((resume, index) => {
      const client = openNative(node, notes, index + 1, resume)
      expect(client.types.filter((type) => type !== "freshness")).toEqual([
        "welcome",
        "generation",
        "opened",
        "updates",
      ])
      const [updates] = client.of("updates")
      expect(updates?.complete).toBe(true)
      expect(updates?.resume.entries()).toEqual([[node.origin, 2]])
      return must(updates).updates
    })
    expect(jsonAfter(must(got[0]))).toEqual({ a: 1, b: 2 })
    for (const updates of got.slice(1)) {
      const { structs } = Y.decodeUpdate(Y.mergeUpdates([...updates]))
      expect(structs.map(({ id }) => id.clock)).toEqual([1])
    }
  })

  test("[N4] opened says what the node holds", () => {
    const { node, doc } = filled()
    const client = openNative(node, notes, 1)
    expect(client.of("opened")[0]?.summary).toEqual(Y.encodeStateVector(doc.doc))
  })

  test("[N4] nothing is sent live before complete, and nothing is missed", () => {
    const { world, node, writer, doc } = filled()
    node.jobsHeld = true
    const client = openNative(node, notes, 1)
    writer.update(1, 3, doc.put("c", 3))
    commit(node)
    expect(client.of("updates")).toEqual([])
    node.jobsHeld = false
    world.settle()
    const updates = client.of("updates")
    expect(updates.map(({ complete }) => complete)).toEqual([true])
    expect(jsonAfter(updates.flatMap((frame) => frame.updates))).toEqual({ a: 1, b: 2, c: 3 })
    expect(updates[0]?.resume.get(node.origin)).toBe(3)
  })

  test("[N4] a large catch-up comes in frames, only the last with a resume point", () => {
    const { node, writer, doc } = filled({ compaction: { tailBytesMax: Infinity } })
    for (let seq = 3; seq < 9; seq++) {
      writer.update(1, seq, doc.put(`big${seq}`, "x".repeat(400_000)))
      commit(node)
    }
    const vector = vectorOf()
    const client = openNative(node, notes, 1, { type: "vector", vector })
    const frames = client.of("updates")
    expect(frames.length).toBeGreaterThan(2)
    expect(frames.map(({ complete, resume }) => [complete, resume.size])).toEqual(
      frames.map((_, index) => (index === frames.length - 1 ? [true, 1] : [false, 0])),
    )
    expect(jsonAfter(frames.flatMap(({ updates }) => updates))).toEqual(
      doc.doc.getMap("map").toJSON(),
    )
  })

  test("[N3] a channel or document that is open already closes, so does a bad summary", () => {
    const { world, node } = filled()
    const [twice, same, bad] = [1, 2, 3].map((client) => openNative(node, notes, client))
    twice?.open(1, plans)
    same?.open(2, notes)
    bad?.open(2, plans, { type: "summary", summary: Uint8Array.of(5) })
    world.settle()
    const reasons = [twice, same, bad].map((client) => client?.closed?.reason)
    expect(reasons).toEqual(["malformed", "malformed", "malformed"])
  })

  test("[N10] close-document ends what is sent, the connection goes on", () => {
    const { node, writer, doc } = filled()
    const client = openNative(node, notes, 1)
    client.send({ type: "close-document", channel: 1 })
    client.send({ type: "close-document", channel: 77 })
    node.world.settle()
    const before = client.got.length
    writer.update(1, 3, doc.put("c", 3))
    commit(node)
    expect(client.got.length).toBe(before)
    client.open(2, notes)
    node.world.settle()
    expect(client.of("updates").at(-1)?.complete).toBe(true)
  })

  test("[N10] a document that can't be read is closed with a code, the others go on", () => {
    const world = new World()
    const node = world.node()
    const client = openNative(node, plans, 1)
    for (const [channel, failure] of [
      [2, "store-failed"],
      [3, "document-too-large"],
      [4, "store-failed"],
    ] as const) {
      node.store.readFailure = failure
      const vector = vectorOf()
      client.open(channel, documentNamed(`bad${channel}`))
      client.open(channel + 10, documentNamed(`bad${channel + 10}`), { type: "vector", vector })
      world.settle()
    }
    node.store.readFailure = undefined
    expect(client.of("document-closed").map(({ channel, code }) => [channel, code])).toEqual([
      [2, "read-failed"],
      [12, "read-failed"],
      [3, "document-too-large"],
      [13, "read-failed"],
      [4, "read-failed"],
      [14, "read-failed"],
    ])
    client.update(1, 1, new YWriter(1).put("k", 1))
    commit(node)
    expect(client.acked).toBe(1)
  })

  test("[N10] more documents than a connection may have are closed as too-many", () => {
    const node = new World().node()
    const client = openNative(node, notes, 1)
    for (let channel = 2; channel <= limits.channelsPerConnectionMax + 2; channel++) {
      client.open(channel, documentNamed(`d${channel}`))
    }
    node.world.settle()
    expect(client.of("document-closed").map(({ channel, code }) => [channel, code])).toEqual([
      [limits.channelsPerConnectionMax + 1, "too-many"],
      [limits.channelsPerConnectionMax + 2, "too-many"],
    ])
  })
})

test("[N4] a node that lacks what the client's vector says tells it what it has", () => {
  const world = new World()
  const node = world.node()
  const writer = openNative(node, notes, 1)
  writer.update(1, 1, new YWriter(7).put("kept", "here"))
  commit(node)

  const ahead = vectorOf([[must(parseOriginId("other@00000000000000aa")), 3]])
  const mover = new NativeClient(node)
  mover.hello(2)
  world.settle()
  mover.open(1, notes, { type: "vector", vector: ahead })
  world.settle()
  const opened = must(mover.got.find((message) => message.type === "opened"))
  expect(opened.type === "opened" && opened.summary.length).toBeGreaterThan(1)
  expect(mover.got.some((message) => message.type === "updates" && message.complete)).toBe(true)
})
