/** A node in a process of its own, so that a test can kill it. */
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { onTestFinished } from "vitest"

const program = join(import.meta.dirname, "../../../server/bin/causeway.js")
const startMsMax = 20_000

export type NodeProcess = {
  /** `ws://HOST:PORT` */
  readonly url: string
  kill(): Promise<void>
}

/** Resolves once the node says that it is ready. */
export async function startNodeProcess(
  data: string,
  port = 0,
  more: readonly string[] = [],
): Promise<NodeProcess> {
  const listen = ["--listen", `127.0.0.1:${port}`]
  const flags = [...listen, "--data", data, "--log-level", "silent", ...more]
  const child = spawn(process.execPath, [program, "serve", ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  onTestFinished(() => kill(child))
  const signal = AbortSignal.timeout(startMsMax)
  const lines = createInterface({ input: child.stdout, signal })
  for await (const line of lines) {
    const url = /^ready (ws:\S+)$/.exec(line)?.[1]
    if (url !== undefined) return { url, kill: () => kill(child) }
  }
  throw new Error("the node did not get ready")
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, "exit")
  child.kill("SIGKILL")
  await gone
}
