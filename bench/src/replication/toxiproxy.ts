/**
 * The network between the nodes: a Toxiproxy of our own with one proxy per directed pair, with the
 * latency of a real line, cut per node, and counting every byte. Clients do not go through it.
 */
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { setTimeout as delay } from "node:timers/promises"
import { Toxiproxy } from "toxiproxy-node-client"
import type { Proxy } from "toxiproxy-node-client"
import { findToxiproxy } from "../chaos/machine.ts"
import type { Network } from "../fault-matrix/cluster.ts"
import { freePort } from "../servers/server-process.ts"

const host = "127.0.0.1"
const readyMsMax = 10_000
const pollMs = 20
/** For the ends of connections to be counted. */
const countMs = 300

const running = new Set<ChildProcess>()

/** SIGKILL to every Toxiproxy that still runs. */
export function killAllToxiproxies(): void {
  for (const child of running) child.kill("SIGKILL")
}

type Line = { readonly from: number; readonly to: number; proxy: Proxy; upstream: string }

export class Lines implements Network {
  readonly #child: ChildProcess
  readonly #url: string
  readonly #lines: Line[] = []

  private constructor(child: ChildProcess, url: string) {
    this.#child = child
    this.#url = url
  }

  /** Between each two of `count` nodes, `latencyMs` in each direction. */
  static async lay(count: number, latencyMs: number): Promise<Lines> {
    const program = findToxiproxy()
    if (program === undefined) throw new Error("Toxiproxy is not installed")
    const port = await freePort()
    const flags = ["-host", host, "-port", String(port), "-proxy-metrics"]
    const child = spawn(program, flags, { stdio: "ignore" })
    running.add(child)
    child.once("exit", () => running.delete(child))
    child.once("error", () => running.delete(child))
    const lines = new Lines(child, `http://${host}:${port}`)
    try {
      await lines.#lay(count, latencyMs)
      return lines
    } catch (error) {
      await lines.close()
      throw error
    }
  }

  async #lay(count: number, latencyMs: number): Promise<void> {
    const server = new Toxiproxy(this.#url)
    const endMs = performance.now() + readyMsMax
    while (!(await answers(server))) {
      if (performance.now() > endMs) throw new Error("Toxiproxy does not answer")
      await delay(pollMs)
    }
    for (let from = 0; from < count; from += 1) {
      for (let to = 0; to < count; to += 1) {
        if (from === to) continue
        const upstream = `${host}:1`
        const name = `${from}-${to}`
        const wish = { name, listen: `${host}:0`, upstream, enabled: true }
        const proxy = await server.createProxy(wish)
        this.#lines.push({ from, to, proxy, upstream })
        if (latencyMs > 0) await slow(proxy, latencyMs)
      }
    }
  }

  /** What node `from` dials to reach the others. */
  urlsOf(from: number): string[] {
    return this.#lines
      .filter((line) => line.from === from)
      .map(({ proxy }) => `ws://${proxy.listen}`)
  }

  /** Node `to` listens there. */
  async connect(to: number, port: number): Promise<void> {
    const lines = this.#lines.filter((line) => line.to === to)
    for (const line of lines) line.upstream = `${host}:${port}`
    await Promise.all(lines.map((line) => enable(line, true)))
  }

  /** All lines, or those of one node. */
  async cut(node?: number): Promise<void> {
    const lines = this.#lines.filter(
      ({ from, to }) => node === undefined || from === node || to === node,
    )
    await Promise.all(lines.map((line) => enable(line, false)))
  }

  /** All lines, or those among some nodes. */
  async heal(nodes?: readonly number[]): Promise<void> {
    const lines = this.#lines.filter(
      ({ from, to }) => nodes === undefined || (nodes.includes(from) && nodes.includes(to)),
    )
    await Promise.all(lines.map((line) => enable(line, true)))
  }

  /**
   * Bytes that went through so far, both directions of every line. Toxiproxy counts a connection
   * when it ends, so all lines are cut for it, and stay cut.
   */
  async cutAndCount(): Promise<number> {
    await this.cut()
    await delay(countMs)
    const text = await (await fetch(`${this.#url}/metrics`)).text()
    return text
      .split("\n")
      .filter((line) => line.startsWith("toxiproxy_proxy_received_bytes_total{"))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0)
  }

  async close(): Promise<void> {
    if (!running.has(this.#child)) return
    const exited = new Promise((resolve) => this.#child.once("exit", resolve))
    this.#child.kill("SIGKILL")
    await exited
  }
}

async function answers(server: Toxiproxy): Promise<boolean> {
  try {
    await server.getVersion()
    return true
  } catch {
    return false
  }
}

async function slow(proxy: Proxy, latency: number): Promise<void> {
  for (const stream of ["upstream", "downstream"] as const) {
    const attributes = { latency, jitter: 0 }
    await proxy.addToxic({ name: stream, type: "latency", stream, toxicity: 1, attributes })
  }
}

async function enable({ proxy, upstream }: Line, enabled: boolean): Promise<void> {
  await proxy.update({ enabled, listen: proxy.listen, upstream })
}
