/**
 * Runs one file of tests in a folder and says which failed. What is no verdict of a test is an
 * error: sources that don't load, a name that no test has, tests that were still waiting.
 */
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { readFile, rm } from "node:fs/promises"
import { join } from "node:path"
import type { Tested } from "./mutant.ts"

export type FailedTest = {
  readonly type: "failed"
  readonly file: string
  /** Its whole name. */
  readonly test: string
  readonly message: string
}

const TESTS_MS_MAX = 180_000
/** Of what vitest wrote before it gave up. */
const WORDS_MAX = 2000
/** Of a test that waited in vain, and of sources that make no sense: neither is an assertion. */
const noVerdict =
  /^(?:\w*Error: (?:Test|Hook) timed out|ReferenceError|SyntaxError|Error: Cannot find)/

/** What vitest's JSON reporter says of a file. */
type FileReport = {
  readonly message: string
  readonly assertionResults: readonly {
    readonly status: string
    readonly fullName: string
    readonly failureMessages: readonly string[]
  }[]
}

type Report = { readonly testResults: readonly FileReport[] }

/** @throws Error if the tests gave no verdict. */
export async function failedTests(
  folder: string,
  { file, title }: Tested,
  signal: AbortSignal,
): Promise<FailedTest[]> {
  const { testResults: results, words } = await report(folder, file, title, signal)
  const tests = results.flatMap(({ assertionResults }) => assertionResults)
  const failed = tests.filter(({ status }) => status === "failed")
  const why = results.map(({ message }) => message).join("\n")
  if (failed.length === 0) {
    if (tests.some(({ status }) => status === "passed") && why === "") return []
    throw new Error(`${file}: no test ran: ${why === "" ? words : why}`)
  }
  const verdicts = failed.flatMap(({ fullName: test, failureMessages: [message = ""] }) => {
    return noVerdict.test(message) ? [] : [{ type: "failed", file, test, message } as const]
  })
  if (verdicts.length > 0) return verdicts
  throw new Error(`${file}: ${failed.map((one) => one.failureMessages[0]).join("\n")}`)
}

async function report(
  folder: string,
  file: string,
  title: string | undefined,
  signal: AbortSignal,
): Promise<Report & { words: string }> {
  const output = join(folder, "tests.json")
  await rm(output, { force: true })
  const pattern = title === undefined ? [] : ["-t", title.replaceAll(/[^\w ]/g, "\\$&")]
  const cli = join(folder, "node_modules/vitest/vitest.mjs")
  const args = [cli, "run", file, ...pattern, "--reporter=json", `--outputFile=${output}`]
  // A group of its own: its workers, and the servers they started, must not outlive it.
  const how = { cwd: folder, env: ownEnvironment(), stdio: "pipe", detached: true } as const
  const child = spawn(process.execPath, args, how)
  let words = ""
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      words = (words + text).slice(-WORDS_MAX)
    })
  }
  const late = AbortSignal.timeout(TESTS_MS_MAX)
  const ends = AbortSignal.any([signal, late])
  const stop = (): void => stopGroup(child)
  ends.addEventListener("abort", stop)
  if (ends.aborted) stop()
  await once(child, "close")
  ends.removeEventListener("abort", stop)
  signal.throwIfAborted()
  if (late.aborted) throw new Error(`${file}: not done within ${TESTS_MS_MAX / 1000} s`)
  try {
    // cast: vitest wrote it; `Report` is the part of it that is read.
    return { ...(JSON.parse(await readFile(output, "utf8")) as Report), words }
  } catch (cause) {
    throw new Error(`${file}: no report: ${words}`, { cause })
  }
}

function stopGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, "SIGKILL")
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error
  }
}

/** Without what a vitest around this process says of itself. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const known = Object.entries(process.env).filter(([name]) => !/^(?:VITEST|TEST$)/.test(name))
  return { ...Object.fromEntries(known), NO_COLOR: "1" }
}
