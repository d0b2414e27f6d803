/** The command itself, on the cases that need neither Redis nor root, and checks on real losses. */
import { execFile } from "node:child_process"
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, beforeAll, expect, test } from "vitest"
import { killAllServers } from "../servers/server-process.ts"
import { matrixCases } from "./cases.ts"
import { contenderOf } from "./contenders.ts"
import { failuresOf } from "./report.ts"
import { playAll } from "./runs.ts"

const program = fileURLToPath(new URL("main.ts", import.meta.url))
const run = promisify(execFile)
let folder = ""

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "causeway-matrix-test-"))
})

afterAll(async () => {
  killAllServers()
  await rm(folder, { recursive: true, force: true })
})

test("a short run: Causeway keeps what Hocuspocus loses, and nothing is left behind", async () => {
  const json = join(folder, "matrix.json")
  const cases = ["--case", "crash-after-ack", "--case", "in-order"]
  const chosen = [...cases, "--times", "1", "--folder", folder, "--json", json]
  const { stdout } = await run(process.execPath, [program, ...chosen], { timeout: 50_000 })
  expect(stdout).toMatch(/\| crash-after-ack .*\| lost 1\/1 +\| kept 1\/1 +\| kept 1\/1 +\|/)
  expect(stdout).toMatch(/\| in-order .*\| kept 1\/1 +\| kept 1\/1 +\| kept 1\/1 +\|/)
  expect(stdout).toContain("- crash-after-ack: lost: seen (1/1)")
  const report: unknown = JSON.parse(await readFile(json, "utf8"))
  expect(report).toMatchObject({ times: 1, skipped: [], failures: [] })
  expect(await readdir(folder)).toEqual(["matrix.json"])
})

test("what loses acked writes is found out, and fails the command if it is ours", async () => {
  const contenders = [{ ...contenderOf("hocuspocus"), ours: true }]
  const cases = matrixCases.filter(({ name }) => name === "crash-after-ack")
  const machine = { redis: undefined, whyNoSmallDisk: "not needed" }
  const root = folder
  const progress = (): void => undefined
  const plan = { cases, contenders, machine, times: 1, atOnce: 1, root, progress }
  const runs = await playAll(plan)
  expect(failuresOf({ cases, contenders, runs, skipped: [] })).toEqual([
    "crash-after-ack, hocuspocus, run 1: lost: [acked]",
  ])
})

test("an unknown case is refused with the list of what there is", async () => {
  await expect(run(process.execPath, [program, "--case", "flood"])).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/There is: in-order, together, crash-after-ack, /),
  })
  const { stdout } = await run(process.execPath, [program, "--help"])
  expect(stdout).toMatch(/Exit code 1 if anything is found\s+at Causeway/)
})
