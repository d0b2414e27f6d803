/** Tokens: who is let in, for how long, and how a session gets another one. [N22] [N23] [Y9] */
import { describe, expect, test } from "vitest"
import { limits } from "../base/index.ts"
import { encodeHello, nativeVersions } from "../protocol/index.ts"
import type { TokenCheck } from "./admission.ts"
import type { Effect } from "./effect.ts"
import { clientNumbered, commit, logged, NativeClient, StockClient } from "./test/clients.ts"
import { YWriter } from "./test/clients.ts"
import { documentNamed, must, World } from "./test/harness.ts"
import type { TestNode } from "./test/harness.ts"

const notes = documentNamed("notes")
const hourMs = 3_600_000
const refused = { type: "refused", reason: "no" } as const
const failed = { type: "failed", message: "nobody can say" } as const

function valid(user = "ada", forMs = hourMs) {
  return { type: "valid", user, forMs } as const
}

type Asked = Extract<Effect, { readonly type: "check-token" }>

/** Tokens that wait for an answer. */
function asked(node: TestNode): Asked[] {
  return node.effects.filter((effect): effect is Asked => effect.type === "check-token")
}

/** Answers the check that has waited longest. */
function answer(node: TestNode, check: TokenCheck): void {
  const next = must(asked(node)[0])
  node.effects = node.effects.filter((effect) => effect !== next)
  node.input({ type: "token-checked", connection: next.connection, check })
}

function checking(): { readonly world: World; readonly node: TestNode } {
  const world = new World()
  return { world, node: world.node("n1", { checksTokens: true }) }
}

function admitted(node: TestNode, forMs = hourMs, client = 1): NativeClient {
  const native = new NativeClient(node)
  native.hello(client, 1, "first")
  node.world.settle()
  answer(node, valid("ada", forMs))
  node.world.settle()
  native.open(1, notes)
  node.world.settle()
  return native
}

/** Time passes, and the client is heard all the while. */
function stay(node: TestNode, client: NativeClient, ms: number): void {
  for (let passed = 0; passed < ms; passed += limits.clientHeartbeatMs) {
    client.send({ type: "ping" })
    node.world.advance(Math.min(limits.clientHeartbeatMs, ms - passed))
  }
}

describe("a hello's token", () => {
  test("[N22] nothing is answered before it is checked", () => {
    const { world, node } = checking()
    const client = new NativeClient(node)
    client.hello(1, 1, "a token")
    world.settle()
    expect(asked(node)).toEqual([{ type: "check-token", connection: client.id, token: "a token" }])
    client.send({ type: "ping" })
    world.settle()
    expect(client.got).toEqual([])
    answer(node, valid())
    world.settle()
    expect(client.types).toEqual(["welcome", "freshness", "token-valid"])
    expect(client.of("token-valid")[0]?.forMs).toBe(hourMs)
  })

  test.each([
    ["refused", refused, "not-authenticated"],
    ["not known", failed, "token-unchecked"],
  ] as const)("[N22] one that is %s closes", (_, check, reason) => {
    const { world, node } = checking()
    const client = new NativeClient(node)
    client.hello(1)
    world.settle()
    answer(node, check)
    world.settle()
    expect(client.got).toEqual([])
    expect(client.closed?.reason).toBe(reason)
  })

  test("[N22] who is not let in replaces nobody", () => {
    const { world, node } = checking()
    const client = admitted(node)
    const thief = new NativeClient(node)
    thief.hello(1, 1, "stolen id")
    world.settle()
    answer(node, refused)
    world.settle()
    expect([client.closed, thief.closed?.reason]).toEqual([undefined, "not-authenticated"])
    const again = new NativeClient(node)
    again.hello(1)
    world.settle()
    answer(node, valid())
    world.settle()
    expect([client.closed?.reason, again.types[0]]).toEqual(["replaced", "welcome"])
  })

  test("[N22] an open before the answer closes, and the answer comes to nobody", () => {
    const { world, node } = checking()
    const client = new NativeClient(node)
    client.hello(1)
    client.open(1, notes)
    world.settle()
    expect(client.closed?.reason).toBe("hello-expected")
    answer(node, valid())
    world.settle()
    expect(client.got).toEqual([])
  })

  test("[N22] one that nobody checks in time closes", () => {
    const { world, node } = checking()
    const client = new NativeClient(node)
    client.hello(1)
    world.advance(limits.helloMs + limits.sweepMs * 2)
    expect(client.closed?.reason).toBe("silent")
  })

  test("[N22] where none are checked, none is looked at, first or later", () => {
    const world = new World()
    const node = world.node()
    const client = new NativeClient(node)
    client.hello(1, 1, "a token")
    world.settle()
    client.send({ type: "token", token: "another" })
    world.settle()
    expect(asked(node)).toEqual([])
    expect(client.types).toEqual(["welcome", "freshness"])
    world.nowMs += 2 * limits.tokenMsMax
    client.send({ type: "ping" })
    world.settle()
    expect(client.closed).toBeUndefined()
  })
})

describe("the end of a token", () => {
  test("[N23] the session ends with it", () => {
    const { node } = checking()
    const client = admitted(node, 60_000)
    stay(node, client, 59_000)
    expect(client.closed).toBeUndefined()
    node.world.advance(1000 + limits.sweepMs)
    expect(client.closed?.reason).toBe("token-expired")
  })

  test("[N23] what is sent after it is not logged, though no sweep has looked", () => {
    const { node } = checking()
    const client = admitted(node, 1000)
    const doc = new YWriter(1)
    client.update(1, 1, doc.put("a", 1))
    commit(node)
    node.world.nowMs += 1000
    client.update(1, 2, doc.put("b", 2))
    commit(node)
    expect(logged(node, 1)).toEqual([1])
    expect(client.closed?.reason).toBe("token-expired")
  })

  test("[N23] none is good for more than a day", () => {
    const { node } = checking()
    const client = admitted(node, Infinity)
    expect(client.of("token-valid")[0]?.forMs).toBe(limits.tokenMsMax)
  })
})

describe("another token on the same connection", () => {
  function show(node: TestNode, client: NativeClient, token = "next"): void {
    client.send({ type: "token", token })
    node.world.settle()
  }

  test("[N23] the session goes on with it", () => {
    const { node } = checking()
    const client = admitted(node, 60_000)
    stay(node, client, 50_000)
    show(node, client)
    answer(node, valid("ada", 120_000))
    node.world.settle()
    expect(client.of("token-valid").map(({ forMs }) => forMs)).toEqual([60_000, 120_000])
    stay(node, client, 115_000)
    client.update(1, 1, new YWriter(1).put("a", 1))
    commit(node)
    expect([client.acked, client.closed]).toEqual([1, undefined])
    node.world.advance(5000 + limits.sweepMs)
    expect(client.closed?.reason).toBe("token-expired")
  })

  test("[N23] one that is refused closes; one that can't be checked changes nothing", () => {
    const { node } = checking()
    const client = admitted(node)
    show(node, client)
    answer(node, failed)
    node.world.settle()
    expect(client.closed).toBeUndefined()
    expect(client.of("token-valid")).toHaveLength(1)
    show(node, client)
    answer(node, refused)
    node.world.settle()
    expect(client.closed?.reason).toBe("not-authenticated")
  })

  test("[N23] one of another user closes: what the session may is the first one's", () => {
    const { node } = checking()
    const client = admitted(node)
    show(node, client)
    answer(node, valid("eve"))
    node.world.settle()
    expect(client.closed?.reason).toBe("not-authenticated")
    expect(client.of("token-valid")).toHaveLength(1)
  })

  test("[N23] one is checked at a time, then the last that came", () => {
    const { node } = checking()
    const client = admitted(node)
    for (const token of ["a", "b", "c"]) show(node, client, token)
    expect(asked(node).map(({ token }) => token)).toEqual(["a"])
    answer(node, refused)
    node.world.settle()
    expect(client.closed).toBeUndefined()
    expect(asked(node).map(({ token }) => token)).toEqual(["c"])
    answer(node, valid("ada", 5000))
    node.world.settle()
    expect(client.of("token-valid").at(-1)?.forMs).toBe(5000)
    expect(asked(node)).toEqual([])
  })

  test("[N23] a client of version 4 is told of none, and may send none", () => {
    const { world, node } = checking()
    const client = new NativeClient(node)
    const hello = { type: "hello", versions: { min: 1, max: 4 }, firstPending: 1 } as const
    client.sendFrame(encodeHello({ ...hello, client: clientNumbered(1), token: "first" }))
    world.settle()
    answer(node, valid())
    world.settle()
    expect(client.types).toEqual(["welcome", "freshness"])
    show(node, client)
    expect(client.closed?.reason).toBe("malformed")
    expect(nativeVersions.max).toBeGreaterThan(4)
  })
})

describe("stock clients", () => {
  test("[Y9] are let in on what was found out as they connected, until that is over", () => {
    const { world, node } = checking()
    const client = new StockClient(node, "notes", valid("ada", 60_000))
    client.step1()
    world.advance(59_000)
    expect(client.of("step2")).toHaveLength(1)
    expect(client.closed).toBeUndefined()
    world.advance(1000 + limits.sweepMs)
    expect(client.closed?.reason).toBe("token-expired")
  })

  test("[Y9] what one sends after that is not logged", () => {
    const { world, node } = checking()
    const client = new StockClient(node, "notes", valid("ada", 1000))
    client.step1()
    world.settle()
    world.nowMs += 1000
    client.update(new YWriter(1).put("a", 1))
    commit(node)
    expect(node.store.log.heads()[0]?.[1].seq ?? 0).toBe(0)
    expect(client.closed?.reason).toBe("token-expired")
  })

  test.each([
    ["refused", refused, "not-authenticated"],
    ["not known", failed, "token-unchecked"],
    ["not checked", undefined, "not-authenticated"],
  ] as const)("[Y9] one whose token is %s is closed", (_, check, reason) => {
    const { world, node } = checking()
    const client = new StockClient(node, "notes", check)
    client.step1()
    world.settle()
    expect(client.got).toEqual([])
    expect(client.closed?.reason).toBe(reason)
  })
})
