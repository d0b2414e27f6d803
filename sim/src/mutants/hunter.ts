/**
 * One hunt in a child process, watched from outside: what it found, or that it hung or died. A
 * child that could not even load its sources is the patch's fault, and an error.
 */
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { createInterface } from "node:readline"
import type { Hunt, HuntLine } from "./hunt-options.ts"

export type Catch = {
  readonly seed: number
  readonly invariant: string
  readonly message: string
}

export type HuntWatcher = {
  readonly signal: AbortSignal
  onSeed(seed: number): void
}

/** Past it, a seed hangs: none takes a twentieth of that. */
const SEED_MS_MAX = 60_000
const MEMORY_MIB_MAX = 1536
/** Of what the child wrote last before it died. */
const WORDS_MAX = 400

/** Gives what was caught first; undefined if all seeds are clean. */
export async function hunt(
  folder: string,
  task: Hunt,
  { signal, onSeed }: HuntWatcher,
): Promise<Catch | undefined> {
  const file = join(folder, "sim/src/mutants/hunt.ts")
  const args = [`--max-old-space-size=${MEMORY_MIB_MAX}`, file, JSON.stringify(task)]
  const child = spawn(process.execPath, args, { cwd: folder, stdio: "pipe", signal })
  let words = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    words = (words + text).slice(-WORDS_MAX)
  })
  const ended = endOf(child)
  let seed: number | undefined
  let found: Catch | undefined
  const watchdog = new Watchdog(child)
  for await (const text of createInterface(child.stdout)) {
    // cast: the child is hunt.ts, which prints nothing else.
    const line = JSON.parse(text) as HuntLine
    watchdog.feed()
    if (line.type === "caught") found = line
    seed = line.type === "ready" ? task.fromSeed : line.seed + 1
    onSeed(seed)
  }
  watchdog.stop()
  const status = await ended
  signal.throwIfAborted()
  if (found !== undefined || status === 0) return found
  if (seed === undefined) throw new Error(`the patched sources don't load: ${words}`)
  if (watchdog.bit) return { seed, invariant: "liveness", message: "the run hangs" }
  return { seed, invariant: "assertion", message: `the process ended: ${words}` }
}

async function endOf(child: ChildProcess): Promise<number | null> {
  try {
    await once(child, "close")
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "AbortError") throw error
  }
  return child.exitCode
}

/** Kills a child that says nothing for too long. */
class Watchdog {
  bit = false
  readonly #child: ChildProcess
  #timer: NodeJS.Timeout | undefined

  constructor(child: ChildProcess) {
    this.#child = child
    this.feed()
  }

  feed(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.bit = true
      this.#child.kill("SIGKILL")
    }, SEED_MS_MAX)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}
