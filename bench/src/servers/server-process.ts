/**
 * One running server process: started with a deadline, stopped for certain. Invariant: every
 * process started here is in `running` until it has exited, and `killAllServers` ends whatever is
 * still there, so that no way out of the benchmark leaves a server behind.
 */
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { createServer } from "node:net"
import { host } from "../peers/arguments.ts"
import type { ServerSpec } from "./catalog.ts"

const readyMsMax = 60_000
const stopMsMax = 10_000
/** Enough of a server's last words to see why it failed. */
const outputCharsMax = 4000

const running = new Set<ChildProcess>()

export type RunningServer = {
  readonly spec: ServerSpec
  readonly pid: number
  readonly baseUrl: string
  /** From spawning the process to its ready line. */
  readonly readyMs: number
  /** Whether it has exited without being told to, and what it said last. */
  failure(): string | undefined
  /** SIGTERM, and SIGKILL when it does not end in time. */
  stop(): Promise<void>
  /** SIGKILL, as a crash would. */
  kill(): Promise<void>
}

/** SIGKILL to every server that still runs. */
export function killAllServers(): void {
  for (const child of running) child.kill("SIGKILL")
}

/** Starts `spec` on a free port with its data in `folder`; @throws Error if it does not serve. */
export async function startServer(spec: ServerSpec, folder: string): Promise<RunningServer> {
  const port = await freePort()
  const startMs = performance.now()
  const child = spawn(process.execPath, spec.launch(port, folder), {
    env: { ...process.env, NODE_ENV: "production" },
    stdio: ["ignore", "pipe", "pipe"],
  })
  running.add(child)
  let told = false
  const exited = new Promise<void>((resolve) => {
    const gone = (): void => {
      running.delete(child)
      resolve()
    }
    child.once("exit", gone)
    child.once("error", gone)
  })
  const output = tailOf(child)
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    told = true
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    const timer = setTimeout(() => child.kill("SIGKILL"), stopMsMax)
    await exited
    clearTimeout(timer)
  }
  try {
    await readyLine(child, spec.ready)
  } catch (error) {
    await end("SIGKILL")
    throw new Error(`${spec.name}: ${String(error)}\n${output()}`.trim(), { cause: error })
  }
  const readyMs = performance.now() - startMs
  const hasExited = (): boolean => child.exitCode !== null || child.signalCode !== null
  return {
    spec,
    pid: child.pid ?? 0,
    baseUrl: `ws://${host}:${port}${spec.path}`,
    readyMs,
    failure: () => (hasExited() && !told ? `the server ended by itself\n${output()}` : undefined),
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
  }
}

function tailOf(child: ChildProcess): () => string {
  let tail = ""
  const keep = (chunk: unknown): void => {
    tail = (tail + String(chunk)).slice(-outputCharsMax)
  }
  child.stdout?.on("data", keep)
  child.stderr?.on("data", keep)
  return () => tail.trim()
}

function readyLine(child: ChildProcess, ready: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = ""
    const timer = setTimeout(() => reject(new Error("not ready in time")), readyMsMax)
    const settle = (failure?: Error): void => {
      clearTimeout(timer)
      child.stdout?.off("data", onData)
      if (failure === undefined) resolve()
      else reject(failure)
    }
    const onData = (chunk: unknown): void => {
      output = (output + String(chunk)).slice(-outputCharsMax)
      if (ready.test(output)) settle()
    }
    child.stdout?.on("data", onData)
    child.once("error", settle)
    child.once("exit", (code, signal) => settle(new Error(`ended with ${signal ?? code}`)))
  })
}

/** A port nobody listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once("error", reject)
    probe.listen(0, host, () => {
      const address = probe.address()
      probe.close(() => {
        if (address === null || typeof address === "string") reject(new Error("no port"))
        else resolve(address.port)
      })
    })
  })
}
