import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, readFileSync } from "node:fs"
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, beforeAll, expect, test } from "vitest"

const program = fileURLToPath(new URL("main.ts", import.meta.url))
const run = promisify(execFile)
let folder = ""

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "causeway-bench-test-"))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

test("a quick run against the bare relay measures, checks, reports and cleans up", async () => {
  const json = join(folder, "report.json")
  const chosen = ["--quick", "--seconds", "1", "--scenario", "20x5", "--server", "relay"]
  const { stdout } = await run(
    process.execPath,
    [program, ...chosen, "--folder", folder, "--json", json],
    { timeout: 30_000 },
  )
  expect(stdout).toMatch(/^\d{4}-\d\d-\d\dT.* · Node v/)
  expect(stdout).toMatch(/\| 20x5 +\| bare ws relay +\|/)
  const report: unknown = JSON.parse(await readFile(json, "utf8"))
  expect(report).toMatchObject({
    runs: [
      {
        scenario: "20x5",
        server: "relay",
        round: 1,
        failures: [],
        measures: { deliveredShare: 1, updatesPerFrame: 1 },
      },
    ],
  })
  expect(await readdir(folder)).toEqual(["report.json"])
})

test("Ctrl-C stops every process and removes the data", async () => {
  const chosen = ["--quick", "--scenario", "20x5", "--server", "relay", "--folder", folder]
  const bench = spawn(process.execPath, [program, ...chosen], { stdio: "ignore" })
  const exited = once(bench, "exit")
  const children = await childrenOf(bench.pid ?? 0, 2)
  bench.kill("SIGINT")
  expect(await exited).toEqual([130, null])
  for (const child of children) {
    await until(() => !isAlive(child))
  }
  expect(await readdir(folder)).not.toContainEqual(expect.stringMatching(/^causeway-bench-/))
})

test("an unknown scenario is refused with the list of what there is", async () => {
  const refused = run(process.execPath, [program, "--scenario", "nonsense"])
  await expect(refused).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/There is: 1x100-200, /),
  })
})

/** The child processes of `pid` once there are `count`: here the server and the load. */
async function childrenOf(pid: number, count: number): Promise<number[]> {
  const list = (): number[] =>
    readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number)
  await until(() => list().length >= count)
  return list()
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`)
}

async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 10_000
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error("did not happen within 10 s")
    await delay(10)
  }
}
