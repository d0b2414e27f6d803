/** `npm run demo` as a user starts it: shortened here, with the whole trace in CI. */
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { expect, onTestFinished, test } from "vitest"
import { until, within } from "../demo/wait.ts"
import { isFull } from "./test/start.ts"

const main = fileURLToPath(new URL("../demo/main.ts", import.meta.url))
const length = isFull ? [] : ["--transactions", "3000"]

test("[L9] the demo ends with all nodes and clients at exactly the trace's text", async () => {
  const demo = new Demo(...length)
  expect(await demo.end(240_000), demo.output).toBe(0)
  expect(demo.output).toMatch(/\nverdict +PASSED/)
  expect(demo.output.match(/ as expected\n/g)).toHaveLength(6)
  expect(demo.output).toMatch(/\nkills +1 by SIGKILL\n/)
  expect(demo.leftovers()).toEqual([])
}, 250_000)

test("Ctrl-C ends the demo in order: its nodes and data are gone", async () => {
  const demo = new Demo("--transactions", "3000")
  await until("something is cut", () => demo.output.includes("✂"))
  expect(demo.leftovers()).toHaveLength(4)
  demo.process.kill("SIGINT")
  expect(await demo.end(15_000), demo.output).toBe(130)
  expect(demo.output).toContain("demo: interrupted")
  expect(demo.leftovers()).toEqual([])
})

test("a node that ends by itself fails the demo", async () => {
  const demo = new Demo("--transactions", "3000")
  await until("something is cut", () => demo.output.includes("✂"))
  const [pid] = demo.pids
  if (pid === undefined) throw new Error("it names no process")
  process.kill(pid, "SIGKILL")
  expect(await demo.end(15_000), demo.output).toBe(1)
  expect(demo.output).toMatch(/demo: .*a ended by itself/)
  expect(demo.leftovers()).toEqual([])
})

test("a wrong option is one clear line and exit code 1", async () => {
  const demo = new Demo("--transactions", "many")
  expect(await demo.end(15_000)).toBe(1)
  expect(demo.output).toMatch(/^error: .*'--transactions <n>'.* whole number/)
})

class Demo {
  readonly process: ChildProcess
  output = ""
  readonly #ended: Promise<unknown[]>

  constructor(...flags: readonly string[]) {
    this.process = spawn(process.execPath, [main, ...flags], { stdio: "pipe" })
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.on("data", (data) => (this.output += String(data)))
    }
    this.#ended = once(this.process, "close")
    // By then it has ended, or the test has failed: then it is told to clean up.
    onTestFinished(async () => {
      this.process.kill("SIGTERM")
      await this.#ended
    })
  }

  async end(timeoutMs: number): Promise<unknown> {
    const [code] = await within("the demo ends", this.#ended, { timeoutMs })
    return code
  }

  /** Of the nodes, as it names them. */
  get pids(): number[] {
    return Array.from(this.output.matchAll(/^node .*\((\d+)\)$/gm), ([, pid]) => Number(pid))
  }

  /** Of the processes and the folder that it named, those that still exist. */
  leftovers(): string[] {
    const folders = [/^data in (.+)$/m.exec(this.output)?.[1] ?? ""]
    return [...folders.filter(existsSync), ...this.pids.filter(isRunning).map(String)]
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
