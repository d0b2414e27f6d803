import { expect, test } from "vitest"
import { builtIn } from "./catalogue.ts"
import { drawProfile, plainOptions, showProfile } from "./options.ts"
import type { Profile } from "./options.ts"
import { SimRandom } from "./random.ts"

function drawn(seed: number): Profile {
  const all = builtIn.faults.map(({ name }) => name)
  return drawProfile({ ...plainOptions(seed), faults: all }, new SimRandom(seed), builtIn)
}

test("a profile is shown in milliseconds below a second and in seconds above", () => {
  const profile = drawn(1)
  const [network, disk, , log, faults] = showProfile({
    ...profile,
    network: { ...profile.network, nodeDelayMs: 0.5, clientDelayMs: 999.4, detectionMsMax: 2264 },
    disk: { appendMs: 0.051234, readMs: 12 },
    jobMs: 999.7,
    compaction: { tailEntriesMax: 12, tailBytesMax: 3456, truncatedMax: 7, logBytesMax: 78_901 },
    skewMsMax: 99_999,
    faults: profile.faults.slice(0, 1).map(({ fault }) => ({ fault, everyMs: 123_456 })),
  })
  expect(network).toMatch(/node 0\.5 ms, client 999 ms, .* noticed within 2\.26 s$/)
  expect(disk).toMatch(/append 0\.0512 ms, read 12 ms, job 1 s, .* skew 100 s$/)
  expect(log).toContain("over 12 entries or 3456 B, cap 78901 B")
  expect(faults).toMatch(/every 120 s$/)
})

test("no number of any profile is shown with an exponent", () => {
  for (let seed = 1; seed <= 200; seed++) {
    expect(showProfile(drawn(seed)).join("\n")).not.toMatch(/\de[+-]?\d/)
  }
})
