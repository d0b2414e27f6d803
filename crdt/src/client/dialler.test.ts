/** The connection's life: urls, back-off, tokens, heartbeats, close codes, status. */
import { describe, expect, test } from "vitest"
import { limits } from "../base/index.ts"
import type { ConnectionId } from "../base/index.ts"
import { closeCodes, nativeVersions, pongFrame } from "../protocol/index.ts"
import { clientLimits } from "./client-limits.ts"
import { Harness, notes, only, openedOf, sentOf, vector, welcomeOf } from "./test/harness.ts"
import { must } from "./test/harness.ts"

const lost = { code: 1006, reason: "" }
const urls = ["ws://one/sync", "ws://two/sync"]

function waitsMs(harness: Harness): number {
  return must(harness.core.nextDeadline()).atMs - harness.nowMs
}

function dialled(harness: Harness): string[] {
  return only(harness.effects, "connect").map(({ url }) => url)
}

describe("which close codes end it", () => {
  test.each(Object.entries(closeCodes))("[C4] %s", (_, { code, retry }) => {
    const harness = new Harness()
    harness.connect()
    harness.close(code)
    expect(harness.core.connection.state).toBe(retry ? "offline" : "closed")
    if (retry) harness.redial()
    expect(harness.core.nextDeadline() !== undefined).toBe(retry)
    expect(dialled(harness)).toHaveLength(retry ? 2 : 1)
  })

  test("[C4] an app that wants to may try again after a permanent one", () => {
    const harness = new Harness()
    harness.connect()
    harness.close(closeCodes["version-mismatch"].code)
    harness.input({ type: "connect-now" })
    expect(dialled(harness)).toHaveLength(1)
    harness.input({ type: "go-online" })
    expect(dialled(harness)).toHaveLength(2)
  })
})

describe("several urls, of which one refuses for good", () => {
  const refusal = closeCodes["version-mismatch"].code

  test("[C4] the others are tried, and it is over when all have refused", () => {
    const harness = new Harness({ urls })
    harness.connect()
    harness.close(refusal)
    expect(harness.core.connection.state).toBe("offline")
    harness.redial()
    harness.close()
    harness.redial()
    expect(dialled(harness)).toEqual(["ws://one/sync", "ws://two/sync", "ws://two/sync"])
    harness.close(refusal)
    expect(harness.core.connection).toMatchObject({ state: "closed", why: { code: refusal } })
    harness.input({ type: "go-online" })
    expect(dialled(harness).at(-1)).toBe("ws://one/sync")
  })

  test("[C7] it is not looked for from another", () => {
    const harness = new Harness({ urls })
    harness.connect()
    harness.close(refusal)
    harness.redial()
    harness.connect()
    harness.live(3 * clientLimits.failBackMsMin)
    expect(harness.core.connection).toMatchObject({ state: "connected", url: "ws://two/sync" })
    expect(dialled(harness)).toHaveLength(2)
  })
})

describe("when it tries again", () => {
  test("[C4] the wait doubles to its maximum, and is drawn from all of it", () => {
    const harness = new Harness({ chance: 0.25 })
    harness.input({ type: "go-online" })
    const waits = Array.from({ length: 12 }, () => {
      harness.close()
      const waitMs = waitsMs(harness)
      harness.advance(waitMs)
      return waitMs
    })
    const { clientBackoffMsMin: min, clientBackoffMsMax: max } = limits
    expect(waits.slice(0, 3)).toEqual([min / 4, min / 2, min])
    expect(waits.at(-1)).toBe(max / 4)
  })

  test("[C4] only a connection that was stable starts the waits anew", () => {
    const harness = new Harness()
    const lived = (ms: number): number => {
      harness.connect()
      harness.live(ms)
      harness.close()
      const waitMs = waitsMs(harness)
      harness.advance(waitMs)
      return waitMs
    }
    const first = lived(1000)
    expect(lived(1000)).toBe(first * 2)
    expect(lived(clientLimits.stableMs)).toBe(first)
  })

  test("[C4] the network coming back ends the wait", () => {
    const harness = new Harness()
    harness.connect()
    harness.close()
    harness.input({ type: "connect-now" })
    expect(dialled(harness)).toHaveLength(2)
  })

  test("a node that does not answer is given up", () => {
    const harness = new Harness()
    harness.input({ type: "go-online" })
    harness.advance(limits.clientHandshakeMs - 1)
    harness.input({ type: "socket-opened", socket: harness.socket })
    harness.advance(limits.clientHandshakeMs - 1)
    expect(only(harness.effects, "disconnect")).toEqual([])
    expect(only(harness.advance(1), "disconnect")).toHaveLength(1)
  })
})

describe("urls", () => {
  test("a lost node is failed over from, and a working one kept", () => {
    const harness = new Harness({ urls })
    harness.connect()
    harness.close()
    harness.redial()
    harness.connect()
    expect(dialled(harness)).toEqual(urls)
    expect(harness.core.connection).toMatchObject({ state: "connected", url: urls[1] })
  })

  test("those that fail are tried in turns, until one works", () => {
    const harness = new Harness({ urls })
    harness.input({ type: "go-online" })
    for (let count = 0; count < 3; count++) {
      harness.close()
      harness.input({ type: "connect-now" })
    }
    expect(dialled(harness)).toEqual([...urls, ...urls])
  })
})

describe("is it alive", () => {
  test("[N11] it pings every heartbeat, and gives up after three without a word", () => {
    const harness = new Harness()
    harness.connect({ heartbeatMs: 1000 })
    harness.advance(1000)
    expect(sentOf(harness.effects).at(-1)).toEqual({ type: "ping" })
    harness.node({ type: "pong" })
    expect(only(harness.advance(2999), "disconnect")).toEqual([])
    expect(only(harness.advance(1), "disconnect")[0]).toMatchObject({
      code: closeCodes.silent.code,
    })
    expect(harness.core.connection.state).toBe("offline")
  })

  test("[N11] any frame shows that the node lives", () => {
    const harness = new Harness()
    harness.connect({ heartbeatMs: 1000 })
    for (let count = 0; count < 5; count++) {
      harness.advance(2000)
      harness.node({ type: "freshness", peers: [] })
    }
    expect(harness.core.connection.state).toBe("connected")
  })

  test("[N11] after a sleep the node has one heartbeat to answer", () => {
    const harness = new Harness()
    harness.connect({ heartbeatMs: 1000 })
    expect(sentOf(harness.input({ type: "connect-now" }))).toEqual([{ type: "ping" }])
    expect(only(harness.advance(1000), "disconnect")).toHaveLength(1)
  })

  test("a heartbeat that makes no sense is clamped", () => {
    const harness = new Harness()
    harness.connect({ heartbeatMs: 1 })
    expect(waitsMs(harness)).toBe(clientLimits.heartbeatMsMin)
  })
})

describe("tokens", () => {
  test("[N1] each attempt fetches a token, and hello carries it", () => {
    const harness = new Harness({ authenticated: true })
    expect(harness.input({ type: "go-online" })[0]).toEqual({ type: "fetch-token" })
    harness.input({ type: "token", token: "secret" })
    expect(harness.connect()[0]).toMatchObject({ type: "hello", token: "secret" })
  })

  test.each([
    ["failed", (harness: Harness) => harness.input({ type: "token-failed", message: "no" })],
    ["too late", (harness: Harness) => harness.advance(limits.clientHandshakeMs)],
    ["too long", (harness: Harness) => harness.input({ type: "token", token: longToken })],
  ])("a token that is %s is asked for again", (_, fail) => {
    const harness = new Harness({ authenticated: true })
    harness.input({ type: "go-online" })
    fail(harness)
    expect(harness.core.connection.state).toBe("needs-token")
    harness.advance(limits.clientBackoffMsMin)
    expect(only(harness.effects, "fetch-token")).toHaveLength(2)
  })
})
const longToken = "x".repeat(limits.textBytesMax + 1)

describe("status and wishes", () => {
  test("[N12] the connection says how far behind its node may be", () => {
    const harness = new Harness()
    harness.connect()
    harness.node({ type: "freshness", peers: [] })
    expect(harness.core.connection).toMatchObject({ state: "connected", peers: [] })
    const states = only(harness.effects, "connection-status").map(({ status }) => status.state)
    expect(states).toEqual(["connecting", "connected", "connected"])
  })

  test("a url that never opened is named, one that did is not", () => {
    const harness = new Harness({ urls: ["ws://one"] })
    harness.input({ type: "go-online" })
    harness.close()
    const reason = "ws://one never got through: does a node listen there, with the path /sync?"
    expect(harness.core.connection).toMatchObject({ why: { code: 1006, reason } })
    harness.redial()
    harness.connect()
    harness.close()
    harness.redial()
    harness.close()
    expect(harness.core.connection).toMatchObject({ why: { code: 1006, reason: "" } })
  })

  test("nothing is said twice", () => {
    const harness = new Harness()
    harness.connect()
    harness.hold(notes)
    const before = harness.effects.length
    harness.node({ type: "pong" })
    harness.input({ type: "deadline" })
    expect(harness.effects.slice(before)).toEqual([])
  })

  test("going offline hangs up and waits for the app", () => {
    const harness = new Harness()
    harness.hold(notes)
    harness.connect()
    const effects = harness.input({ type: "go-offline" })
    expect(only(effects, "disconnect")[0]?.code).toBe(1000)
    expect(harness.core.connection).toMatchObject({ state: "offline", retryAtMs: undefined })
    expect(harness.core.nextDeadline()).toBeUndefined()
    harness.type(notes, 1)
    expect(harness.connect().at(-1)).toMatchObject({ type: "update", seq: 1 })
  })

  test("after stop nothing happens any more", () => {
    const harness = new Harness()
    harness.connect()
    const effects = harness.input({ type: "stop" })
    expect(only(effects, "disconnect")).toHaveLength(1)
    expect(only(effects, "connection-status")[0]?.status.state).toBe("closed")
    expect(harness.input({ type: "go-online" })).toEqual([])
    expect(harness.core.nextDeadline()).toBeUndefined()
  })

  test("[F6] a version this client does not speak ends the connection", () => {
    const harness = new Harness()
    harness.input({ type: "go-online" })
    harness.input({ type: "socket-opened", socket: harness.socket })
    expect(
      only(harness.node(welcomeOf({ version: nativeVersions.max + 1 })), "disconnect"),
    ).toHaveLength(1)
  })

  test("[N2] anything but a welcome before it, and a second one, end the connection", () => {
    const early = new Harness()
    early.input({ type: "go-online" })
    early.input({ type: "socket-opened", socket: early.socket })
    expect(only(early.node({ type: "pong" }), "disconnect")).toHaveLength(1)
    const twice = new Harness()
    twice.connect()
    expect(only(twice.node(welcomeOf()), "disconnect")).toHaveLength(1)
  })

  test("[N4] an opened that nobody asked for ends the connection", () => {
    const harness = new Harness()
    harness.hold(notes)
    harness.connect()
    harness.serve(1, vector())
    expect(only(harness.node(openedOf(1)), "disconnect")[0]).toMatchObject({ code: 4400 })
  })

  test("a socket that was given up has no say any more", () => {
    const harness = new Harness()
    harness.connect()
    const { socket } = harness
    harness.close()
    harness.input({ type: "connect-now" })
    const stale = { type: "socket-closed", socket, code: 4400, reason: "" } as const
    expect(harness.input(stale)).toEqual([])
    expect(harness.core.connection.state).toBe("connecting")
  })
})

describe("the way back to the first url", () => {
  const { failBackMsMin, failBackMsMax } = clientLimits

  function onSecond(): Harness {
    const harness = new Harness({ urls })
    harness.connect()
    harness.close()
    harness.redial()
    harness.connect()
    expect(harness.core.connection).toMatchObject({ state: "connected", url: urls[1] })
    return harness
  }

  /** Until the next look begins; the node it is connected to answers. Gives the probe. */
  function probed(harness: Harness, connected: ConnectionId): ConnectionId {
    for (let ms = 0; ms < 3 * failBackMsMin; ms += 1000) {
      const probe = only(harness.advance(1000), "connect")[0]
      if (probe !== undefined) return probe.socket
      harness.input({ type: "frame", socket: connected, bytes: pongFrame })
    }
    throw new Error("it never looked")
  }

  test("[C7] once a socket there is open, the other is left for it", () => {
    const harness = onSecond()
    const second = harness.socket
    const probe = probed(harness, second)
    expect(dialled(harness)).toEqual([...urls, urls[0]])
    // Nothing has changed for the app so far.
    expect(harness.core.connection).toMatchObject({ state: "connected", url: urls[1] })
    const moved = harness.input({ type: "socket-opened", socket: probe })
    expect(only(moved, "disconnect")).toMatchObject([{ socket: second, code: 1000 }])
    expect(sentOf(moved)).toMatchObject([{ type: "hello" }])
    harness.node(welcomeOf())
    expect(harness.core.connection).toMatchObject({ state: "connected", url: urls[0] })
    // It stays there.
    harness.live(failBackMsMax)
    expect(dialled(harness)).toHaveLength(3)
  })

  test("[C7] one that does not open costs nothing, and is tried less and less often", () => {
    const harness = onSecond()
    const second = harness.socket
    const looks: number[] = []
    for (let ms = 0; ms < 4 * failBackMsMax; ms += 1000) {
      const mine = [...harness.advance(1000)]
      mine.push(...harness.input({ type: "frame", socket: second, bytes: pongFrame }))
      const probes = only(mine, "connect")
      for (const { socket } of probes) {
        looks.push(harness.nowMs)
        // Every other one is silent until the client gives it up.
        if (looks.length % 2 === 0) harness.input({ type: "socket-closed", socket, ...lost })
      }
    }
    expect(harness.core.connection).toMatchObject({ state: "connected", url: urls[1] })
    const waits = looks.slice(1).map((atMs, index) => atMs - must(looks[index]))
    expect(must(waits[0])).toBeLessThan(3 * failBackMsMin)
    expect(must(waits.at(-1))).toBeGreaterThan(failBackMsMax / 2)
    expect(looks.length).toBeLessThan(15)
  })

  test("[C7] a probe ends with its connection", () => {
    const harness = onSecond()
    const second = harness.socket
    const probe = probed(harness, second)
    const ended = harness.input({ type: "socket-closed", socket: second, ...lost })
    expect(only(ended, "disconnect")).toMatchObject([{ socket: probe }])
    expect(harness.core.connection.state).toBe("offline")
  })

  test("[C7] a first url that opens and then fails again leaves the client on the second", () => {
    const harness = onSecond()
    harness.input({ type: "socket-opened", socket: probed(harness, harness.socket) })
    harness.close()
    harness.redial()
    harness.connect()
    expect(harness.core.connection).toMatchObject({ state: "connected", url: urls[1] })
  })
})
