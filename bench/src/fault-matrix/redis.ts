/**
 * A Redis of our own on a free loopback port, killed and started again by its pid. Nothing is
 * persisted: Hocuspocus keeps only locks and messages under way in it.
 */
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { accessSync, constants } from "node:fs"
import { connect } from "node:net"
import { delimiter, join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { freePort } from "../servers/server-process.ts"
import type { Network } from "./cluster.ts"

const host = "127.0.0.1"
const readyMsMax = 10_000
const pollMs = 20

const running = new Set<ChildProcess>()

/** SIGKILL to every Redis that still runs. */
export function killAllRedis(): void {
  for (const child of running) child.kill("SIGKILL")
}

/** The program, if it is installed. */
export function redisProgram(): string | undefined {
  const path = process.env["PATH"] ?? ""
  const folders = [...path.split(delimiter), "/usr/bin"].filter((folder) => folder !== "")
  return folders.map((folder) => join(folder, "redis-server")).find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The network between Hocuspocus instances: cut by SIGKILL, healed by starting Redis again. */
export class RedisServer implements Network {
  readonly port: number
  readonly #program: string
  readonly #folder: string
  #child: ChildProcess | undefined

  private constructor(program: string, folder: string, port: number) {
    this.#program = program
    this.#folder = folder
    this.port = port
  }

  /** @throws Error if there is no Redis, or it does not answer in time. */
  static async start(folder: string): Promise<RedisServer> {
    const program = redisProgram()
    if (program === undefined) throw new Error("redis-server is not installed")
    const redis = new RedisServer(program, folder, await freePort())
    await redis.heal()
    return redis
  }

  async heal(): Promise<void> {
    if (this.#child !== undefined) return
    const address = ["--bind", host, "--port", String(this.port)]
    const nothingKept = ["--save", "", "--appendonly", "no", "--dir", this.#folder]
    const child = spawn(this.#program, [...address, ...nothingKept], { stdio: "ignore" })
    running.add(child)
    child.once("exit", () => running.delete(child))
    child.once("error", () => running.delete(child))
    this.#child = child
    const endMs = performance.now() + readyMsMax
    while (!(await this.#answers())) {
      if (performance.now() > endMs) throw new Error("redis-server does not answer")
      await delay(pollMs)
    }
  }

  async cut(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || !running.has(child)) return
    const exited = new Promise((resolve) => child.once("exit", resolve))
    child.kill("SIGKILL")
    await exited
  }

  close(): Promise<void> {
    return this.cut()
  }

  #answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.port, host, () => socket.write("PING\r\n"))
      const settle = (answers: boolean): void => {
        socket.destroy()
        resolve(answers)
      }
      socket.once("data", (data) => settle(String(data).startsWith("+PONG")))
      socket.once("error", () => settle(false))
    })
  }
}
