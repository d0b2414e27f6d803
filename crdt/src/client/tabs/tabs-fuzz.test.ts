/** Whatever happens to tabs, and whenever: nothing typed is lost, or handed in twice. */
import fc from "fast-check"
import { expect, test } from "vitest"
import type { Tab } from "./test/tabs-world.ts"
import { World } from "./test/tabs-world.ts"

type Action = (world: World, tab: Tab) => void

/** For so long that it is robbed, if it leads. */
function sleep(world: World, tab: Tab): void {
  tab.freeze()
  world.pass(1800, false)
  tab.thaw()
}

const actions: readonly (readonly [weight: number, action: Action])[] = [
  [12, (_, tab) => tab.type()],
  [8, (_, tab) => tab.run()],
  [4, (_, tab) => tab.runOne()],
  // Also of one that has yet to hear that it was robbed.
  [6, (_, tab) => void tab.driver?.flush(1)],
  [2, (_, tab) => (tab.isOpen ? tab.close() : tab.open())],
  [2, (_, tab) => tab.crash()],
  [1, (_, tab) => void tab.leave()],
  [1, (world) => void (world.live.length < 5 && world.add())],
  [2, (_, tab) => tab.freeze()],
  [2, sleep],
  [2, (world) => world.tabs.find(({ state }) => state === "frozen")?.thaw()],
]

/** What a tab is shown of others and storage does not have. */
function notStored({ log }: World, { shown, typed }: Tab): string[] {
  const known = new Set([...log, ...typed])
  return [...shown].filter((name) => !known.has(name))
}

const step = fc.record({
  action: fc.oneof(
    ...actions.map(([weight, action]) => ({ weight, arbitrary: fc.constant(action) })),
  ),
  tab: fc.nat(9),
  /** Time in which all that are awake run, and what is typed is not stored. */
  waitMs: fc.oneof(
    { weight: 10, arbitrary: fc.constant(0) },
    { weight: 10, arbitrary: fc.integer({ min: 20, max: 80 }) },
    { weight: 1, arbitrary: fc.integer({ min: 500, max: 2000 }) },
  ),
})

test("[H2] [H3] [H4] [H8] tabs that come, go, freeze and crash lose and double nothing", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 120 }), (steps) => {
      const world = new World()
      for (let count = 0; count < 3; count++) world.add()
      for (const { action, tab: number, waitMs } of steps) {
        world.pass(waitMs, false)
        const tab = world.live[number % Math.max(1, world.live.length)]
        if (tab !== undefined) action(world, tab)
        for (const each of world.tabs) expect(notStored(world, each)).toEqual([])
      }
      // Those that freeze for long are robbed while they do.
      world.pass(3000)
      for (const tab of world.tabs) tab.thaw()
      for (const tab of world.live) if (!tab.isOpen) tab.open()
      const last = world.add()
      world.pass(5000)

      expect(world.log).toEqual([...new Set(world.log)])
      const stored = new Set(world.log)
      expect(last.shown).toEqual(stored)
      for (const tab of world.live) {
        expect(tab.typed.filter((name) => !stored.has(name))).toEqual([])
        // Nobody is left with what nobody sends.
        expect(new Set(tab.shown)).toEqual(stored)
        expect(tab.core.uncounted.count).toBe(0)
      }
    }),
    { numRuns: 400 },
  )
})
