import { expect, test } from "vitest"
import { SimRandom } from "../src/random.ts"
import { planFaults } from "./schedule.ts"
import type { Step } from "./schedule.ts"

function planOf(seed: number): readonly Step[] {
  return planFaults(new SimRandom(seed))
}

test("the same seed gives the same plan, another seed another one", () => {
  expect(planOf(7)).toEqual(planOf(7))
  expect(planOf(7)).not.toEqual(planOf(8))
})

test("every plan has every kind of fault, in order, while there is something to type", () => {
  for (let seed = 1; seed <= 200; seed++) checkPlan(planOf(seed))
})

function checkPlan(plan: readonly Step[]): void {
  const shares = plan.map(({ atShare }) => atShare)
  expect(shares).toEqual(shares.toSorted((left, right) => left - right))
  expect(shares.every((share) => share > 0 && share < 1)).toBe(true)
  const shown = plan.map(({ fault }) => `${fault.type} ${JSON.stringify(fault.groups)}`)
  expect(shown).toContain('cut [["a"],["b","c"]]')
  expect(shown).toContain('cut [["a","b"],["c"]]')
  expect(shown).toContain('cut [["a"],["b"],["c"]]')
  expect(shown).toContain('cut [["a","c"],["c","b"]]')
  expect(shown).toContain('flap [["a"],["b"],["c"]]')
  // The killed node is one of those with a writer.
  expect(plan.flatMap(({ fault }) => (fault.type === "kill" ? fault.node : []))).toEqual([
    expect.stringMatching(/^[ab]$/),
  ])
}
