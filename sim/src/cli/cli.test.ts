import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, expect, test } from "vitest"

const cli = fileURLToPath(new URL("./main.ts", import.meta.url))

function sim(...args: readonly string[]) {
  return spawnSync(process.execPath, [cli, ...args], { encoding: "utf8", timeout: 60_000 })
}

const scratch = mkdtempSync(join(tmpdir(), "causeway-cli-test-"))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** Runs until `isUnderWay` likes what was said, is sent `signal`, and has to end by itself. */
async function interrupted(
  args: readonly string[],
  signal: "SIGINT" | "SIGTERM",
  isUnderWay: (stdout: string) => boolean,
) {
  const child = spawn(process.execPath, [cli, ...args], {
    env: { ...process.env, TMPDIR: scratch },
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

test("half as many nodes as there may be all meet", () => {
  const { status, stdout } = sim("--nodes", "64", "--seconds", "0", "--seed", "3", "--faults=none")
  expect(stdout).toContain("verdict  ok")
  expect(status).toBe(0)
})

test("Ctrl-C is heard while a big cluster converges", async () => {
  // Without safety the first thing that is said is said right before liveness.
  const args = ["--nodes", "100", "--seconds", "0", "--seed", "3", "--faults=none"]
  const ended = await interrupted(args, "SIGINT", (stdout) => stdout.includes("faults   none"))
  expect(ended.stdout).not.toContain("verdict")
  expect(ended.status).toBe(130)
  expect(ended.tookMs).toBeLessThan(5000)
})

test("SIGTERM ends a hunt for mutants as Ctrl-C does, and its scratch copy is gone", async () => {
  const args = ["mutants", "--only", "ack-before-fsync", "--jobs", "1"]
  const isCopied = (): boolean =>
    readdirSync(scratch).some((name) => readdirSync(join(scratch, name)).includes("sim"))
  const ended = await interrupted(args, "SIGTERM", isCopied)
  expect(ended.status).toBe(130)
  expect(readdirSync(scratch)).toEqual([])
})
