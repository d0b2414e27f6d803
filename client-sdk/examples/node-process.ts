/** A node for an example: `causeway serve` in a process of its own, ended with the example. */
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { createInterface } from "node:readline"

const program = join(import.meta.dirname, "../../server/bin/causeway.js")
const startMsMax = 20_000

export type ExampleNode = {
  /** The SDK's address, `ws://HOST:PORT/sync`. */
  readonly url: string
  /** Settles when the process has ended, whoever ended it. */
  readonly ended: Promise<unknown>
  close(): Promise<void>
}

/** Resolves once the node takes connections; `port` 0 takes a free one. */
export async function startNode(data: string, port: number): Promise<ExampleNode> {
  const flags = ["--listen", `127.0.0.1:${port}`, "--data", data, "--log-level", "warn"]
  const child = spawn(process.execPath, [program, "serve", ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  const ended = once(child, "exit")
  const signal = AbortSignal.timeout(startMsMax)
  for await (const line of createInterface({ input: child.stdout, signal })) {
    const url = /^ready (ws:\S+)$/.exec(line)?.[1]
    if (url !== undefined) return { url: `${url}/sync`, ended, close: () => stop(child, ended) }
  }
  throw new Error("the node did not start; what it said stands above")
}

async function stop(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  // A node takes the signal as a request, and ends once what it has taken is on disk.
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM")
  await ended
}
