/**
 * The program as it is run, short: what it started is gone in the end, however it ends. It needs
 * Toxiproxy, which it does not build here: `npm run chaos` does so once, and CI runs it.
 */
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { existsSync, readFileSync } from "node:fs"
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { findToxiproxy } from "./machine.ts"
import { until } from "./wait.ts"

const program = fileURLToPath(new URL("main.ts", import.meta.url))
const runMsMax = 120_000
const isThere = findToxiproxy() !== undefined
if (!isThere) console.warn("SKIPPED: no Toxiproxy here, so no real chaos (docs/chaos.md)")

let folder = ""
let chaos: Chaos | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "causeway-chaos-test-"))
})

afterEach(async () => {
  chaos?.process.kill("SIGKILL")
  chaos = undefined
  await rm(folder, { recursive: true, force: true })
})

class Chaos {
  readonly process: ChildProcess
  output = ""

  constructor(...args: readonly string[]) {
    this.process = spawn(process.execPath, [program, "--folder", folder, ...args])
    const add = (data: unknown) => (this.output += String(data))
    this.process.stdout?.on("data", add)
    this.process.stderr?.on("data", add)
  }

  async says(text: string): Promise<void> {
    const { process } = this
    const isSaid = () => this.output.includes(text)
    const isOver = () => isSaid() || process.exitCode !== null
    await until(`says "${text}"`, isOver, { timeoutMs: runMsMax })
    if (!isSaid()) throw new Error(`it ended and did not say "${text}": ${this.output}`)
  }

  /** Process ids of nodes, from its own words. */
  get nodes(): number[] {
    return [...this.output.matchAll(/\(process (\d+)\)/g)].map(([, pid]) => Number(pid))
  }

  async nothingIsLeft(): Promise<void> {
    const { nodes } = this
    if (nodes.length === 0) throw new Error(`it named no nodes: ${this.output}`)
    const isGone = () => !nodes.some((pid) => existsSync(`/proc/${pid}`))
    await until("no node runs", isGone, { timeoutMs: 10_000 })
    const isUnmounted = () => !readFileSync("/proc/mounts", "utf8").includes(folder)
    await until("nothing is mounted", isUnmounted, { timeoutMs: 10_000 })
  }
}

test("--plan prints the schedule of a seed; what makes no sense is refused", async () => {
  const plan = async (...args: readonly string[]) => {
    const planned = new Chaos("--plan", ...args)
    const [code] = await once(planned.process, "close")
    return { code, output: planned.output }
  }
  const seven = await plan("--seed", "7")
  expect(seven).toEqual(await plan("--seed", "7"))
  expect(seven).toMatchObject({ code: 0, output: expect.stringMatching(/^round 1, \d+\.\d s\n/) })
  expect(await plan("--nodes", "2")).toMatchObject({ code: 2 })
})

describe.skipIf(!isThere)("with Toxiproxy", () => {
  test(
    "a short run keeps its promises, reports them, and leaves nothing",
    { timeout: runMsMax },
    async () => {
      const json = join(folder, "report.json")
      chaos = new Chaos("--seed", "4", "--minutes", "0.25", "--json", json)
      const [code] = await once(chaos.process, "close")
      expect(code, chaos.output).toBe(0)
      expect(chaos.output).toMatch(/^acked lost +0$/m)
      const report: unknown = JSON.parse(await readFile(json, "utf8"))
      expect(report).toMatchObject({ seed: 4, rounds: 1, violations: [] })
      await chaos.nothingIsLeft()
      expect(await readdir(folder)).toEqual(["report.json"])
    },
  )

  test("Ctrl-C heals, checks and leaves nothing", { timeout: runMsMax }, async () => {
    chaos = new Chaos("--seed", "5", "--minutes", "2")
    await chaos.says("round 1 of")
    chaos.process.kill("SIGINT")
    const [code] = await once(chaos.process, "close")
    expect(code, chaos.output).toBe(130)
    expect(chaos.output).toContain("level after")
    await chaos.nothingIsLeft()
    expect(await readdir(folder)).toEqual([])
  })

  test("a runner that is killed leaves nothing but its folder", { timeout: runMsMax }, async () => {
    chaos = new Chaos("--seed", "6", "--minutes", "2")
    await chaos.says("round 1 of")
    chaos.process.kill("SIGKILL")
    await once(chaos.process, "close")
    await chaos.nothingIsLeft()
  })
})
