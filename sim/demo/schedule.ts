/**
 * What goes wrong when: the same seed gives the same plan. Steps are tied to how far the writers
 * have come, not to the clock, so that each one hits them while they type. The writers sit on A
 * and B; what cuts those two off from each other stops them until it heals, so it is short.
 */
import type { SimRandom } from "../src/random.ts"
import type { Groups } from "./cluster.ts"
import type { CutType } from "./proxy.ts"

export const nodeNames = ["a", "b", "c"] as const

export type Fault =
  | { readonly type: "cut"; readonly groups: Groups; readonly cut: CutType; readonly ms: number }
  | {
      readonly type: "flap"
      readonly groups: Groups
      readonly times: number
      readonly downMs: number
      readonly upMs: number
    }
  | {
      readonly type: "kill"
      readonly node: string
      /** Who is cut from whom meanwhile. */
      readonly groups: Groups
      readonly downMs: number
    }

export type Step = {
  /** Starts once this share of the transactions is typed. */
  readonly atShare: number
  readonly fault: Fault
}

const aloneA: Groups = [["a"], ["b", "c"]]
const aloneB: Groups = [["b"], ["a", "c"]]
const aloneC: Groups = [["a", "b"], ["c"]]
/** The writers' nodes are cut from each other, but both still reach C. */
const aroundC: Groups = [
  ["a", "c"],
  ["c", "b"],
]
const allApart: Groups = [["a"], ["b"], ["c"]]

export function planFaults(random: SimRandom): readonly Step[] {
  const ms = (about: number) => Math.round(about * random.between(0.7, 1.3))
  const cut = (groups: Groups, about: number, type: CutType = "refuse"): Fault => {
    return { type: "cut", groups, cut: type, ms: ms(about) }
  }
  const flap = (groups: Groups): Fault => {
    return { type: "flap", groups, times: random.int(4, 6), downMs: ms(120), upMs: ms(150) }
  }
  const victim = random.pick(["a", "b"])
  const faults: readonly Fault[] = [
    cut(aloneA, 1000),
    cut(aloneC, 1500),
    cut(allApart, 800),
    { type: "kill", node: victim, groups: aloneC, downMs: ms(500) },
    cut(aroundC, 1500),
    flap(random.pick([aloneA, aloneB])),
    cut(random.pick([aloneA, aloneB, aloneC]), 1000, "stall"),
    flap(allApart),
    cut(random.pick([aloneB, aloneC]), 1000),
  ]
  const share = 1 / (faults.length + 1)
  return faults.map((fault, index) => {
    return { atShare: share * (index + random.between(0.7, 1)), fault }
  })
}
