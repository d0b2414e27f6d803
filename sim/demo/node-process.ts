/**
 * One node as a process of its own, started as an operator starts it. Its data folder and its
 * port outlive the process, so it can be killed and started again. Signals go to the process
 * started here and to no other.
 */
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { closeSync, existsSync, openSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { until, within } from "./wait.ts"

const bin = fileURLToPath(new URL("../../server/bin/causeway.js", import.meta.url))

/** A node promises to stop within 5 s. */
const stopMsMax = 6000
const startMsMax = 15_000

export type NodeSettings = {
  readonly name: string
  readonly directory: string
  /** `ws://HOST:PORT` each. */
  readonly peers: readonly string[]
}

export class NodeProcess {
  readonly name: string
  /** Empty until the first start. */
  url = ""
  readonly #settings: NodeSettings
  #child: ChildProcess | undefined
  #isEnding = false

  constructor(settings: NodeSettings) {
    this.name = settings.name
    this.#settings = settings
  }

  get port(): number {
    return Number(new URL(this.url).port)
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  get isRunning(): boolean {
    return this.#child !== undefined && !hasEnded(this.#child)
  }

  /** It ended, and not because it was told to. */
  get hasCrashed(): boolean {
    return this.#child !== undefined && hasEnded(this.#child) && !this.#isEnding
  }

  get httpUrl(): string {
    return this.url.replace(/^ws:/, "http:")
  }

  get logFile(): string {
    return join(this.#settings.directory, `${this.name}.log`)
  }

  /** The first time on a free port, later on the same one. @throws Error with the node's words */
  async start(): Promise<void> {
    if (this.isRunning) throw new Error(`${this.name} is running`)
    const { directory, peers } = this.#settings
    const listen = `127.0.0.1:${this.url === "" ? 0 : this.port}`
    const data = join(directory, this.name)
    const flags = ["--listen", listen, "--data", data, "--node", this.name]
    for (const peer of peers) flags.push("--peer", peer)
    const log = openSync(this.logFile, "a")
    const child = spawn(process.execPath, [bin, "serve", ...flags], {
      stdio: ["ignore", "pipe", log],
      // Ctrl-C in a terminal is for whoever started the node, and only then for the node.
      detached: true,
    })
    closeSync(log)
    this.#child = child
    this.#isEnding = false
    let line: string | undefined
    if (child.stdout !== null) createInterface(child.stdout).once("line", (first) => (line = first))
    await until(`${this.name} is ready`, () => line !== undefined || hasEnded(child), {
      timeoutMs: startMsMax,
    })
    const url = /^ready (ws:\/\/\S+)$/.exec(line ?? "")?.[1]
    if (url === undefined) throw new Error(`${this.name} did not start: ${this.lastWords()}`)
    this.url = url
  }

  /** SIGKILL: no time to write, flush or say good-bye. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL")
  }

  /** SIGTERM, and SIGKILL if that does not help. @throws Error if it had to be killed */
  async stop(): Promise<void> {
    try {
      await this.#end("SIGTERM")
    } catch (error) {
      await this.#end("SIGKILL")
      throw error
    }
  }

  /** At once and without waiting: the last resort of a process that is about to end. */
  killNow(): void {
    if (this.isRunning) this.#child?.kill("SIGKILL")
  }

  /** The end of its log. */
  lastWords(lines = 3): string {
    if (!existsSync(this.logFile)) return ""
    return readFileSync(this.logFile, "utf8").trimEnd().split("\n").slice(-lines).join("\n")
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (child === undefined || hasEnded(child)) return
    this.#isEnding = true
    const ended = once(child, "exit")
    child.kill(signal)
    await within(`${this.name} ends after ${signal}`, ended, { timeoutMs: stopMsMax })
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}
