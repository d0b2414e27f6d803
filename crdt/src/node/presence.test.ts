/** Who is here, over all three protocols: rules [N9] [Y5] [Y6] [L7]. */
import { describe, expect, test } from "vitest"
import { limits } from "../base/index.ts"
import { isPresenceGone } from "../protocol/index.ts"
import type { PresenceEntry } from "../protocol/index.ts"
import { presenceBytesMax } from "./presence.ts"
import { NativeClient, openNative, openStock, presenceOf } from "./test/clients.ts"
import type { StockClient } from "./test/clients.ts"
import { documentNamed, World } from "./test/harness.ts"
import { linked } from "./test/peer.ts"

const notes = documentNamed("notes")

/** `[client, clock, is there]` of every state that was told. */
function told(client: NativeClient | StockClient): [number, number, boolean][] {
  const frames: { readonly entries: readonly PresenceEntry[] }[] =
    client instanceof NativeClient ? client.of("document-presence") : client.of("awareness")
  return frames.flatMap(({ entries }) =>
    entries.map(({ client: id, clock, state }): [number, number, boolean] => {
      return [id, clock, !isPresenceGone(state)]
    }),
  )
}

function bigState(client: number, bytes: number): PresenceEntry {
  return presenceOf(client, 1, "x".repeat(bytes - 2))
}

describe("one node", () => {
  const setup = () => {
    const world = new World()
    const node = world.node()
    const native = openNative(node, notes, 1)
    const other = openNative(node, notes, 2)
    const stock = openStock(node, "notes")
    return { world, node, native, other, stock }
  }

  test("[N9] [N13] who left while a session was sent nothing is gone there when it drains", () => {
    const { world, native, other, stock } = setup()
    native.presence(1, presenceOf(1, 1))
    world.settle()
    other.congested()
    stock.congested()
    world.settle()
    native.close()
    world.settle()
    expect(told(other)).toEqual([[1, 1, true]])
    other.drained()
    stock.drained()
    world.settle()
    expect(told(other).at(-1)).toEqual([1, 1, false])
    expect(told(stock).at(-1)).toEqual([1, 1, false])
  })

  test("[N9] [Y5] it reaches the others, and a stock client itself, but no log", () => {
    const { world, node, native, other, stock } = setup()
    native.presence(1, presenceOf(1, 1))
    stock.awareness(presenceOf(3, 1))
    world.settle()
    expect(told(native)).toEqual([[3, 1, true]])
    expect(told(other)).toEqual([
      [1, 1, true],
      [3, 1, true],
    ])
    expect(told(stock)).toEqual([
      [1, 1, true],
      [3, 1, true],
    ])
    expect(node.store.log.head(node.origin).seq).toBe(0)
    const late = openStock(node, "notes")
    expect(told(late)).toEqual([
      [1, 1, true],
      [3, 1, true],
    ])
  })

  test("[N9] a higher clock wins, an equal one only if it says null, a lower one never", () => {
    const { world, native, other } = setup()
    native.presence(1, presenceOf(1, 5))
    native.presence(1, presenceOf(1, 5, "again"))
    native.presence(1, presenceOf(1, 4, null))
    native.presence(1, presenceOf(1, 5, null))
    native.presence(1, presenceOf(1, 6))
    native.presence(1, presenceOf(9, 1, null))
    world.settle()
    expect(told(other)).toEqual([
      [1, 5, true],
      [1, 5, false],
      [1, 6, true],
    ])
  })

  test("[N9] [Y6] a connection that closes takes its states with it, and no others", () => {
    const { world, native, other, stock } = setup()
    native.presence(1, presenceOf(1, 5), presenceOf(7, 1))
    stock.awareness(presenceOf(3, 2))
    // A stock client passes on what it hears; that makes nobody else's state its own.
    stock.awareness(presenceOf(1, 5))
    world.settle()
    const before = told(other).length
    stock.close()
    world.settle()
    expect(told(other).slice(before)).toEqual([[3, 2, false]])
    native.close()
    world.settle()
    expect(told(other).slice(before + 1)).toEqual([
      [1, 5, false],
      [7, 1, false],
    ])
    expect(told(openStock(native.node, "notes"))).toEqual([])
  })

  test("[Y6] who comes back with an old clock is told that it counts as gone", () => {
    const { world, node, stock } = setup()
    stock.awareness(presenceOf(3, 9))
    world.settle()
    stock.close()
    world.settle()
    const back = openStock(node, "notes")
    back.awareness(presenceOf(3, 9))
    world.settle()
    expect(told(back)).toEqual([[3, 9, false]])
    back.awareness(presenceOf(3, 10))
    world.settle()
    expect(told(back).at(-1)).toEqual([3, 10, true])
  })

  test("[N9] a state that nobody renews is announced as gone, then forgotten", () => {
    const { world, node, native, stock } = setup()
    native.presence(1, presenceOf(1, 1))
    world.settle()
    for (let waited = 0; waited < limits.presenceTtlMs; waited += 2000) {
      native.send({ type: "ping" })
      expect(told(stock)).toHaveLength(1)
      world.advance(2000)
    }
    native.send({ type: "ping" })
    world.advance(limits.sweepMs)
    expect(told(stock)).toEqual([
      [1, 1, true],
      [1, 1, false],
    ])
    world.advance(limits.presenceTtlMs + limits.sweepMs)
    native.close()
    stock.close()
    expect(told(openStock(node, "notes"))).toEqual([])
  })

  test("[Y5] a stock client gets an empty awareness frame when nothing else came", () => {
    const { world, stock } = setup()
    const before = stock.got.length
    world.advance(limits.stockHeartbeatMs + limits.sweepMs)
    expect(stock.got.slice(before)).toEqual([{ type: "awareness", entries: [] }])
    stock.awareness(presenceOf(3, 1))
    world.advance(limits.stockHeartbeatMs - limits.sweepMs)
    expect(stock.of("awareness")).toHaveLength(2)
    world.advance(limits.sweepMs * 2)
    expect(stock.of("awareness")).toHaveLength(3)
  })

  test.each(["", "{", "undefined", "[1,]", "'a'", "nul"])(
    "[Y5] %j is no JSON: it reaches nobody, and the rest of its frame does",
    (text) => {
      const { world, node, native, stock } = setup()
      const state = new TextEncoder().encode(text)
      stock.awareness({ client: 3, clock: 1, state }, presenceOf(4, 1))
      native.presence(1, { client: 5, clock: 1, state }, presenceOf(6, 1))
      world.settle()
      expect(told(stock)).toEqual([
        [6, 1, true],
        [4, 1, true],
      ])
      expect(node.eventsOf("presence-dropped").map(({ why }) => why)).toEqual([
        "not-json",
        "not-json",
      ])
      expect([stock.closed, native.closed]).toEqual([undefined, undefined])
    },
  )

  test("[N9] past its limits presence is ignored and counted", () => {
    const { world, node, native, stock } = setup()
    native.presence(1, bigState(1, limits.presenceStateBytesMax))
    native.presence(1, bigState(2, limits.presenceStateBytesMax + 1))
    world.settle()
    expect(told(stock)).toEqual([[1, 1, true]])
    const many = Array.from({ length: 1000 }, (_, index) => presenceOf(10 + index, 1))
    native.presence(1, ...many)
    native.presence(1, ...many.map(({ client }) => presenceOf(client + 1000, 1)))
    world.settle()
    expect(told(stock)).toHaveLength(limits.presenceClientsMax)
    const why = node.eventsOf("presence-dropped").map((event) => event.why)
    expect(why).toEqual(["too-large", "too-many"])
  })

  test("[N9] a document's states, and a node's, have a weight they do not pass", () => {
    const { world, node, native, stock } = setup()
    let channel = 1
    for (let document = 0; document < 17; document++) {
      native.open(++channel, documentNamed(`p${document}`))
      const states = Array.from({ length: 265 }, (_, index) => bigState(index, 16_000))
      for (let index = 0; index < 265; index += 100) {
        native.presence(channel, ...states.slice(index, index + 100))
      }
      world.settle()
    }
    expect(node.eventsOf("presence-dropped").length).toBeGreaterThan(0)
    const full = Math.floor(presenceBytesMax.document / 16_000)
    const first = openNative(node, documentNamed("p0"), 8)
    expect(told(first)).toHaveLength(full)
    stock.awareness(presenceOf(3, 1, "x".repeat(10_000)))
    world.settle()
    expect(told(stock)).toEqual([])
    // What is gone weighs nothing.
    native.close()
    world.settle()
    stock.awareness(presenceOf(3, 2))
    world.settle()
    expect(told(stock)).toEqual([[3, 2, true]])
  })
})

describe("several nodes", () => {
  test("[L7] presence goes to linked peers and is not passed on by them", () => {
    const world = new World()
    const [a, b, c] = [
      world.node("a", { peers: ["b"] }),
      world.node("b", { peers: ["c"] }),
      world.node("c"),
    ]
    world.advance(100)
    const [atA, atB, atC] = [openStock(a, "notes"), openStock(b, "notes"), openStock(c, "notes")]
    atA.awareness(presenceOf(1, 1))
    world.settle()
    expect([told(atB), told(atC)]).toEqual([[[1, 1, true]], []])
    atA.close()
    world.settle()
    expect([told(atB).at(-1), told(atC)]).toEqual([[1, 1, false], []])
  })

  test("[L7] a new link is told who is here, in frames that a link takes", () => {
    const world = new World()
    const [a, b] = [world.node("a", { peers: ["b"] }), world.node("b")]
    const client = openNative(a, notes, 1)
    for (let index = 0; index < 1000; index += 100) {
      const states = Array.from({ length: 100 }, (_, at) => bigState(index + at, 4000))
      client.presence(1, ...states)
    }
    world.settle()
    const remote = openStock(b, "notes")
    world.advance(200)
    expect(told(remote)).toHaveLength(1000)
    const frames = linked(a, "c").of("presence")
    const sizes = frames.map(({ entries }) =>
      entries.reduce((sum, { state }) => sum + state.length, 0),
    )
    expect(Math.max(...sizes)).toBeLessThanOrEqual(256 * 1024)
    expect(frames.flatMap(({ entries }) => entries)).toHaveLength(1000)
    expect(b.eventsOf("connection-refused")).toEqual([])
  })

  test("[L7] a state that is no JSON ends neither a link nor a peer's clients", () => {
    const world = new World()
    const [a, b] = [world.node("a", { peers: ["b"] }), world.node("b")]
    world.advance(100)
    const [here, there] = [openStock(a, "notes"), openStock(b, "notes")]
    here.awareness({ client: 1, clock: 1, state: Uint8Array.of(0x7b) }, presenceOf(2, 1))
    world.settle()
    expect(told(there)).toEqual([[2, 1, true]])
  })
})
