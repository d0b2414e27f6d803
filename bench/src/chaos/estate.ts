/**
 * Everything a run makes on this machine: each thing is known here and to the janitor from the
 * moment it is made until it is undone, so that no way out of a run leaves one behind.
 */
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { undo } from "./things.ts"
import type { Thing } from "./things.ts"

const janitorProgram = fileURLToPath(new URL("janitor.ts", import.meta.url))

export class Estate {
  readonly #things = new Map<number, Thing>()
  readonly #janitor: ChildProcess
  #made = 0

  /** `deadlineMs` from now everything is undone, whatever the runner does. */
  constructor(deadlineMs: number) {
    this.#janitor = spawn(process.execPath, [janitorProgram, String(deadlineMs)], {
      stdio: ["pipe", "ignore", "inherit"],
      detached: true,
    })
    // It may be gone at the very end; then nobody is left to be told.
    this.#janitor.stdin?.on("error", () => {})
  }

  /** Gives what to call once the thing is gone. */
  made(thing: Thing): () => void {
    const id = ++this.#made
    this.#things.set(id, thing)
    this.#tell({ made: id, thing })
    return () => {
      if (this.#things.delete(id)) this.#tell({ undone: id })
    }
  }

  /** Undoes what is left, at once. */
  undoAll(): void {
    for (const [id, thing] of [...this.#things].toReversed()) {
      undo(thing)
      this.#things.delete(id)
      this.#tell({ undone: id })
    }
  }

  /** Undoes what is left, and ends the janitor. */
  async close(): Promise<void> {
    this.undoAll()
    const ended = once(this.#janitor, "exit")
    this.#janitor.stdin?.end()
    if (this.#janitor.exitCode === null && this.#janitor.signalCode === null) await ended
  }

  #tell(word: object): void {
    this.#janitor.stdin?.write(`${JSON.stringify(word)}\n`)
  }
}
