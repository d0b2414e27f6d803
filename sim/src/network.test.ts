import { describe, expect, test } from "vitest"
import { Network } from "./network.ts"
import { SimRandom } from "./random.ts"
import { between } from "./reachability.ts"
import { Scheduler } from "./scheduler.ts"
import { Trace } from "./trace.ts"
import { Watch } from "./watch.ts"

type Heard = { who: string; what: string }

function world(seed = 1) {
  const scheduler = new Scheduler()
  const heard: Heard[] = []
  const options = {
    nodeDelayMs: 10,
    clientDelayMs: 10,
    socketBytesMax: 100,
    detectionMsMax: 1000,
  }
  const random = new SimRandom(seed)
  const network = new Network(scheduler, random, new Trace(scheduler), options, new Watch())
  const owner = (who: string) => ({
    onFrame: (_: number, frame: Uint8Array) => heard.push({ who, what: `frame ${frame[0]}` }),
    onBadFrame: (_: number, why: string) => heard.push({ who, what: `bad ${why}` }),
    onClosed: (_: number, code: number) => heard.push({ who, what: `closed ${code}` }),
    onCongested: () => heard.push({ who, what: "congested" }),
    onDrained: () => heard.push({ who, what: "drained" }),
  })
  let accepted = 0
  network.listen(2, {
    onAccepted(connection) {
      accepted = connection
      return owner("node")
    },
  })
  const dial = (): number | undefined => {
    let opened: number | undefined
    network.dial(1, 2, { type: "native" }, owner("client"), (result) => {
      opened = result?.connection
    })
    scheduler.runUntil(scheduler.nowMs + 10_000)
    return opened
  }
  const says = (who: string) => heard.filter((one) => one.who === who).map(({ what }) => what)
  return { scheduler, network, dial, accepted: () => accepted, says }
}

describe("a connection", () => {
  test("carries frames in order, both ways, and tells both ends of its close once", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { scheduler, network, dial, accepted, says } = world(seed)
      const connection = dial() ?? 0
      for (let index = 0; index < 9; index++) network.send(connection, Uint8Array.of(index))
      network.send(accepted(), Uint8Array.of(99))
      network.close(connection, 1000)
      network.send(connection, Uint8Array.of(200))
      scheduler.runUntil(30_000)
      const frames = Array.from({ length: 9 }, (_, index) => `frame ${index}`)
      expect(says("node")).toEqual([...frames, "closed 1000"])
      expect(says("client")).toEqual(["frame 99", "closed 1000"])
      expect(network.openCount).toBe(0)
    }
  })

  test("loses what meets a cut and all behind it, also after the heal; both ends learn", () => {
    const { scheduler, network, dial, says } = world()
    const connection = dial() ?? 0
    network.send(connection, Uint8Array.of(1))
    scheduler.runUntil(scheduler.nowMs + 1000)
    const heal = network.reachability.cut(between([1], [2]))
    network.send(connection, Uint8Array.of(2))
    heal()
    network.send(connection, Uint8Array.of(3))
    scheduler.runUntil(scheduler.nowMs + 5000)
    expect(says("node")).toEqual(["frame 1", "closed 1006"])
    expect(says("client")).toEqual(["closed 1006"])
  })

  test("with a one-way cut, frames the other way still arrive", () => {
    const { scheduler, network, dial, accepted, says } = world()
    dial()
    network.reachability.cut([[1, 2]])
    network.send(accepted(), Uint8Array.of(5))
    scheduler.runUntil(scheduler.nowMs + 500)
    expect(says("client")).toEqual(["frame 5"])
  })

  test("that is broken one way has two ends that nobody noticed, until they learn of it", () => {
    const { scheduler, network, dial, accepted, says } = world()
    dial()
    const heal = network.reachability.cut([[2, 1]])
    network.send(accepted(), Uint8Array.of(5))
    heal()
    expect(network.torn).toEqual([
      [1, 2],
      [2, 1],
    ])
    scheduler.runUntil(scheduler.nowMs + 5000)
    expect(network.torn).toEqual([])
    expect(says("client")).toEqual(["closed 1006"])
  })

  test("is congested past its budget and drains when its peer reads again", () => {
    const { scheduler, network, dial, says } = world()
    const connection = dial() ?? 0
    network.reading.stall(2, scheduler.nowMs + 5000)
    network.send(connection, new Uint8Array(101))
    scheduler.runUntil(scheduler.nowMs + 4000)
    expect(says("client")).toEqual(["congested"])
    expect(says("node")).toEqual([])
    scheduler.runUntil(scheduler.nowMs + 2000)
    expect(says("client")).toEqual(["congested", "drained"])
    expect(says("node")).toEqual(["frame 0"])
  })

  test("stays in order while its receiver does not read, and closes after the last frame", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { scheduler, network, dial, says } = world(seed)
      const connection = dial() ?? 0
      network.reading.stall(2, scheduler.nowMs + 50)
      const frames = Array.from({ length: 12 }, (_, index) => `frame ${index}`)
      for (const index of frames.keys()) {
        scheduler.after(index * 8, () => network.send(connection, Uint8Array.of(index)))
      }
      scheduler.after(frames.length * 8, () => network.close(connection, 1000))
      scheduler.runUntil(scheduler.nowMs + 5000)
      expect(says("node")).toEqual([...frames, "closed 1000"])
    }
  })

  test("ends for the other side when a process dies, at once or never by itself", () => {
    const loud = world()
    loud.dial()
    loud.network.dropHost(2, false)
    loud.scheduler.runUntil(20_000)
    expect(loud.says("client")).toEqual(["closed 1006"])
    const silent = world()
    const connection = silent.dial() ?? 0
    silent.network.dropHost(2, true)
    silent.scheduler.runUntil(20_000)
    expect(silent.says("client")).toEqual([])
    silent.network.send(connection, Uint8Array.of(1))
    silent.scheduler.runUntil(30_000)
    expect(silent.says("client")).toEqual(["closed 1006"])
  })
})

describe("dialling", () => {
  test("fails towards a host that does not listen, and across a cut", () => {
    const { network, dial } = world()
    const heal = network.reachability.cut([[2, 1]])
    expect(dial()).toBeUndefined()
    heal()
    expect(dial()).toBeDefined()
    network.dropHost(2, false)
    expect(dial()).toBeUndefined()
  })

  test("overlapping cuts heal one by one", () => {
    const { network } = world()
    const one = network.reachability.cut([[1, 2]])
    const two = network.reachability.cut([[1, 2]])
    one()
    one()
    expect(network.reachability.isCut(1, 2)).toBe(true)
    two()
    expect(network.reachability.isCut(1, 2)).toBe(false)
  })
})

describe("a fault on a connection", () => {
  test("a reset loses what is under way both ways; both ends learn of it, without any cut", () => {
    for (const byPeer of [false, true]) {
      const { scheduler, network, dial, accepted, says } = world()
      const connection = dial() ?? 0
      expect(network.dialled).toEqual([connection])
      network.send(connection, Uint8Array.of(1))
      network.send(accepted(), Uint8Array.of(2))
      network.reset(connection, byPeer)
      scheduler.runUntil(scheduler.nowMs + 5000)
      expect(says("node")).toEqual(["closed 1006"])
      expect(says("client")).toEqual(["closed 1006"])
      expect(network.openCount).toBe(0)
    }
  })

  test("an orphaned one is over for its dialler, whose frames come after those of the next", () => {
    const { scheduler, network, dial, accepted, says } = world()
    const old = dial() ?? 0
    const oldAccepted = accepted()
    network.send(old, Uint8Array.of(1))
    network.orphan(old, 20_000)
    scheduler.runUntil(scheduler.nowMs + 1)
    expect(says("client")).toEqual(["closed 1006"])
    const next = dial() ?? 0
    network.send(next, Uint8Array.of(2))
    // Whatever the node says on the old one is swallowed, and does not end it.
    network.send(oldAccepted, Uint8Array.of(9))
    scheduler.runUntil(scheduler.nowMs + 30_000)
    expect(says("node")).toEqual(["frame 2", "frame 1", "closed 1006"])
    expect(says("client")).toEqual(["closed 1006"])
  })

  test("a trickle reads in order, no faster than it may, and all at once when it ends", () => {
    const { scheduler, network, dial, says } = world()
    const connection = dial() ?? 0
    network.reading.trickle(2, 100, scheduler.nowMs + 3500)
    for (let index = 0; index < 8; index++) {
      const frame = new Uint8Array(100)
      frame[0] = index
      network.send(connection, frame)
    }
    scheduler.runUntil(scheduler.nowMs + 2500)
    expect(says("node")).toEqual(["frame 0", "frame 1", "frame 2"])
    expect([network.unreadBy(new Set([2])), network.unreadBy(new Set([1]))]).toEqual([1, 0])
    scheduler.runUntil(scheduler.nowMs + 1500)
    expect(network.unreadBy(new Set([2]))).toBe(0)
    expect(says("node")).toEqual(Array.from({ length: 8 }, (_, index) => `frame ${index}`))
    expect(says("client")).toEqual(["congested", "drained"])
  })

  test("a frozen host reads nothing and answers no dial; thawed it reads at once", () => {
    const { scheduler, network, dial, says } = world()
    const connection = dial() ?? 0
    network.freeze(2, scheduler.nowMs + 60_000)
    network.send(connection, Uint8Array.of(1))
    expect(dial()).toBeUndefined()
    expect(says("node")).toEqual([])
    network.thaw(2)
    scheduler.runUntil(scheduler.nowMs + 1)
    expect(says("node")).toEqual(["frame 1"])
    expect(dial()).toBeDefined()
  })

  test("a host that is frozen for less than the dialler's patience is reached after it", () => {
    const { scheduler, network, dial } = world()
    network.freeze(2, scheduler.nowMs + 900)
    const startMs = scheduler.nowMs
    let openedMs = 0
    network.dial(1, 2, { type: "native" }, { onFrame() {}, onClosed() {} }, (result) => {
      if (result !== undefined) openedMs = scheduler.nowMs - startMs
    })
    scheduler.runUntil(scheduler.nowMs + 5000)
    expect(openedMs).toBeGreaterThan(900)
    expect(dial()).toBeDefined()
  })

  test("a meddler repeats a frame at once or later, as long as it is there", () => {
    const { scheduler, network, dial, says } = world()
    const connection = dial() ?? 0
    const end = network.meddle({
      repeatAfterMs: (door, fromDialler, frame) =>
        door.type === "native" && fromDialler
          ? [undefined, 0, 500, 9000][frame[0] ?? 0]
          : undefined,
    })
    for (const index of [0, 1, 2, 3]) network.send(connection, Uint8Array.of(index))
    scheduler.runUntil(scheduler.nowMs + 5000)
    end()
    scheduler.runUntil(scheduler.nowMs + 20_000)
    const numbers = says("node").map((what) => Number(what.split(" ")[1]))
    expect(numbers).toEqual([0, 1, 1, 2, 3, 2])
  })

  test("a meddler lets a frame overtake the one before it, and no other", () => {
    const { scheduler, network, dial, says } = world()
    const connection = dial() ?? 0
    network.meddle({ overtakes: (_, frame, before) => frame[0] === 2 && before[0] === 1 })
    for (const index of [0, 1, 2, 3]) network.send(connection, Uint8Array.of(index))
    scheduler.runUntil(scheduler.nowMs + 5000)
    expect(says("node")).toEqual([0, 2, 1, 3].map((index) => `frame ${index}`))
  })

  test("a bad frame is told as such, in its place", () => {
    const { scheduler, network, dial, says } = world()
    const connection = dial() ?? 0
    network.send(connection, Uint8Array.of(1))
    network.sendBad(connection, "too-large")
    scheduler.runUntil(scheduler.nowMs + 5000)
    expect(says("node")).toEqual(["frame 1", "bad too-large"])
  })
})
