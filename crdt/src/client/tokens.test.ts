/** Another token on the connection that there is, and tokens that nodes don't take. [N22] [N23] */
import { describe, expect, test } from "vitest"
import { limits } from "../base/index.ts"
import { closeCodes } from "../protocol/index.ts"
import { clientLimits } from "./client-limits.ts"
import type { ClientEffect } from "./effect.ts"
import { Harness, only, sentOf, welcomeOf } from "./test/harness.ts"

const hourMs = 3_600_000
const refusal = closeCodes["not-authenticated"].code
const urls = ["ws://one/sync", "ws://two/sync"]

/** Connected with a token that is good for so long. */
function connected(forMs = hourMs, options: ConstructorParameters<typeof Harness>[0] = {}) {
  const harness = new Harness({ authenticated: true, ...options })
  harness.input({ type: "go-online" })
  harness.input({ type: "token", token: "first" })
  harness.connect({ version: 5 })
  harness.node({ type: "token-valid", forMs })
  harness.effects = harness.effects.filter(({ type }) => type === "connect")
  return harness
}

function asked(effects: readonly ClientEffect[]): number {
  return only(effects, "fetch-token").length
}

function shown(effects: readonly ClientEffect[]): string[] {
  return sentOf(effects).flatMap((message) => (message.type === "token" ? [message.token] : []))
}

function dueOf(harness: Harness): number {
  const before = asked(harness.effects)
  let waitedMs = 0
  for (; asked(harness.effects) === before && waitedMs < hourMs; waitedMs += 1000)
    harness.live(1000)
  return waitedMs
}

describe("renewal", () => {
  test("[N23] another one is fetched before the first is over, and sent on the same socket", () => {
    const harness = connected(hourMs, { chance: 1 })
    harness.live(hourMs - clientLimits.tokenAheadMsMax - 1000)
    expect(asked(harness.effects)).toBe(0)
    harness.live(1000)
    expect(asked(harness.effects)).toBe(1)
    expect(shown(harness.input({ type: "token", token: "second" }))).toEqual(["second"])
    harness.node({ type: "token-valid", forMs: hourMs })
    harness.live(hourMs - clientLimits.tokenAheadMsMax - 1000)
    expect(asked(harness.effects)).toBe(1)
    harness.live(1000)
    expect(asked(harness.effects)).toBe(2)
    expect(only(harness.effects, "connect")).toHaveLength(1)
  })

  test.each([
    [0, 1 / 8],
    [1, 1 / 4],
  ])("[N23] of a short one a part is left then, by chance (%d)", (chance, share) => {
    const harness = connected(8000, { chance })
    const dueMs = 8000 * (1 - share)
    harness.live(dueMs - 1)
    expect(asked(harness.effects)).toBe(0)
    harness.live(1)
    expect(asked(harness.effects)).toBe(1)
  })

  test("[N23] those whose tokens were made at one moment don't all come at one moment", () => {
    const dueMs = [0, 1].map((chance) => {
      return dueOf(connected(hourMs, { chance }))
    })
    expect((dueMs[0] ?? 0) - (dueMs[1] ?? 0)).toBe(clientLimits.tokenAheadMsMax / 2)
  })

  test("[N23] a node that says again and again that it is all but over is no hurry", () => {
    const harness = connected(0)
    harness.node({ type: "token-valid", forMs: 0 })
    for (let count = 0; count < 50; count++) {
      harness.advance(20)
      harness.input({ type: "token", token: "next" })
      harness.node({ type: "token-valid", forMs: 0 })
    }
    expect(asked(harness.effects)).toBe(2)
  })

  test("[N23] a node of version 4 can't say how long one is good", () => {
    const harness = new Harness({ authenticated: true })
    harness.input({ type: "go-online" })
    harness.input({ type: "token", token: "first" })
    harness.connect({ version: 4 })
    expect(only(harness.node({ type: "token-valid", forMs: 0 }), "disconnect")).toHaveLength(1)
    expect(harness.core.nextDeadline()?.atMs).toBeGreaterThan(harness.nowMs)
  })

  test.each([
    ["does not come", () => undefined],
    ["can't be had", (harness: Harness) => harness.input({ type: "token-failed", message: "no" })],
    ["is not answered", (harness: Harness) => harness.input({ type: "token", token: "next" })],
  ])("[N23] one that %s is asked for again, until the first is over", (_, answer) => {
    const harness = connected(80_000, { chance: 0 })
    harness.live(70_000)
    const due: number[] = []
    for (let at = 0; at < 20_000; at += 250) {
      if (asked(harness.live(250)) === 0) continue
      due.push(at + 250)
      answer(harness)
    }
    // The first was asked for as the last eighth began.
    expect(due).toEqual([5000, 7500, 8750, 9750])
    expect(harness.core.connection.state).toBe("connected")
  })

  test("[N23] one that nobody asked for on this connection is not sent", () => {
    const harness = connected()
    expect(shown(harness.input({ type: "token", token: "late" }))).toEqual([])
  })

  test("[N23] what was said of a token is over with its connection", () => {
    const harness = connected(8000)
    harness.close()
    harness.redial()
    harness.input({ type: "token", token: "second" })
    harness.connect({ version: 5 })
    const before = asked(harness.effects)
    harness.live(60_000)
    expect(asked(harness.effects)).toBe(before)
  })

  test("[N23] an app that has none to give shows that again", () => {
    const harness = connected(8000, { authenticated: false })
    expect(asked(harness.live(7000))).toBe(1)
    expect(shown(harness.input({ type: "token", token: "" }))).toEqual([""])
  })
})

describe("the app wants it renewed", () => {
  test("[N23] it is fetched at once and sent on the same socket", () => {
    const harness = connected()
    expect(asked(harness.input({ type: "refresh-token" }))).toBe(1)
    expect(shown(harness.input({ type: "token", token: "next" }))).toEqual(["next"])
    expect(only(harness.effects, "disconnect")).toEqual([])
  })

  test("[N23] while another is fetched, the last is shown too", () => {
    const harness = connected()
    harness.input({ type: "refresh-token" })
    harness.input({ type: "refresh-token" })
    expect(shown(harness.input({ type: "token", token: "old" }))).toEqual(["old"])
    expect(shown(harness.input({ type: "token", token: "new" }))).toEqual(["new"])
    expect(shown(harness.input({ type: "token", token: "late" }))).toEqual([])
  })

  test("[N23] while it connects, it is shown by hello or right behind welcome", () => {
    for (const isGreeting of [false, true]) {
      const harness = new Harness({ authenticated: true })
      harness.input({ type: "go-online" })
      harness.input({ type: "token", token: "guest" })
      if (isGreeting) harness.input({ type: "socket-opened", socket: harness.socket })
      expect(asked(harness.input({ type: "refresh-token" }))).toBe(1)
      harness.input({ type: "token", token: "ann" })
      if (!isGreeting) harness.input({ type: "socket-opened", socket: harness.socket })
      harness.node(welcomeOf({ version: 5 }))
      const said = sentOf(harness.effects).flatMap((m) => ("token" in m ? [m.type, m.token] : []))
      expect(said).toEqual(isGreeting ? ["hello", "guest", "token", "ann"] : ["hello", "ann"])
    }
  })

  test("[N23] a node that checks none is shown it, one of an older version is not", () => {
    const harness = new Harness({ authenticated: true })
    harness.input({ type: "go-online" })
    harness.input({ type: "token", token: "first" })
    harness.connect({ version: 4 })
    expect(asked(harness.input({ type: "refresh-token" }))).toBe(0)
  })

  test("[C4] a client that waits tries again at once; one that is offline stays so", () => {
    const harness = new Harness({ authenticated: true })
    expect(asked(harness.input({ type: "refresh-token" }))).toBe(0)
    harness.input({ type: "go-online" })
    harness.input({ type: "token-failed", message: "log in first" })
    expect(harness.core.connection.state).toBe("needs-token")
    expect(asked(harness.input({ type: "refresh-token" }))).toBe(1)
    expect(harness.core.connection.state).toBe("connecting")
    expect(asked(harness.input({ type: "refresh-token" }))).toBe(0)
  })
})

describe("a token that the node does not take", () => {
  test("[N22] another one is wanted, with back-off, and shown at the next url", () => {
    const harness = connected(hourMs, { urls })
    harness.close(refusal)
    expect(harness.core.connection).toMatchObject({
      state: "needs-token",
      why: { code: refusal },
    })
    harness.redial()
    expect(asked(harness.effects)).toBe(1)
    harness.input({ type: "token", token: "better" })
    const dialled = only(harness.effects, "connect").map(({ url }) => url)
    expect(dialled).toEqual(["ws://one/sync", "ws://two/sync"])
    harness.close(refusal)
    harness.redial()
    harness.input({ type: "token", token: "best" })
    expect(only(harness.effects, "connect").at(-1)?.url).toBe("ws://one/sync")
  })

  test("[N22] waits grow while none is taken", () => {
    const harness = connected()
    const waits: number[] = []
    for (let count = 0; count < 12; count++) {
      harness.close(refusal)
      waits.push(Math.round((harness.core.nextDeadline()?.atMs ?? 0) - harness.nowMs))
      harness.redial()
      harness.input({ type: "token", token: "bad" })
      harness.input({ type: "socket-opened", socket: harness.socket })
    }
    expect(waits[1]).toBeGreaterThan(waits[0] ?? Infinity)
    expect(waits.at(-1)).toBe(limits.clientBackoffMsMax / 2)
  })

  test("[C4] without one to ask for it is over", () => {
    const harness = new Harness()
    harness.connect()
    harness.close(refusal)
    expect(harness.core.connection).toMatchObject({ state: "closed", why: { code: refusal } })
  })

  test("[N23] when it is over, the client comes back with another one", () => {
    const harness = connected()
    harness.close(closeCodes["token-expired"].code)
    expect(harness.core.connection.state).toBe("offline")
    harness.redial()
    expect(asked(harness.effects)).toBe(1)
  })
})
