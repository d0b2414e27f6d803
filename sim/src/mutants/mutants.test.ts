/** Every patch still fits the sources and says what it is for, and a hunt ends as it should. */
import { readdirSync, readFileSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { expect, test } from "vitest"
import { allInvariants } from "../invariants/index.ts"
import { runMutants } from "./index.ts"
import { listMutants, repository } from "./mutant.ts"
import { checkPatch, Scratch } from "./scratch.ts"
import { failedTests } from "./vitest.ts"

const mutants = listMutants()

test("there are enough of them", () => {
  expect(mutants.length).toBeGreaterThanOrEqual(30)
})

test.each(mutants)("$name applies", async (mutant) => {
  await checkPatch(repository, mutant)
  expect(mutant.bug).toMatch(/^[A-Z].*[.)]$/)
})

const simulated = mutants.flatMap(({ name, judge }) => {
  return judge.type === "simulator" ? [{ name, judge }] : []
})

test.each(simulated)("$name is expected by invariants that there are", ({ judge }) => {
  const known = [...allInvariants.map(({ name }) => name), "determinism"]
  expect(known).toEqual(expect.arrayContaining([...judge.caughtBy]))
})

const tested = mutants.flatMap(({ name, judge }) => {
  return judge.type === "test" ? [{ name, judge }] : []
})

test.for(tested)("$name is expected by a test that there is", ({ judge: { file, title = "" } }) => {
  expect(file).toMatch(/^(?:crdt|server|client-sdk|sim)\/.*\.test\.ts$/)
  const folder = dirname(join(repository, file))
  const code = [basename(file), ...readdirSync(folder)].filter((name) => name.endsWith(".ts"))
  // Names of scenarios stand beside the file that runs them.
  const texts = code.map((name) => readFileSync(join(folder, name), "utf8"))
  expect(texts.some((text) => text.includes(title))).toBe(true)
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

test("a test's verdict is its own, and what is none is an error", async () => {
  const scratch = await Scratch.create(repository)
  const signal = AbortSignal.timeout(50_000)
  const file = "crdt/src/verdict.test.ts"
  const run = (title?: string) => failedTests(scratch.folder, { type: "test", file, title }, signal)
  const write = (body: string): Promise<void> =>
    writeFile(join(scratch.folder, file), `import { expect, test } from "vitest"\n${body}`)
  try {
    await write(`
      test("[L1] is so (always)", () => expect(1).toBe(1))
      test("[L2] is not", () => expect(1).toBe(2))
      test("waits", () => new Promise(() => {}), 10)
      test("is mistyped", () => nothing)
    `)
    expect(await run("[L1] is so (always)")).toEqual([])
    expect(await run()).toMatchObject([{ type: "failed", test: "[L2] is not" }])
    await expect(run("waits")).rejects.toThrow("timed out")
    await expect(run("is mistyped")).rejects.toThrow("nothing is not defined")
    await expect(run("no such test")).rejects.toThrow("no test ran")
    await write(`import "./no-such-file.ts"`)
    await expect(run()).rejects.toThrow("no test ran")
  } finally {
    await scratch.remove()
  }
})
