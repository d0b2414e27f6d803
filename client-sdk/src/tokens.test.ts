/** Tokens, with real nodes: renewed on the same connection, refused, and asked for again. */
import { describe, expect, test } from "vitest"
import { jwtAuthenticate } from "@causeway/server"
import type { Authenticate } from "@causeway/server"
import { memoryStorage } from "./index.ts"
import { sharedTabs } from "./tabs/index.ts"
import { connect, startNode, textOf, type, until, untilText } from "./test/world.ts"

/** Tokens are `USER END`; what is over or of nobody is refused. */
const authenticate: Authenticate = (token) => {
  const [user = "", end] = token.split(" ")
  const expiresAtMs = Number(end)
  if (user === "" || !(expiresAtMs > Date.now())) return { refused: "it is over" }
  return { user, expiresAtMs }
}

function tokenOf(user: string, forMs: number): string {
  return `${user} ${Date.now() + forMs}`
}

/** A node that takes every token, and what it was shown. */
async function recording() {
  const shown: string[] = []
  const record = (token: string) => {
    shown.push(token)
    return { user: "ann" }
  }
  return { shown, ...(await startNode({ authenticate: record })) }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe("a token that ends", () => {
  test("[N23] is followed by another on the same connection, uninterrupted", async () => {
    const { sync } = await startNode({ authenticate })
    let asked = 0
    const client = connect(sync, {
      token: () => {
        asked += 1
        return tokenOf("ann", 1500)
      },
    })
    const states: string[] = []
    await until(client.connection, ({ state }) => state === "connected")
    client.connection.subscribe(({ state }) => states.push(state))
    const { current: before } = client.connection
    const note = client.yjs("note")
    const ben = connect(sync, { token: () => tokenOf("ben", 60_000) }).yjs("note")
    for (let round = 0; round < 9; round++) {
      type(note, String(round))
      await note.saved("node")
      await pause(500)
    }
    await untilText(ben, "012345678")
    expect(asked).toBeGreaterThanOrEqual(3)
    expect(states.filter((state) => state !== "connected")).toEqual([])
    expect(client.connection.current).toMatchObject({ ...before, peers: expect.anything() })
  })

  test("[N23] without another in time the session ends; one is asked for again", async () => {
    const { sync } = await startNode({ authenticate })
    let signedIn = true
    const client = connect(sync, {
      token: () => {
        if (!signedIn) throw new Error("sign in first")
        return tokenOf("ann", 1500)
      },
    })
    await until(client.connection, ({ state }) => state === "connected")
    signedIn = false
    const status = await until(client.connection, ({ state }) => state === "needs-token")
    expect(status).toMatchObject({ why: { reason: "Error: sign in first" } })
    const note = client.yjs("note")
    await note.loaded
    type(note, "typed meanwhile")
    signedIn = true
    client.refreshToken()
    await note.saved("node")
    expect(client.connection.current.state).toBe("connected")
  })
})

describe("a `token` that gives no text", () => {
  test.each([
    ["nothing", undefined, "undefined"],
    ["an answer that was not read", { token: "t" }, "object"],
    ["bytes", new Uint8Array(3), "object"],
    ["a list", ["t"], "object"],
  ])("%s is told to the app, and asked for again", async (_, value, kind) => {
    const { sync } = await startNode({ authenticate })
    const given: unknown[] = [value]
    // cast: as JavaScript would.
    const token = () => (given.length > 0 ? given.shift() : tokenOf("ann", 60_000)) as string
    const client = connect(sync, { token })
    const status = await until(client.connection, ({ state }) => state === "needs-token")
    expect(status).toMatchObject({ why: { reason: `TypeError: token gave no text, but ${kind}` } })
    await until(client.connection, ({ state }) => state === "connected")
  })
})

describe("a token that is not taken", () => {
  test("[N22] is `needs-token`, and the next is tried", async () => {
    const { sync } = await startNode({ authenticate })
    const tokens = ["x", "y"]
    const client = connect(sync, { token: () => tokens.shift() ?? tokenOf("ann", 60_000) })
    const status = await until(client.connection, ({ state }) => state === "needs-token")
    expect(status).toMatchObject({ why: { code: 4401, reason: "not-authenticated" } })
    await until(client.connection, ({ state }) => state === "connected")
  })

  test("[N22] ends it for good for a client that has none to ask for", async () => {
    const { sync } = await startNode({ authenticate })
    const client = connect(sync)
    const status = await until(client.connection, ({ state }) => state === "closed")
    expect(status).toMatchObject({ why: { code: 4401 } })
  })
})

describe("refreshToken", () => {
  test("[N23] shows another on the same connection; another user connects anew", async () => {
    const shown: string[] = []
    const { sync } = await startNode({
      authenticate: (token, signal) => {
        shown.push(token.split(" ")[0] ?? "")
        return authenticate(token, signal)
      },
    })
    let user = "ann"
    const client = connect(sync, { token: () => tokenOf(user, 60_000) })
    const first = await until(client.connection, ({ state }) => state === "connected")
    client.refreshToken()
    await expect.poll(() => shown).toEqual(["ann", "ann"])
    expect(client.connection.current).toMatchObject({ state: "connected" })
    user = "ben"
    client.refreshToken()
    const next = await until(client.connection, (status) => {
      return status.state === "connected" && status !== first && shown.length >= 4
    })
    expect(shown).toEqual(["ann", "ann", "ben", "ben"])
    if (first.state !== "connected" || next.state !== "connected") throw new Error("not connected")
    expect(next.session).not.toBe(first.session)
  })

  test("[N23] tokens that come late, behind others, are not shown", async () => {
    const { sync, shown } = await recording()
    const answers: ((token: string) => void)[] = []
    const client = connect(sync, { token: () => new Promise((resolve) => answers.push(resolve)) })
    await expect.poll(() => answers.length).toBe(1)
    answers[0]?.("first")
    await until(client.connection, ({ state }) => state === "connected")
    client.refreshToken()
    client.refreshToken()
    await expect.poll(() => answers.length).toBe(3)
    answers[2]?.("third")
    await expect.poll(() => shown).toEqual(["first", "third"])
    answers[1]?.("second")
    client.refreshToken()
    await expect.poll(() => answers.length).toBe(4)
    answers[3]?.("fourth")
    await expect.poll(() => shown).toEqual(["first", "third", "fourth"])
  })

  test("[N22] a node that takes none stands in the way of no other", async () => {
    const [wrong, right] = [
      await startNode({ authenticate: () => ({ refused: "a secret of its own" }) }),
      await startNode({ authenticate }),
    ]
    const client = connect(wrong.sync, {
      urls: [wrong.sync, right.sync],
      token: () => tokenOf("ann", 60_000),
    })
    const status = await until(client.connection, ({ state }) => state === "connected")
    expect(status).toMatchObject({ url: right.sync })
  })

  test("[N23] [H6] asked of any tab, it is done by the one that leads", async () => {
    const { sync, shown } = await recording()
    const tabs = sharedTabs(`tokens ${process.pid}`)
    const open = (name: string) => {
      return connect(sync, { storage: memoryStorage(), tabs, token: () => name })
    }
    const leader = open("first tab")
    const note = leader.yjs("note")
    await note.loaded
    const follower = open("second tab")
    const other = follower.yjs("note")
    await other.loaded
    await until(follower.connection, ({ state }) => state === "connected")
    follower.refreshToken()
    await expect.poll(() => shown).toEqual(["first tab", "first tab"])
    type(other, "goes on")
    await untilText(note, "goes on")
    expect(textOf(note)).toBe("goes on")
  })
})

test("a node takes JWTs by a shared secret, and nothing else", async () => {
  const secret = new TextEncoder().encode("thirty-two bytes of secret, or more than that")
  const { sync } = await startNode({ authenticate: jwtAuthenticate(secret) })
  const client = connect(sync, { token: () => "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ." })
  const status = await until(client.connection, ({ state }) => state === "needs-token")
  expect(status).toMatchObject({ why: { code: 4401 } })
})
