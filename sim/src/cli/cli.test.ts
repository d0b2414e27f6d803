import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Command } from "commander"
import { afterAll, describe, expect, test } from "vitest"
import { plainOptions } from "../options.ts"
import { replayOption, withSize } from "./arguments.ts"
import { checkOutput } from "./output.ts"
import { addRun } from "./run.ts"
import { addShow } from "./show.ts"
import { addShrink } from "./shrink.ts"
import { addSwarm } from "./swarm.ts"

const cli = fileURLToPath(new URL("./main.ts", import.meta.url))

function sim(...args: readonly string[]) {
  return spawnSync(process.execPath, [cli, ...args], { encoding: "utf8", timeout: 60_000 })
}

/** The commands as `sim` has them, in this process. */
function commands(): Command {
  const program = new Command("sim")
  for (const add of [addRun, addSwarm, addShrink, addShow]) add(program)
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ writeErr: () => undefined })
  }
  return program
}

const scratch = mkdtempSync(join(tmpdir(), "causeway-cli-test-"))
const temporary = join(scratch, "temporary")
mkdirSync(temporary)
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** Runs until `isUnderWay` likes what was said, is sent `signal`, and has to end by itself. */
async function interrupted(
  args: readonly string[],
  signal: "SIGINT" | "SIGTERM",
  isUnderWay: (stdout: string) => boolean,
) {
  const child = spawn(process.execPath, [cli, ...args], {
    env: { ...process.env, TMPDIR: temporary },
    signal: AbortSignal.timeout(60_000),
  })
  let stdout = ""
  let signalledMs: number | undefined
  const look = (): void => {
    if (signalledMs !== undefined || !isUnderWay(stdout)) return
    signalledMs = performance.now()
    child.kill(signal)
  }
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text
    look()
  })
  const timer = setInterval(look, 20)
  const [status]: unknown[] = await once(child, "close")
  clearInterval(timer)
  return { status, stdout, tookMs: performance.now() - (signalledMs ?? Infinity) }
}

test("more nodes than a node takes links are refused with the most there may be", () => {
  const { status, stdout, stderr } = sim("--nodes", "129", "--seconds", "0")
  expect(stderr).toContain("argument '129' is invalid. a number from 1 to 128 is wanted")
  expect([status, stdout]).toEqual([2, ""])
})

describe("what a command writes", () => {
  const elsewhere = join(scratch, "elsewhere")
  const size = ["--nodes", "1", "--seconds", "0", "--faults", "none"]

  test.each([
    ["show", ["show", "--seed", "1", ...size, "--out"]],
    ["shrink", ["shrink", "--seed", "1", ...size, "--out"]],
    ["swarm", ["swarm", "--seeds", "1..1", "--jobs", "1", ...size, "--scoreboard"]],
  ])("%s does not begin if its file could not be written", (_, args) => {
    const { status, stdout, stderr } = sim(...args, join(elsewhere, "x"))
    expect([status, stdout]).toEqual([2, ""])
    expect(stderr).toBe(
      `error: ${join(elsewhere, "x")} can't be written: ` +
        `there is no folder ${elsewhere}; make it or name another file\n`,
    )
  })

  test("nor if it is a folder", () => {
    const why = `${scratch} can't be written: it is a folder; name a file in it`
    expect(() => checkOutput(scratch)).toThrow(why)
  })

  test.runIf(existsSync("/dev/full"))("a disk that fills up meanwhile is told in words", () => {
    const { status, stdout, stderr } = sim("show", "--seed", "1", ...size, "--out", "/dev/full")
    expect(stdout).toBe("seed 1: every promise kept\n")
    expect(stderr).toMatch(/^error: \/dev\/full could not be written: ENOSPC.* another file\n$/)
    expect(status).toBe(2)
  })
})

test("of two options that exclude each other neither is ignored", async () => {
  const replay = join(scratch, "replay.json")
  writeFileSync(replay, JSON.stringify({ ...plainOptions(3), seconds: 0, faults: [] }))
  const parse = (...args: readonly string[]) => commands().parseAsync(args, { from: "user" })
  await expect(parse("swarm", "--seeds", "1..2", "--runs", "5")).rejects.toThrow(
    "option '--seeds <a..b>' cannot be used with option '--runs <n>'",
  )
  for (const command of ["run", "show", "shrink"]) {
    const both = ["--replay", replay, "--seed", "4"]
    await expect(parse(command, ...both)).rejects.toThrow(/cannot be.*'--seed <n>'/)
  }
  expect(sim("--replay", replay).status).toBe(0)
})

test.each([
  ["--seed", "4"],
  ["--nodes", "2"],
  ["--clients", "2"],
  ["--stock-clients", "2"],
  ["--seconds", "60"],
  ["--writes-per-second", "2"],
  ["--faults", "all"],
  ["--workload", "mixed"],
])("what was written down is not replayed with another %s", (option, value) => {
  const replay = join(scratch, "replay-alone.json")
  const options = { ...plainOptions(3), faults: [] }
  writeFileSync(replay, JSON.stringify(options))
  const parse = (...args: readonly string[]) => {
    const command = new Command().exitOverride().configureOutput({ writeErr: () => undefined })
    command.option("--seed <n>").addOption(replayOption("a test"))
    return withSize(command, options).parse(args, { from: "user" }).opts()
  }
  expect(parse("--replay", replay, "--with", "x")).toMatchObject({ replay: { options } })
  expect(parse(option, value)).not.toHaveProperty("replay")
  expect(() => parse("--replay", replay, option, value)).toThrow(
    `option '--replay <file>' cannot be used with option '${option} <`,
  )
})

test("a quarter of the nodes that there may be all meet", () => {
  const { status, stdout } = sim("--nodes", "32", "--seconds", "0", "--seed", "3", "--faults=none")
  expect(stdout).toContain("verdict  ok")
  expect(status).toBe(0)
})

test("Ctrl-C is heard while a big cluster converges", async () => {
  // Without safety the first thing that is said is said right before liveness.
  const args = ["--nodes", "100", "--seconds", "0", "--seed", "3", "--faults=none"]
  const ended = await interrupted(args, "SIGINT", (stdout) => stdout.includes("faults   none"))
  expect(ended.stdout).not.toContain("verdict")
  expect(ended.status).toBe(130)
  expect(ended.tookMs).toBeLessThan(15_000)
})

test("a swarm tells of a violation all that `run` tells, but for fewer of the last events", () => {
  const own = join(scratch, "own.mjs")
  const source = (file: string): string => JSON.stringify(new URL(`../${file}`, import.meta.url))
  writeFileSync(
    own,
    `import { builtIn } from ${source("catalogue.ts")}
    import { Violation } from ${source("violation.ts")}
    const fail = () => { throw new Violation("no-fourth-second", "it came") }
    const watch = () => ({ onTick: (nowMs) => nowMs >= 4000 && fail() })
    const invariants = [{ name: "no-fourth-second", explain: "a test", watch }]
    export const catalogue = { ...builtIn, invariants }`,
  )
  const args = ["swarm", "--seeds", "5..5", "--jobs", "1", "--with", own, "--nodes", "2"]
  const { status, stdout } = sim(...args)
  expect(status).toBe(1)
  const [, events = ""] = /last events:\n((?: {2}.*\n)+)VIOLATION/.exec(stdout) ?? []
  expect(events.trimEnd().split("\n")).toHaveLength(30)
  expect(stdout).toMatch(/VIOLATION of no-fourth-second at 4000\.000 ms, seed 5: it came/)
  expect(stdout).toMatch(/npm run sim -- --seed 5 --nodes 2 .* --with /)

  const summary: unknown = JSON.parse(sim(...args, "--json").stdout)
  const lines = events
    .trimEnd()
    .split("\n")
    .map((line) => line.slice(2))
  const failure = { invariant: "no-fourth-second", atMs: 4000, lastEvents: lines }
  expect(summary).toMatchObject({ failure, replay: expect.stringContaining("--seed 5") })
})

test("SIGTERM ends a hunt for mutants as Ctrl-C does, and its scratch copy is gone", async () => {
  const args = ["mutants", "--only", "ack-before-fsync", "--jobs", "1"]
  const isCopied = (): boolean =>
    readdirSync(temporary).some((name) => readdirSync(join(temporary, name)).includes("sim"))
  const ended = await interrupted(args, "SIGTERM", isCopied)
  expect(ended.status).toBe(130)
  expect(readdirSync(temporary)).toEqual([])
})
