/** The command on small sizes: what was typed is drained and opens again; nothing is left. */
import { execFile } from "node:child_process"
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { expect, onTestFinished, test } from "vitest"

const program = fileURLToPath(new URL("main.ts", import.meta.url))
const runMsMax = 120_000

test(
  "what was typed offline is drained, and a stored document opens",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "causeway-bench-sdk-"))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const json = join(folder, "report.json")
    const chosen = ["--quick", "--rounds", "1", "--measure", "week", "--measure", "open"]
    const args = [program, ...chosen, "--folder", folder, "--json", json]
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: runMsMax })
    expect(stdout).toContain("## a week offline")
    expect(JSON.parse(await readFile(json, "utf8"))).toMatchObject({
      report: {
        week: [{ values: { updates: 2000 }, failures: [] }],
        open: [{ values: { edits: 5000 }, failures: [] }],
      },
    })
    expect(await readdir(folder)).toEqual(["report.json"])
  },
  runMsMax,
)
