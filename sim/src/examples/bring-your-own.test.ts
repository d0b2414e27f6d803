/** The example of docs/simulator.md runs, and it is what the page shows. */
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { expect, test } from "vitest"
import { plainOptions } from "../options.ts"
import { runToEnd } from "../run.ts"
import { catalogue } from "./bring-your-own.ts"

function textOf(path: string): string {
  return readFileSync(fileURLToPath(new URL(path, import.meta.url)), "utf8")
}

test("a fault, a workload and an invariant of one's own", () => {
  const options = { ...plainOptions(7), seconds: 30, faults: ["cable:6", "crash"] }
  const report = runToEnd(options, catalogue)
  expect(report.failure).toBeUndefined()
  expect(report.faults.get("cable")).toBeGreaterThan(0)
  expect(report.profile.workload.name).toBe("votes")
  expect(report.writes).toBeGreaterThan(50)
})

test("an invariant of one's own that is broken stops the run and is named", () => {
  const invariants = catalogue.invariants.map((invariant) => {
    if (invariant.name !== "amplification") return invariant
    return {
      ...invariant,
      watch: () => ({
        onTick: (nowMs: number) => {
          if (nowMs > 5000) throw new Error("planted")
        },
      }),
    }
  })
  const { failure } = runToEnd({ ...plainOptions(7), faults: [] }, { ...catalogue, invariants })
  expect(failure?.message).toContain("planted")
  expect(failure?.atMs).toBeLessThan(7000)
})

test("the page shows this code, each part in under 30 lines", () => {
  const parts = textOf("./bring-your-own.ts").match(/^\/\/ A.*\n(?:.*\n)*?^\}\n/gmu) ?? []
  expect(parts).toHaveLength(3)
  const page = textOf("../../../docs/simulator.md")
  for (const part of parts) {
    expect(part.split("\n").length).toBeLessThan(30)
    expect(page).toContain(part)
  }
})
