/**
 * Many runs over the cores: each of `jobs` processes runs one after the other, so that a run that
 * hangs or dies takes no other with it. Ends when the runs run out or when `signal` says so.
 */
import { fork } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { SimOptions } from "../options.ts"
import type { RunSummary } from "./summary.ts"

export type SwarmOptions = {
  readonly runs: Iterator<SimOptions>
  readonly jobs: number
  /** The module of a catalogue, as in `loadCatalogue`. */
  readonly catalogue: string | undefined
  readonly signal: AbortSignal
  readonly onRun: (summary: RunSummary) => void
}

const program = fileURLToPath(new URL("./worker.ts", import.meta.url))
/** A run that takes longer hangs, whatever its size. */
const RUN_MS_MAX = 5 * 60_000

/** A run hung, or killed its process. */
export class SwarmError extends Error {
  override readonly name = "SwarmError"
  readonly options: SimOptions

  constructor(options: SimOptions) {
    super(`seed ${options.seed} hung or killed its process`)
    this.options = options
  }
}

/** Resolves when every process has ended. @throws SwarmError. */
export async function runSwarm(options: SwarmOptions): Promise<void> {
  const workers = Array.from({ length: options.jobs }, () => runWorker(options))
  const results = await Promise.allSettled(workers)
  for (const result of results) if (result.status === "rejected") throw result.reason
}

function runWorker({ runs, catalogue, signal, onRun }: SwarmOptions): Promise<void> {
  const child = fork(program, catalogue === undefined ? [] : [catalogue], {
    execArgv: ["--expose-gc"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  })
  return new Promise((resolve, reject) => {
    let current: SimOptions | undefined
    let timer: NodeJS.Timeout | undefined
    const next = (): void => {
      clearTimeout(timer)
      const { value, done } = runs.next()
      current = done === true ? undefined : value
      if (current === undefined || signal.aborted) return end(child)
      timer = setTimeout(() => child.kill("SIGKILL"), RUN_MS_MAX)
      child.send(current)
    }
    const onAbort = (): void => end(child)
    signal.addEventListener("abort", onAbort)
    child.on("message", (summary: RunSummary) => {
      current = undefined
      onRun(summary)
      next()
    })
    child.on("error", reject)
    child.on("exit", () => {
      clearTimeout(timer)
      signal.removeEventListener("abort", onAbort)
      if (current === undefined || signal.aborted) resolve()
      else reject(new SwarmError(current))
    })
    next()
  })
}

function end(child: ChildProcess): void {
  child.kill("SIGKILL")
}
