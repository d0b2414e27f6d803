/** The command on small sizes, where Toxiproxy is there; and what it says where it is not. */
import { execFile } from "node:child_process"
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, beforeAll, expect, test } from "vitest"
import { findToxiproxy } from "../chaos/machine.ts"

const program = fileURLToPath(new URL("main.ts", import.meta.url))
const run = promisify(execFile)
/** Four processes on a busy machine; alone it takes ten seconds. */
const runMsMax = 150_000
let folder = ""

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "causeway-replication-test-"))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

test(
  "a small split heals, and everything is counted and cleaned up",
  async (context) => {
    if (findToxiproxy() === undefined) {
      console.warn("SKIPPED: the replication bench needs Toxiproxy (npm run chaos builds it)")
      return context.skip("no Toxiproxy")
    }
    const json = join(folder, "report.json")
    const chosen = ["--quick", "--rounds", "1", "--measure", "heal"]
    const args = [program, ...chosen, "--folder", folder, "--json", json]
    const { stdout } = await run(process.execPath, args, { timeout: runMsMax })
    expect(stdout).toContain("## heal after a split")
    const report: unknown = JSON.parse(await readFile(json, "utf8"))
    expect(report).toMatchObject({ report: { heal: [{ failures: [] }] } })
    const values = /"missingMb": (?<missing>[\d.]+),\s+"lineMb": (?<lines>[\d.]+)/.exec(
      JSON.stringify(report, undefined, 2),
    )?.groups
    expect(Number(values?.["missing"])).toBeGreaterThan(0.1)
    expect(Number(values?.["lines"])).toBeGreaterThan(0.05)
    expect(await readdir(folder)).toEqual(["report.json"])
  },
  runMsMax,
)

test("without Toxiproxy it says what to install, and fails", async () => {
  const env = { PATH: "", CAUSEWAY_TOXIPROXY: "", XDG_CACHE_HOME: folder }
  const refused = run(process.execPath, [program], { env })
  await expect(refused).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining("Toxiproxy is not there"),
  })
})
