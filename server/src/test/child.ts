/** `causeway serve` as a process of its own, as an operator starts it. */
import { spawn } from "node:child_process"
import type { ChildProcessWithoutNullStreams } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import type { Cleanup } from "./cleanup.ts"
import { soon, until } from "./wait.ts"

const bin = fileURLToPath(new URL("../../bin/causeway.js", import.meta.url))

export type Ended = { readonly code: number | null; readonly signal: NodeJS.Signals | null }

export class Child {
  readonly process: ChildProcessWithoutNullStreams
  readonly ended: Promise<Ended>
  stdout = ""
  stderr = ""

  constructor(args: readonly string[], cleanup: Cleanup, cwd?: string, env?: NodeJS.ProcessEnv) {
    this.process = spawn(process.execPath, [bin, ...args], { cwd, env })
    this.process.stdout.on("data", (data) => (this.stdout += String(data)))
    this.process.stderr.on("data", (data) => (this.stderr += String(data)))
    this.ended = once(this.process, "close").then(([code, signal]) => ({ code, signal }))
    cleanup.add(async () => {
      this.process.kill("SIGKILL")
      await soon("the process ends", this.ended)
    })
  }

  /** The address of its start-up line. */
  async ready(): Promise<string> {
    await until("the start-up line", () => this.stdout.includes("\n") || this.hasEnded())
    const url = /^ready (ws:\/\/\S+)\n$/.exec(this.stdout)?.[1]
    if (url === undefined) throw new Error(`no start-up line: ${this.stdout}${this.stderr}`)
    return url
  }

  hasEnded(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null
  }
}

/** Serves on a free port; more arguments follow. */
export function serveChild(cleanup: Cleanup, ...args: readonly string[]): Child {
  return new Child(["serve", "--listen", "127.0.0.1:0", ...args], cleanup)
}
