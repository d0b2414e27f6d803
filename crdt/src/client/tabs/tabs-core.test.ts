/** Who leads, and what becomes of what was typed when that changes, one case at a time. */
import { expect, test } from "vitest"
import type { DocumentStatus } from "../status.ts"
import { tabLimits, tabMessageOf } from "./index.ts"
import { note, World } from "./test/tabs-world.ts"
import type { Tab } from "./test/tabs-world.ts"

/** So many tabs; the first leads. */
function worldOf(count: number): { readonly world: World; readonly tabs: Tab[] } {
  const world = new World()
  const tabs = Array.from({ length: count }, () => world.add())
  world.pass(500)
  expect(tabs[0]?.core.isLeading).toBe(true)
  return { world, tabs }
}

test("[H7] [H8] a leader that freezes is robbed within two seconds, and writes no more", () => {
  const { world, tabs } = worldOf(3)
  const [first, second, third] = tabs
  first?.type()
  first?.freeze()
  second?.type()
  third?.type()
  const atMs = world.nowMs
  while (world.log.length < 2 && world.nowMs - atMs < 2000) world.pass(20)
  expect(world.log.toSorted()).toEqual(["t2.0", "t3.0"])
  expect(world.holder).not.toBe(first)

  first?.thaw()
  expect(first?.driver?.flush(1)).toBe(false)
  world.pass(500)
  expect(first?.core.isLeading).toBe(false)
  expect(world.log.toSorted()).toEqual(["t1.0", "t2.0", "t3.0"])
  for (const tab of tabs) expect(tab.shown).toEqual(new Set(world.log))
  // Who robbed it at the same time has waited, and never led.
  const leads = world.posted.filter(
    (message) => message.type === "lead" && message.to === undefined,
  )
  expect(leads).toHaveLength(2)
  expect(tabLimits.leaseMs).toBeLessThan(tabLimits.silentMs)
})

test("[H8] what a leader saw before it slept is no lease afterwards", () => {
  const { world, tabs } = worldOf(2)
  const [first] = tabs
  first?.type()
  world.nowMs += tabLimits.leaseMs + 1
  expect(first?.driver?.flush(1)).toBe(false)
  // It looked, and falls asleep before it hears what it saw.
  first?.freeze()
  world.pass(3000)
  first?.thaw()
  while (first?.tasks.length !== 0) {
    first?.runOne()
    expect(first?.driver?.flush(1) ?? false).toBe(false)
  }
})

test("[H8] a grant that is heard late is no lease", () => {
  const world = new World()
  const [first] = [world.add(), world.add()]
  // It was given the lock, and falls asleep before it hears so.
  expect(world.holder).toBe(first)
  first?.freeze()
  world.pass(3000)
  expect(world.holder).not.toBe(first)
  first?.thaw()
  while (first?.tasks.length !== 0) {
    first?.runOne()
    expect(first?.driver?.flush(1) ?? false).toBe(false)
  }
})

test("[H1] the lock goes to who waited longest, and no further", () => {
  const { world, tabs } = worldOf(3)
  const [first, second, third] = tabs
  first?.leave()
  world.pass(100)
  expect(second?.core.isLeading).toBe(true)
  second?.crash()
  world.pass(100)
  expect(third?.core.isLeading).toBe(true)
  expect(world.live.filter(({ core }) => core.isLeading)).toHaveLength(1)
})

test("[H2] other tabs see what is typed once it is in storage, and never before", () => {
  const { world, tabs } = worldOf(3)
  const [first, second, third] = tabs
  first?.type()
  second?.type()
  world.pass(100, false)
  expect(third?.shown.size).toBe(0)
  // Nor does who opens the document now, though the leader's own replica shows it.
  const fourth = world.add()
  world.pass(100, false)
  expect(fourth.shown.size).toBe(0)
  first?.crash()
  world.pass(200)
  for (const tab of [second, third, fourth]) expect([...(tab?.shown ?? [])]).toEqual(["t2.0"])
})

test("[H2] what a tab typed is not missing in the handle it opens next", () => {
  const { world, tabs } = worldOf(2)
  const [, second] = tabs
  second?.type()
  world.pass(100, false)
  second?.close()
  second?.open()
  world.pass(100, false)
  expect(second?.shown.size).toBe(0)
  world.pass(100)
  expect([...(second?.shown ?? [])]).toEqual(["t2.0"])
})

test("[H2] a document that is opened while updates wait is shown with them to nobody else", () => {
  const world = new World()
  const first = world.add()
  first.close()
  world.pass(100)
  const [second, third] = [world.add(), world.add()]
  // The leader reads the document when it has the update, and not yet in storage.
  second.type()
  world.pass(200, false)
  expect(third.shown.size).toBe(0)
  world.pass(100)
  expect([...third.shown]).toEqual(["t2.0"])
})

test("[H2] what is typed before a handle is loaded is shown to others once it is stored", () => {
  const { world, tabs } = worldOf(2)
  const [first, second] = tabs
  for (const tab of tabs) tab.close()
  world.pass(100)
  first?.open()
  first?.type()
  second?.open()
  world.pass(100, false)
  expect(second?.shown.size).toBe(0)
  // Nor if who leads held it for the other tab before.
  first?.close()
  world.pass(100)
  second?.close()
  second?.open()
  first?.open()
  first?.type()
  world.pass(100, false)
  expect(second?.shown.has("t1.1")).toBe(false)
  world.pass(100)
  expect(second?.shown).toEqual(new Set(["t1.0", "t1.1"]))
})

test("[H2] who leads is shown what came while it opened the document once that is stored", () => {
  const { world, tabs } = worldOf(3)
  const [first, second, third] = tabs
  first?.close()
  third?.close()
  second?.type("early")
  second?.close()
  world.pass(100, false)
  first?.open()
  first?.type()
  third?.open()
  third?.type("meanwhile")
  // One is handed in by now, the other before storage gives what it has.
  first?.tasks.push(...first.tasks.splice(0, 1))
  world.pass(100, false)
  expect([...(first?.shown ?? [])]).toEqual(["t1.0"])
  world.pass(100)
  expect(first?.shown).toEqual(new Set(["t1.0", "early", "meanwhile"]))
})

test("[H2] who leads is shown no more by what it held for others until then", () => {
  const world = new World()
  const first = world.add()
  first.close()
  world.pass(100)
  const second = world.add()
  second.type()
  world.pass(200, false)
  first.open()
  world.pass(100, false)
  expect(first.shown.size).toBe(0)
  // Both who typed it and who was to store it are gone for the next leader.
  const third = world.add()
  first.freeze()
  second.crash()
  world.pass(3000)
  first.thaw()
  world.pass(1000)
  for (const tab of [first, third]) expect(tab.shown).toEqual(new Set(world.log))
})

test("[H2] what is stored right after the document was read is shown all the same", () => {
  const { world, tabs } = worldOf(2)
  const [first, second] = tabs
  first?.close()
  second?.type()
  second?.close()
  world.pass(100, false)
  first?.open()
  // It is read, and who leads has yet to hear so.
  first?.runOne()
  expect(first?.shown.size).toBe(0)
  first?.driver?.flush(1)
  world.pass(100)
  expect([...(first?.shown ?? [])]).toEqual(["t2.0"])
})

test("[H4] an update that was stored when its leader went is not handed in again", () => {
  const { world, tabs } = worldOf(2)
  const [first, second] = tabs
  second?.type()
  first?.run()
  first?.driver?.flush(1)
  expect(world.log).toEqual(["t2.0"])
  // Gone before it could say so.
  second?.tasks.splice(0)
  first?.crash()
  second?.type()
  world.pass(200)
  expect(world.log).toEqual(["t2.0", "t2.1"])
  expect(second?.core.uncounted.count).toBe(0)
})

test("[H3] what the last leader counted is counted by the tab until the next one does", () => {
  const { world, tabs } = worldOf(2)
  const [first, second] = tabs
  second?.type()
  world.pass(100, false)
  first?.do({ type: "tell", news: {}, to: undefined })
  world.pass(100, false)
  expect(second?.core.uncounted.count).toBe(0)
  first?.crash()
  world.pass(100, false)
  expect(second?.core.uncounted.count).toBe(1)
  world.pass(100)
  expect(second?.core.uncounted.count).toBe(0)
})

test("[H4] a message that comes twice hands its update in once", () => {
  const { world, tabs } = worldOf(2)
  const [first, second] = tabs
  second?.type()
  const update = world.posted.findLast(({ type }) => type === "update")
  if (update !== undefined) first?.tasks.push(() => first.do({ type: "heard", message: update }))
  world.pass(100)
  expect(world.log).toEqual(["t2.0"])
})

test("[H5] who is gone is not present, and what it said last counts", () => {
  const { world, tabs } = worldOf(3)
  const [first, second, third] = tabs
  const state = new TextEncoder().encode(`{"name":"two"}`)
  second?.do({ type: "local-presence", document: note, client: 2, state })
  world.pass(100)
  expect([...(third?.presence ?? [])]).toEqual([[2, `{"name":"two"}`]])
  expect(first?.presence.get(2)).toBe(`{"name":"two"}`)
  expect(second?.presence.size).toBe(0)

  second?.type()
  const said = first?.tasks.splice(0) ?? []
  second?.crash()
  world.pass(100)
  expect(third?.presence.get(2)).toBe("null")
  expect(first?.presence.get(2)).toBe("null")
  first?.tasks.push(...said)
  world.pass(100)
  expect(world.log).toEqual(["t2.0"])
})

test("[H5] who leads next knows who is here, and nobody else", () => {
  const { world, tabs } = worldOf(4)
  const [first, second, third, fourth] = tabs
  for (const [index, tab] of tabs.entries()) {
    const state = new TextEncoder().encode(`{"tab":${index + 1}}`)
    tab.do({ type: "local-presence", document: note, client: index + 1, state })
  }
  world.pass(100)
  first?.crash()
  third?.crash()
  world.pass(100)
  const here = (tab: Tab | undefined): number[] => {
    return [...(tab?.presence ?? [])].filter(([, state]) => state !== "null").map(([one]) => one)
  }
  expect(here(second)).toEqual([4])
  expect(here(fourth)).toEqual([2])
})

test("[H6] an answer covers what was typed before the question, whoever gives it", () => {
  const { world, tabs } = worldOf(2)
  const [first, second] = tabs
  second?.type()
  second?.do({ type: "ask", ask: 1, question: "what is there?" })
  first?.crash()
  world.pass(200)
  expect(second?.answers).toEqual(["t2.0"])
})

test("[H7] a tab that slept itself robs nobody", () => {
  const { world, tabs } = worldOf(2)
  const [first, second] = tabs
  second?.freeze()
  world.pass(10_000)
  second?.thaw()
  world.pass(1000)
  expect(first?.core.isLeading).toBe(true)
  expect(world.posted.some(({ type }) => type === "again")).toBe(false)
})

test("[H9] what is no message of this version is nobody's", () => {
  const ping = { type: "ping", tab: "t", reign: undefined }
  expect(tabMessageOf(ping)).toEqual(ping)
  const others = [
    undefined,
    null,
    "ping",
    [],
    {},
    { ...ping, type: "sing" },
    { ...ping, tab: 1 },
    { type: "kept", reign: "t#1", to: ["t"], stored: -1, safe: 0 },
    { type: "update", tab: "t", reign: "t#1", update: { document: note, number: 1, bytes: [1] } },
    { type: "updates", reign: "t#1", to: "t", document: note, updates: [] },
  ]
  for (const data of others) expect(tabMessageOf(data)).toBeUndefined()
})

/** As a leader's driver says it of a document that is saved everywhere. */
const allIsWell: DocumentStatus = {
  pending: 0,
  savedTo: "all",
  quorum: { state: "saved" },
  all: { state: "saved" },
  freshness: { state: "live" },
  access: "write",
  generation: 1,
  error: undefined,
}

test("[H10] what a tab typed and its leader has not seen is saved nowhere", () => {
  const { world, tabs } = worldOf(2)
  const [first, second] = tabs
  first?.do({ type: "status-changed", document: note, status: allIsWell })
  world.pass(100)
  expect(second?.status).toEqual(allIsWell)
  second?.type()
  const pending = { state: "pending", connected: true, waitingFor: [] }
  expect(second?.status).toMatchObject({ savedTo: "memory", pending: 1 })
  expect(second?.status).toMatchObject({ quorum: pending, all: pending })
})

test("[H10] what was live under one leader is stale until the next says more", () => {
  const { world, tabs } = worldOf(2)
  const [first, second] = tabs
  first?.do({ type: "status-changed", document: note, status: allIsWell })
  world.pass(100)
  expect(second?.status?.freshness.state).toBe("live")
  first?.crash()
  world.pass(200)
  expect(second?.status).toMatchObject({ savedTo: "all", freshness: { state: "stale" } })
})

test("[H5] a tab that led before stays present when nodes take back what it said then", () => {
  const { world, tabs } = worldOf(3)
  const [first, second, third] = tabs
  const entryOf = (clock: number, text: string) => {
    return { client: 7, clock, state: new TextEncoder().encode(text) }
  }
  first?.do({ type: "presence-heard", document: note, entries: [entryOf(5, "before")] })
  second?.do({ type: "local-presence", document: note, ...entryOf(0, "here") })
  world.pass(100)
  first?.do({ type: "presence-heard", document: note, entries: [entryOf(5, "null")] })
  world.pass(100)
  for (const tab of [first, third]) expect(tab?.presence.get(7)).toBe("here")
})

test("[H5] who is there is not forgotten while the whole document is on its way", () => {
  const { world, tabs } = worldOf(2)
  const [, second] = tabs
  const reign = world.posted.find(({ type }) => type === "lead")?.reign ?? ""
  const to = [second?.name ?? ""]
  const entry = { client: 7, clock: 1, state: new TextEncoder().encode("here") }
  second?.close()
  second?.open()
  const presence = { type: "presence", reign, to, document: note, entries: [entry] } as const
  second?.do({ type: "heard", message: presence })
  const opened = { type: "opened", reign, to, document: note, present: [] } as const
  second?.do({ type: "heard", message: { ...opened, state: new Uint8Array(0) } })
  expect(second?.presence.get(7)).toBe("here")
})

test("[H9] one tab too many has a client of its own, and lets go of the lock", () => {
  const world = new World()
  for (let count = 0; count < tabLimits.tabsMax + 2; count++) world.add()
  world.pass(500)
  const apart = world.tabs.filter(({ how }) => how === "crowded")
  expect(apart).toHaveLength(1)
  expect(world.tabs.filter(({ core }) => core.isLeading)).toHaveLength(2)
  world.tabs[0]?.crash()
  world.pass(100)
  expect(world.tabs[1]?.how).toBe("shared")
})

test("updates past what fits in one message are sent again in several, in order", () => {
  const { world, tabs } = worldOf(2)
  const [first, second] = tabs
  first?.crash()
  const large = "x".repeat(tabLimits.messageBytesMax / 2)
  for (const letter of ["a", "b", "c"]) second?.type(`${letter}${large}`)
  world.pass(200)
  expect(world.log.map((name) => name[0])).toEqual(["a", "b", "c"])
})

test("[H1] a tab that may have no locks leads for itself, and tells nobody", () => {
  const world = new World()
  const tab = world.add()
  world.forgo(tab)
  tab.do({ type: "not-allowed" })
  tab.type()
  world.nowMs += 10 * tabLimits.leaseMs
  tab.run()
  expect(tab.how).toBe("unshared")
  expect(tab.core.hasLease(world.nowMs)).toBe(true)
  expect(world.posted.filter(({ type }) => type !== "ping")).toEqual([])
})
