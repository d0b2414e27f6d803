import { describe, expect, test } from "vitest"
import { faultTypes, losesDisk, nodesHeld, tell } from "./faults.ts"
import type { Need } from "./faults.ts"
import { planRounds } from "./schedule.ts"
import type { Step, Wishes } from "./schedule.ts"

const everything: ReadonlySet<Need> = new Set<Need>(["toxiproxy", "tmpfs"])

function wishes(seed: number, more: Partial<Wishes> = {}): Wishes {
  const nodes = ["a", "b", "c", "d"]
  const size = { minutes: 10, profile: "all", count: 0 } as const
  return { seed, nodes, ...size, has: everything, smallDisk: "b", ...more }
}

const seeds = Array.from({ length: 40 }, (_, index) => index + 1)

test("a seed is a schedule, and another seed another one", () => {
  expect(planRounds(wishes(7))).toEqual(planRounds(wishes(7)))
  expect(planRounds(wishes(7))).not.toEqual(planRounds(wishes(8)))
})

test("two minutes meet nearly every kind of fault, and ten minutes every one", () => {
  const kinds = (minutes: number) => {
    const steps = planRounds(wishes(3, { minutes })).flatMap((round) => round.steps)
    return new Set(steps.map(({ fault }) => fault.type))
  }
  expect(kinds(2).size).toBeGreaterThan(faultTypes.length / 2)
  expect([...kinds(10)].sort()).toEqual([...faultTypes].sort())
})

describe.each(["all", "kills", "disk-destroyed"] as const)("profile %s", (profile) => {
  const rounds = seeds.flatMap((seed) => planRounds(wishes(seed, { profile, count: 24 })))

  test("faults of one node do not overlap", () => {
    for (const { steps } of rounds) {
      for (const [index, step] of steps.entries()) {
        const earlier = steps.slice(0, index).filter((other) => meets(step, other))
        expect(earlier.filter((other) => other.atMs + other.lastsMs > step.atMs)).toEqual([])
      }
    }
  })

  test("no round takes two disks, and faults begin within their round", () => {
    for (const { lastsMs, steps } of rounds) {
      const disks = steps.filter(({ fault }) => losesDisk(fault.type))
      expect(disks.length).toBeLessThanOrEqual(1)
      for (const { atMs } of steps) expect(atMs).toBeLessThan(lastsMs)
    }
  })
})

function meets(step: Step, other: Step): boolean {
  return nodesHeld(step.fault).some((node) => nodesHeld(other.fault).includes(node))
}

test("the profile kills has as many as it is asked for, the other one as many disks", () => {
  const typesOf = (profile: "kills" | "disk-destroyed") => {
    const rounds = planRounds(wishes(1, { profile, count: 203 }))
    return rounds.flatMap(({ steps }) => steps.map(({ fault }) => fault.type))
  }
  expect(typesOf("kills")).toEqual(Array.from({ length: 203 }, () => "kill"))
  const wipes = typesOf("disk-destroyed").filter((type) => type === "wipe")
  expect(wipes.length).toBe(203)
})

test("what the machine cannot do is not planned", () => {
  const has = new Set<Need>()
  const steps = seeds.flatMap((seed) => planRounds(wishes(seed, { has })).flatMap((it) => it.steps))
  const kinds = new Set(steps.map(({ fault }) => fault.type))
  expect([...kinds].sort()).toEqual(["kill", "pause", "restore", "rolling-restart", "wipe"])
})

test("a split has every node, and pairs that no side has both of", () => {
  for (const seed of seeds) {
    for (const { fault } of planRounds(wishes(seed)).flatMap(({ steps }) => steps)) {
      if (fault.type !== "split") continue
      expect(new Set(fault.groups.flat()), tell(fault)).toEqual(new Set(["a", "b", "c", "d"]))
      expect(
        fault.groups.every((group) => group.length < 4),
        tell(fault),
      ).toBe(true)
    }
  }
})
