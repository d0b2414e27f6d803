/**
 * Each rule of replication, and each of links, epochs and clients, has a mutant that breaks it, and
 * no mutant breaks a rule that there is not. `sim mutants` shows that they are caught.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { listMutants, repository } from "./mutant.ts"

function idsIn(text: string): string[] {
  return [...text.matchAll(/\[([A-Z]\d+)\]/g)].map(([, id = ""]) => id)
}

function rulesOf(path: string): string[] {
  const text = readFileSync(join(repository, path), "utf8")
  return idsIn((text.match(/^- \*\*\[[A-Z]\d+\]\*\*/gm) ?? []).join("\n"))
}

const protocol = rulesOf("docs/protocol.md")
const replication = rulesOf("docs/replication.md")
const broken = new Set(listMutants().flatMap(({ breaks }) => breaks))

test("each rule of replication has a mutant that breaks it", () => {
  const ofProtocol = protocol.filter((rule) => /^[LEC]/.test(rule))
  const needed = [...ofProtocol, ...replication]
  expect(needed.length).toBeGreaterThan(80)
  expect(needed.filter((rule) => !broken.has(rule))).toEqual([])
})

test("no mutant breaks a rule that there is not", () => {
  const unknown = [...broken].filter((rule) => ![...protocol, ...replication].includes(rule))
  expect(unknown).toEqual([])
})

/** What it breaks is the simulator's own promise, that a seed is a run. */
const ofNoRule = ["unseeded-jitter"]

test("each mutant breaks a rule", () => {
  const aimless = listMutants().filter(({ breaks }) => breaks.length === 0)
  expect(aimless.map(({ name }) => name)).toEqual(ofNoRule)
})
