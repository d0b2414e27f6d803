/**
 * Carries faults out, each for its time or until the round is over. What a fault breaks it also
 * mends: when `run` is settled, cables are whole and nodes run. Nodes are held by one at a time.
 */
import { join } from "node:path"
import { clientCableOf } from "./cluster.ts"
import type { Cluster } from "./cluster.ts"
import { copy, fill, free, putBack, wipe } from "./disk.ts"
import { tell } from "./faults.ts"
import type { FaultType, NodeFault } from "./faults.ts"
import type { Ledger } from "./ledger.ts"
import { breakCables } from "./link-faults.ts"
import type { NodeProcess } from "./node-process.ts"
import type { Step } from "./schedule.ts"
import { Broken } from "./violation.ts"
import { pause, Turns } from "./wait.ts"

/** For what a node sent before it died to reach its clients through the kernel. */
const lastBytesMs = 300

export class Injector {
  readonly counts = new Map<FaultType, number>()
  readonly #cluster: Cluster
  readonly #ledger: Ledger
  readonly #say: (text: string) => void
  readonly #turns = new Turns()

  constructor(cluster: Cluster, ledger: Ledger, say: (text: string) => void) {
    this.#cluster = cluster
    this.#ledger = ledger
    this.#say = say
  }

  /** At its time, for as long as it lasts; the signal shortens both. @throws Broken */
  async run({ atMs, lastsMs, fault }: Step, over: AbortSignal): Promise<void> {
    if (!(await lasts(atMs, over))) return
    this.counts.set(fault.type, (this.counts.get(fault.type) ?? 0) + 1)
    if (fault.type === "rolling-restart") return this.#roll(fault.nodes, over)
    if ("node" in fault) {
      return this.#turns.take(fault.node, () => this.#hurt(fault, lastsMs, over))
    }
    const end = await breakCables(this.#cluster, fault)
    if (end === undefined) return
    this.#say(`${tell(fault)}, for ${seconds(lastsMs)}`)
    await lasts(lastsMs, over)
    await end()
    this.#say(`  end of ${fault.type}`)
  }

  async #roll(nodes: readonly string[], over: AbortSignal): Promise<void> {
    this.#say(tell({ type: "rolling-restart", nodes }))
    for (const name of nodes) {
      if (over.aborted) return
      await this.#turns.take(name, async () => {
        const node = this.#cluster.node(name)
        await stop(node)
        await start(node)
      })
    }
    this.#say("  end of rolling-restart")
  }

  async #hurt(fault: NodeFault, lastsMs: number, over: AbortSignal): Promise<void> {
    const node = this.#cluster.node(fault.node)
    this.#say(`${tell(fault)}, for ${seconds(lastsMs)}`)
    switch (fault.type) {
      case "kill":
        await node.kill()
        await lasts(lastsMs, over)
        await start(node)
        break
      case "pause":
        node.pause()
        await lasts(lastsMs, over)
        node.resume()
        break
      case "disk-full":
        fill(node.dataFolder)
        await lasts(lastsMs, over)
        free(node.dataFolder)
        break
      case "wipe":
        await node.kill()
        wipe(node.dataFolder)
        await this.#lose(node)
        await lasts(lastsMs, over)
        await start(node)
        break
      case "restore":
        await this.#restore(node, lastsMs, over)
    }
    this.#say(`  end of ${fault.type} ${node.name}`)
  }

  /** A copy of the folder of the stopped node; later it comes back over what was written since. */
  async #restore(node: NodeProcess, lastsMs: number, over: AbortSignal): Promise<void> {
    const folder = join(this.#cluster.folder, "backup", node.name)
    await stop(node)
    copy(node.dataFolder, folder)
    const kept = this.#ledger.copyOf(node.name)
    await start(node)
    await lasts(lastsMs, over)
    await node.kill()
    putBack(node.dataFolder, folder)
    await this.#lose(node, kept)
    await start(node)
  }

  /** What its clients were sent is in by then, so nobody takes it for proof of the new disk. */
  async #lose(node: NodeProcess, kept?: ReadonlySet<string>): Promise<void> {
    await this.#cluster.proxies?.bounce(clientCableOf(node.name))
    await pause(lastBytesMs)
    this.#ledger.diskLost(node.name, kept)
  }
}

/** False if it was over before. */
async function lasts(ms: number, over: AbortSignal): Promise<boolean> {
  return pause(ms, over).then(
    () => true,
    () => false,
  )
}

async function start(node: NodeProcess): Promise<void> {
  try {
    await node.start()
  } catch (error) {
    throw new Broken("node-did-not-start", String(error), error)
  }
}

async function stop(node: NodeProcess): Promise<void> {
  try {
    await node.stop()
  } catch (error) {
    throw new Broken("node-did-not-stop", `${String(error)}\n${node.lastWords()}`, error)
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
