/** Whose presence is taken away because nobody hears them, and given back: rules [N19] [L17]. */
import { describe, expect, test } from "vitest"
import { limits } from "../base/index.ts"
import { isPresenceGone } from "../protocol/index.ts"
import type { PresenceEntry } from "../protocol/index.ts"
import { clientNumbered, NativeClient, openNative, openStock, presenceOf } from "./test/clients.ts"
import { documentNamed, World } from "./test/harness.ts"
import type { TestNode } from "./test/harness.ts"

const notes = documentNamed("notes")
const { presencePingMs, presenceSilentMs } = limits

/** `[client, clock, is there]` of every state that was told. */
function told(client: NativeClient | ReturnType<typeof openStock>): [number, number, boolean][] {
  const frames: { readonly entries: readonly PresenceEntry[] }[] =
    client instanceof NativeClient ? client.of("document-presence") : client.of("awareness")
  return frames.flatMap(({ entries }) =>
    entries.map(({ client: id, clock, state }): [number, number, boolean] => {
      return [id, clock, !isPresenceGone(state)]
    }),
  )
}

/** Time passes while these say that they live, as clients that show presence do. */
function live(world: World, ms: number, ...clients: readonly NativeClient[]): void {
  for (let left = ms; left > 0; left -= presencePingMs) {
    for (const client of clients) client.send({ type: "ping" })
    world.advance(Math.min(left, presencePingMs))
  }
}

describe("sessions", () => {
  const setup = () => {
    const world = new World()
    const node = world.node()
    const [ann, ben] = [openNative(node, notes, 1), openNative(node, notes, 2)]
    ann.presence(1, presenceOf(1, 1))
    world.settle()
    return { world, node, ann, ben }
  }

  test("[N19] who is silent is shown to nobody, stays connected, and comes back", () => {
    const { world, node, ann, ben } = setup()
    const stock = openStock(node, "notes")
    live(world, presenceSilentMs - 1, ben)
    expect(told(ben)).toEqual([[1, 1, true]])
    world.advance(1)
    for (const other of [ben, stock]) expect(told(other).at(-1)).toEqual([1, 1, false])
    expect([told(ann), ann.closed]).toEqual([[], undefined])
    expect(told(openNative(node, notes, 3))).toEqual([])
    ann.send({ type: "ping" })
    world.settle()
    // It says it anew, as every client does of whose state somebody says that it is gone.
    expect(told(ann)).toEqual([[1, 1, false]])
    ann.presence(1, presenceOf(1, 2))
    world.settle()
    for (const other of [ben, stock]) expect(told(other).at(-1)).toEqual([1, 2, true])
    live(world, 3 * presenceSilentMs, ann, ben)
    expect(told(ben).at(-1)).toEqual([1, 2, true])
    expect(told(ann)).toHaveLength(1)
  })

  test("[N19] it is so in each of its documents, and whatever else it says is a word too", () => {
    const { world, node, ann, ben } = setup()
    const more = documentNamed("more")
    ann.open(2, more)
    ben.open(2, more)
    ann.presence(2, presenceOf(1, 1))
    world.settle()
    live(world, presenceSilentMs, ben)
    expect(told(ben).slice(2)).toEqual([
      [1, 1, false],
      [1, 1, false],
    ])
    ann.presence(2, presenceOf(1, 2))
    world.settle()
    expect(told(ann)).toHaveLength(2)
    expect(told(ben).at(-1)).toEqual([1, 2, true])
    ann.close()
    world.settle()
    expect(told(ben).at(-1)).toEqual([1, 2, false])
    expect(node.eventsOf("connection-refused")).toEqual([])
  })

  test("[N19] clients of version 2 and stock clients speak less often, and are not watched", () => {
    const { world, node, ben } = setup()
    const old = new NativeClient(node)
    const versions = { min: 1, max: 2 }
    const hello = { type: "hello", versions, firstPending: 1, token: "" } as const
    old.send({ ...hello, client: clientNumbered(4) })
    world.settle()
    old.open(1, notes)
    old.presence(1, presenceOf(4, 1))
    openStock(node, "notes").awareness(presenceOf(5, 1))
    world.settle()
    const before = told(ben).length
    live(world, limits.clientHeartbeatMs * 2, ben)
    expect(told(ben).slice(before)).toEqual([[1, 1, false]])
  })

  test("[N19] a node that was away itself counts nobody's silence meanwhile", () => {
    const { world, ann, ben } = setup()
    world.pass(2 * presenceSilentMs)
    world.settle()
    live(world, presenceSilentMs - 1, ben)
    expect(told(ben)).toEqual([[1, 1, true]])
    live(world, 1, ben)
    expect(told(ben).at(-1)).toEqual([1, 1, false])
    expect(ann.closed).toBe(undefined)
  })
})

describe("peers", () => {
  const setup = () => {
    const world = new World()
    const [a, b] = [world.node("a", { peers: ["b"] }), world.node("b")]
    world.advance(100)
    const here = [openNative(a, notes, 1), openNative(a, notes, 2)] as const
    const there = openNative(b, notes, 3)
    const stock = openStock(b, "notes")
    const [ann, bea] = here
    ann.presence(1, presenceOf(1, 1))
    bea.presence(1, presenceOf(2, 1))
    world.settle()
    return { world, a, b, ann, bea, there, stock }
  }
  const isLinked = (node: TestNode): boolean => node.eventsOf("link-down").length === 0

  test("[L17] a peer that is silent shows nobody; when it speaks, its clients come back", () => {
    const { world, a, b, ann, bea, there, stock } = setup()
    const [pipe] = world.linksBetween(a, b)
    world.cut(a, b, true)
    live(world, presenceSilentMs, ann, bea, there)
    const gone = [
      [1, 1, false],
      [2, 1, false],
    ]
    expect([told(there).slice(-2), told(stock).slice(-2)]).toEqual([gone, gone])
    expect(isLinked(b)).toBe(true)
    const before = [told(ann).length, told(bea).length]
    if (pipe !== undefined) pipe.isFrozen = false
    world.heal(a, b)
    live(world, limits.sweepMs, ann, bea, there)
    // Each is asked for its own state alone, and nobody sees the other leave.
    expect(told(ann).slice(before[0])).toEqual([[1, 1, false]])
    expect(told(bea).slice(before[1])).toEqual([[2, 1, false]])
    ann.presence(1, presenceOf(1, 2))
    world.settle()
    for (const other of [there, stock]) expect(told(other).at(-1)).toEqual([1, 2, true])
  })

  test("[L17] a link that is soon back hides nobody but who left meanwhile", () => {
    const { world, a, b, ann, bea, there } = setup()
    const before = told(there).length
    world.cut(a, b)
    live(world, 1000, ann, bea)
    bea.close()
    world.settle()
    world.heal(a, b)
    live(world, 4 * presenceSilentMs, ann, there)
    expect(told(there).slice(before)).toEqual([[2, 1, false]])
  })

  test("[L17] a node that comes back in a new life no longer has those who did not", () => {
    const { world, a, ann, there } = setup()
    const before = told(there).length
    a.crash()
    world.settle()
    const back = openNative(a, notes, 1)
    back.presence(1, presenceOf(1, 2))
    live(world, presenceSilentMs, back, there)
    expect(ann.closed).toBeDefined()
    expect(told(there).slice(before)).toEqual([
      [1, 2, true],
      [2, 1, false],
    ])
  })

  test("[L17] a node that is lost takes its clients with it", () => {
    const { world, a, b, ann, bea, there } = setup()
    world.cut(a, b)
    live(world, presenceSilentMs, ann, bea, there)
    expect(
      told(there)
        .slice(-2)
        .map(([client, , isThere]) => [client, isThere]),
    ).toEqual([
      [1, false],
      [2, false],
    ])
    expect(isLinked(b)).toBe(false)
  })
})
