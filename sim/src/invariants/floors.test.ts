/** These invariants are of no use unless what they compare comes up, again and again. */
import { expect, test } from "vitest"
import { runToEnd } from "../run.ts"
import type { World } from "../world.ts"
import { FreshnessHonesty, freshnessHonesty } from "./freshness-honesty.ts"
import { SavedHonesty, savedHonesty } from "./saved-honesty.ts"
import { keeping } from "./test/keeping.ts"
import { TierHonesty, tierHonesty } from "./tier-honesty.ts"

const SEEDS = [1, 2]
const faults = ["client-move", "client-crash", "slow-disk", "crash", "isolate"]
const size = { nodes: 3, clients: 6, stockClients: 1, seconds: 20, writesPerSecond: 10, faults }

test("[T1] what is acked at quorum and all is compared often, disks lost meanwhile too", () => {
  const { kept, catalogue } = keeping(tierHonesty, (world) => new TierHonesty(world))
  const tierFaults = [...faults, "wipe:8", "restored-folder:8"]
  for (const seed of SEEDS) {
    const options = { ...size, faults: tierFaults, seed }
    expect(runToEnd(options, catalogue).failure).toBeUndefined()
  }
  const least = { quorum: 100, all: 100, said: 200, survived: 30 }
  for (const [name, floor] of Object.entries(least)) {
    const counts = kept.map(({ compared }) => new Map(Object.entries(compared)).get(name) ?? 0)
    expect(
      counts.reduce((one, other) => one + other, 0),
      name,
    ).toBeGreaterThan(floor)
  }
}, 60_000)

test("what nodes say of their freshness and clients of what is saved is compared often", () => {
  const first = keeping(freshnessHonesty, (world) => new FreshnessHonesty(world))
  const makeSaved = (world: World) => new SavedHonesty(world)
  const { kept: saved, catalogue } = keeping(savedHonesty, makeSaved, first.catalogue)
  const freshness = first.kept
  for (const seed of [...SEEDS, 3]) {
    expect(runToEnd({ ...size, seed }, catalogue).failure).toBeUndefined()
  }
  const sum = (numbers: readonly number[]) => numbers.reduce((one, other) => one + other, 0)
  expect(sum(freshness.map(({ frames }) => frames))).toBeGreaterThan(20)
  expect(sum(freshness.map(({ compared }) => compared))).toBeGreaterThan(3)
  expect(sum(saved.map(({ compared }) => compared))).toBeGreaterThan(130)
}, 60_000)
