/** Every patch still fits the sources and says what it is for, and a hunt ends as it should. */
import { expect, test } from "vitest"
import { allInvariants } from "../invariants/index.ts"
import { runMutants } from "./index.ts"
import { listMutants, repository } from "./mutant.ts"
import { checkPatch } from "./scratch.ts"

const mutants = listMutants()

test("there are enough of them", () => {
  expect(mutants.length).toBeGreaterThanOrEqual(30)
})

test.each(mutants)("$name applies", async (mutant) => {
  await checkPatch(repository, mutant)
  expect(mutant.bug).toMatch(/^[A-Z].*[.)]$/)
  const known = [...allInvariants.map(({ name }) => name), "determinism"]
  expect(known).toEqual(expect.arrayContaining([...mutant.caughtBy]))
})

test("one of them is caught, and what it is not caught by is said", async () => {
  const [result] = await runMutants({
    jobs: 1,
    only: ["ack-before-fsync"],
    seedsMax: 3,
    signal: AbortSignal.timeout(50_000),
    onProgress: () => undefined,
    onResult: () => undefined,
  })
  expect(result).toMatchObject({ verdict: "caught", caught: { invariant: "no-acked-write-lost" } })
})

test("one that is not known is refused", async () => {
  const hunt = runMutants({
    jobs: 1,
    only: ["no-such-bug"],
    seedsMax: 1,
    signal: AbortSignal.timeout(50_000),
    onProgress: () => undefined,
    onResult: () => undefined,
  })
  await expect(hunt).rejects.toThrow("no mutant is called no-such-bug")
})
