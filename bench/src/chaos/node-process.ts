/**
 * One node as a process of its own, started as an operator starts it. Its folder and its address
 * outlive the process. Signals go to the process started here and to no other.
 */
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { closeSync, existsSync, openSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { residentMbOf } from "../measure/process-usage.ts"
import { repositoryRoot } from "../servers/catalog.ts"
import type { Estate } from "./estate.ts"
import { processThing } from "./things.ts"
import { until, within } from "./wait.ts"

export const program: string = join(repositoryRoot, "server", "bin", "causeway.js")

/** A node promises to stop within 5 s; this machine may be busy. */
const stopMsMax = 15_000
const startMsMax = 30_000

export type NodeSettings = {
  readonly name: string
  /** Where the runner reaches it, and where it listens. */
  readonly host: string
  readonly listenHost: string
  readonly port: number
  /** Flags of `causeway serve` besides address and folder. */
  readonly flags: readonly string[]
  readonly dataFolder: string
  readonly logFile: string
  /** The command as it is started where the node lives. */
  readonly wrap: (command: readonly string[]) => readonly string[]
  readonly estate: Estate
}

export class NodeProcess {
  readonly name: string
  readonly dataFolder: string
  readonly address: string
  readonly #settings: NodeSettings
  #child: ChildProcess | undefined
  #isTold = false
  #isPaused = false

  constructor(settings: NodeSettings) {
    this.name = settings.name
    this.dataFolder = settings.dataFolder
    this.address = `${settings.host}:${settings.port}`
    this.#settings = settings
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  get isRunning(): boolean {
    return this.#child !== undefined && !hasEnded(this.#child)
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** It ended, and not because it was told to. */
  get hasDied(): boolean {
    return this.#child !== undefined && hasEnded(this.#child) && !this.#isTold
  }

  get residentMb(): number | undefined {
    const pid = this.#child?.pid
    if (pid === undefined || !this.isRunning) return undefined
    try {
      return residentMbOf(pid)
    } catch {
      // It ended just now.
      return undefined
    }
  }

  /** @throws Error with the node's words if it does not serve */
  async start(): Promise<void> {
    if (this.isRunning) throw new Error(`${this.name} is running`)
    const { name, flags, dataFolder, logFile, wrap, estate, listenHost, port } = this.#settings
    const serve = [process.execPath, program, "serve", "--listen", `${listenHost}:${port}`]
    const [command = "", ...args] = wrap([...serve, "--data", dataFolder, "--node", name, ...flags])
    const log = openSync(logFile, "a")
    const child = spawn(command, args, {
      stdio: ["ignore", "pipe", log],
      env: { ...process.env, NODE_ENV: "production" },
      // Ctrl-C in a terminal is for the runner, and only then for the node.
      detached: true,
    })
    closeSync(log)
    await once(child, "spawn")
    const forget = estate.made(processThing(child.pid ?? 0))
    child.once("exit", forget)
    this.#child = child
    this.#isTold = false
    this.#isPaused = false
    let line: string | undefined
    if (child.stdout !== null) createInterface(child.stdout).once("line", (first) => (line = first))
    const isReady = () => line !== undefined || hasEnded(child)
    await until(`${name} is ready`, isReady, { timeoutMs: startMsMax })
    if (line?.startsWith("ready ") !== true) {
      throw new Error(`${name} did not start: ${line ?? ""} ${this.lastWords()}`)
    }
  }

  /** SIGKILL: no time to write, flush or say good-bye. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL")
  }

  /** SIGTERM, and SIGKILL if that does not help. @throws TooLate if it had to be killed */
  async stop(): Promise<void> {
    this.resume()
    try {
      await this.#end("SIGTERM")
    } catch (error) {
      await this.#end("SIGKILL")
      throw error
    }
  }

  pause(): void {
    if (this.isRunning) this.#isPaused = this.#child?.kill("SIGSTOP") ?? false
  }

  resume(): void {
    if (this.#isPaused) this.#child?.kill("SIGCONT")
    this.#isPaused = false
  }

  /** The end of its log. */
  lastWords(lines = 5): string {
    const { logFile } = this.#settings
    if (!existsSync(logFile)) return ""
    return readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-lines).join("\n")
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (child === undefined || hasEnded(child)) return
    this.#isTold = true
    const ended = once(child, "exit")
    child.kill(signal)
    await within(`${this.name} ends after ${signal}`, ended, { timeoutMs: stopMsMax })
    this.#isPaused = false
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}
