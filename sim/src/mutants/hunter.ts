/**
 * One hunt in a child process, watched from outside: what it found, or that it hung or died. A
 * child that could not even load its sources is the patch's fault, and an error.
 */
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { createInterface } from "node:readline"
import type { Catch, Hunt, HuntLine } from "./hunt-options.ts"

export type HuntWatcher = {
  readonly signal: AbortSignal
  readonly onSeed: (seed: number) => void
}

/** Past it, a seed hangs: none takes a twentieth of that. */
const SEED_MS_MAX = 60_000
const MEMORY_MIB_MAX = 1536
/** Of what the child wrote last before it died. */
const WORDS_MAX = 400

/** Gives what was caught, in the order of seeds. A run that hangs or dies ends the hunt. */
export async function hunt(
  folder: string,
  task: Hunt,
  { signal, onSeed }: HuntWatcher,
): Promise<Catch[]> {
  const file = join(folder, "sim/src/mutants/hunt.ts")
  const args = [`--max-old-space-size=${MEMORY_MIB_MAX}`, file, JSON.stringify(task)]
  const how = { cwd: folder, stdio: "pipe", signal, killSignal: "SIGKILL" } as const
  const child = spawn(process.execPath, args, how)
  const ended = endOf(child)
  const watchdog = new Watchdog(child)
  let words = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    words = (words + text).slice(-WORDS_MAX)
  })
  let seed: number | undefined
  const found: Catch[] = []
  for await (const text of createInterface(child.stdout)) {
    watchdog.feed()
    // cast: the child is hunt.ts, which prints nothing else.
    const line = JSON.parse(text) as HuntLine
    if (line.type === "caught") found.push(line)
    seed = line.type === "ready" ? task.fromSeed : line.seed + 1
    onSeed(seed)
  }
  watchdog.stop()
  const status = await ended
  signal.throwIfAborted()
  if (status === 0) return found
  if (seed === undefined) throw new Error(`the sources don't load: ${words}`)
  const [invariant, message] = watchdog.bit
    ? ["liveness", "the run hangs"]
    : ["assertion", `the process ended: ${words}`]
  return [...found, { type: "caught", seed, invariant, message }]
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
