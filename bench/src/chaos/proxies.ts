/**
 * Toxiproxy: a proxy for each directed pair of nodes and one for the clients of each node. Faults
 * on one proxy may overlap: each toxic has a name of its own, and a proxy is up again when nobody
 * wants it down. A removed `timeout` closes its connections, as bytes are missing in them.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { closeSync, openSync } from "node:fs"
import { Toxiproxy } from "toxiproxy-node-client"
import type { Proxy } from "toxiproxy-node-client"
import { freePort } from "../servers/server-process.ts"
import type { Estate } from "./estate.ts"
import { processThing } from "./things.ts"
import { Turns, until } from "./wait.ts"

const startMsMax = 10_000
const host = "127.0.0.1"

export type Undo = () => Promise<void>

export type ToxicWish = {
  readonly type: "timeout" | "latency" | "bandwidth" | "slicer" | "reset_peer"
  readonly attributes: Readonly<Record<string, number>>
  /** Of whoever dialled: what they send, or what they are sent. */
  readonly stream: "upstream" | "downstream"
}

type Cable = { readonly proxy: Proxy; readonly listen: string; readonly upstream: string }

export class Proxies {
  readonly #server: Toxiproxy
  readonly #stop: () => void
  readonly #cables = new Map<string, Cable>()
  readonly #wantedDown = new Map<string, number>()
  readonly #turns = new Turns()
  #toxics = 0

  private constructor(server: Toxiproxy, stop: () => void) {
    this.#server = server
    this.#stop = stop
  }

  /** Starts the server `program`; its chance comes from the seed as well. */
  static async start(
    program: string,
    { seed, logFile, estate }: { seed: number; logFile: string; estate: Estate },
  ): Promise<Proxies> {
    const port = await freePort()
    const log = openSync(logFile, "a")
    const flags = ["-host", host, "-port", String(port), "-seed", String(seed)]
    const env = { ...process.env, LOG_LEVEL: "warn" }
    const child = spawn(program, flags, { stdio: ["ignore", log, log], env, detached: true })
    closeSync(log)
    await once(child, "spawn")
    const forget = estate.made(processThing(child.pid ?? 0))
    child.once("exit", forget)
    const server = new Toxiproxy(`http://${host}:${port}`)
    const answers = () =>
      server.getVersion().then(
        () => true,
        () => false,
      )
    await until("Toxiproxy answers", answers, { timeoutMs: startMsMax })
    return new Proxies(server, () => void child.kill("SIGKILL"))
  }

  /** A proxy on a free port of `listenHost`; gives HOST:PORT. */
  async add(name: string, listenHost: string, upstream: string): Promise<string> {
    const wish = { name, listen: `${listenHost}:0`, upstream, enabled: true }
    const proxy = await this.#server.createProxy(wish)
    this.#cables.set(name, { proxy, listen: proxy.listen, upstream })
    return proxy.listen
  }

  /** Refuses and ends connections. */
  async down(name: string): Promise<Undo> {
    await this.#want(name, 1)
    return () => this.#want(name, -1)
  }

  /** Ends the connections there are; the next ones are taken at once. */
  async bounce(name: string): Promise<void> {
    const up = await this.down(name)
    await up()
  }

  async toxic(name: string, { type, attributes, stream }: ToxicWish): Promise<Undo> {
    const { proxy } = this.#cable(name)
    const id = `toxic-${++this.#toxics}`
    const body = { name: id, type, attributes, stream, toxicity: 1 }
    const toxic = await this.#turns.take(name, () => proxy.addToxic(body))
    return () => this.#turns.take(name, () => toxic.remove())
  }

  close(): void {
    this.#stop()
  }

  #want(name: string, change: 1 | -1): Promise<void> {
    const { proxy, listen, upstream } = this.#cable(name)
    return this.#turns.take(name, async () => {
      const before = this.#wantedDown.get(name) ?? 0
      const after = before + change
      this.#wantedDown.set(name, after)
      if ((before === 0) === (after === 0)) return
      await proxy.update({ enabled: after === 0, listen, upstream })
    })
  }

  #cable(name: string): Cable {
    const cable = this.#cables.get(name)
    if (cable === undefined) throw new Error(`there is no proxy ${name}`)
    return cable
  }
}
