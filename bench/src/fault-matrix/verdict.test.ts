/** A planted loss of every kind is noticed, and nothing is seen where nothing is wrong. */
import { expect, test } from "vitest"
import { matrixCases } from "./cases.ts"
import { contenderNames, contenderOf } from "./contenders.ts"
import { failuresOf, renderFates, renderKnown, renderVerdicts, verdictCell } from "./report.ts"
import type { Matrix } from "./report.ts"
import { skippedOf } from "./runs.ts"
import type { Run } from "./runs.ts"
import { findings, findingsOf, lostWords } from "./verdict.ts"
import type { Fate, Finding, Observation } from "./verdict.ts"

const kept: Fate = { word: "[a]", told: true, onDisk: true, after: [true, true] }
const sound: Observation = {
  fates: [kept],
  same: true,
  stoppedInTime: true,
  malformedTaken: false,
  opensNew: true,
  crashed: false,
}

const planted: readonly (readonly [string, Partial<Observation>, Finding])[] = [
  ["gone everywhere", { fates: [{ ...kept, after: [false, false] }] }, "lost"],
  ["gone on one node", { fates: [kept, { ...kept, after: [true, false] }] }, "lost"],
  ["no node could be asked", { fates: [{ ...kept, after: [] }] }, "lost"],
  ["nodes that differ", { same: false }, "differs"],
  ["a malformed update that was acked", { malformedTaken: true }, "false ack"],
  ["on no disk", { fates: [{ ...kept, onDisk: false }] }, "unstored"],
  ["a server that does not stop", { stoppedInTime: false }, "hung"],
  ["a server that ended by itself", { crashed: true }, "crashed"],
  ["no new document", { opensNew: false }, "unavailable"],
]

test.each(planted)("%s", (_what, wrong, finding) => {
  expect(findingsOf({ ...sound, ...wrong })).toEqual([finding])
})

test("every finding is planted once at least, and a sound run has none", () => {
  expect(new Set(planted.map(([, , finding]) => finding))).toEqual(new Set(findings))
  expect(findingsOf(sound)).toEqual([])
  expect(findingsOf({ fates: [] })).toEqual([])
})

test("a write whose client was never told that it is safe is not lost", () => {
  const untold = { ...kept, told: false, onDisk: false, after: [false, false] }
  expect(findingsOf({ ...sound, fates: [untold] })).toEqual([])
  expect(lostWords({ fates: [untold, { ...kept, word: "[b]", after: [false] }] })).toEqual(["[b]"])
})

function played(contender: Run["contender"], time: number, wrong: Partial<Observation> = {}): Run {
  const observation = { ...sound, ...wrong }
  const what = { case: "crash-after-ack", contender, time, seconds: 1 }
  return { ...what, outcome: "played", findings: findingsOf(observation), observation }
}

function matrixOf(runs: readonly Run[]): Matrix {
  const cases = matrixCases.filter(({ name }) => name === "crash-after-ack")
  return { cases, contenders: contenderNames.map(contenderOf), runs, skipped: [] }
}

const gone = { fates: [{ ...kept, after: [false] }] }

test("the table counts runs; a loss of ours fails the command, one of others does not", () => {
  const theirs = matrixOf([played("hocuspocus", 1, gone), played("causeway-sdk", 1)])
  expect(failuresOf(theirs)).toEqual([])
  expect(verdictCell(theirs, "crash-after-ack", "hocuspocus")).toBe("lost 1/1")
  expect(verdictCell(theirs, "crash-after-ack", "causeway-sdk")).toBe("kept 1/1")
  expect(verdictCell(theirs, "crash-after-ack", "causeway-y-websocket")).toBe("skipped")
  const ours = matrixOf([
    played("causeway-sdk", 1),
    played("causeway-sdk", 2, { ...gone, stoppedInTime: false }),
  ])
  expect(failuresOf(ours)).toEqual(["crash-after-ack, causeway-sdk, run 2: lost, hung: [a]"])
  expect(verdictCell(ours, "crash-after-ack", "causeway-sdk")).toBe("lost 1/2, hung 1/2")
  expect(renderVerdicts(ours)).toContain("lost 1/2, hung 1/2")
  expect(renderFates(ours)).toMatch(/causeway-sdk +\| \[a\] +\| +2\/2 \|.* 1\/2 \| same 2\/2 \|/)
})

test("a run of ours that could not be played fails the command", () => {
  const what = { case: "crash-after-ack", time: 1, seconds: 1 } as const
  const failed = { ...what, contender: "causeway-sdk", outcome: "failed", error: "no" } as const
  const matrix = matrixOf([failed])
  expect(failuresOf(matrix)).toEqual(["crash-after-ack, causeway-sdk, run 1: no"])
  expect(verdictCell(matrix, "crash-after-ack", "causeway-sdk")).toBe("not played 1/1")
})

test("what is known of Hocuspocus is told seen or not seen, and what is new", () => {
  const again = matrixOf([played("hocuspocus", 1, gone), played("hocuspocus", 2)])
  expect(renderKnown(again)).toBe("- crash-after-ack: lost: seen (1/2)")
  const changed = matrixOf([played("hocuspocus", 1, { stoppedInTime: false })])
  expect(renderKnown(changed)).toBe("- crash-after-ack: lost: not seen (0/1); hung: new (1/1)")
})

test("without Redis, or the right to mount, what needs it is skipped, with a reason", () => {
  const contenders = contenderNames.map(contenderOf)
  const plan = { cases: matrixCases, contenders }
  const all = { redis: "/usr/bin/redis-server", whyNoSmallDisk: undefined }
  expect(skippedOf({ ...plan, machine: all })).toEqual([])
  const noRedis = skippedOf({ ...plan, machine: { ...all, redis: undefined } })
  expect(noRedis.map((one) => `${one.case} ${one.contender}`)).toEqual([
    "together hocuspocus",
    "network-killed hocuspocus",
    "outage-4s hocuspocus",
    "outage-20s hocuspocus",
  ])
  for (const { why } of noRedis) expect(why).toMatch(/redis-server is not installed .*apt-get/)
  const noMount = skippedOf({ ...plan, machine: { ...all, whyNoSmallDisk: "no root" } })
  expect(new Set(noMount.map((one) => one.case))).toEqual(
    new Set(["store-fails-once", "store-fails-once-stays", "store-fails-at-shutdown"]),
  )
})
