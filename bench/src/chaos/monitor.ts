/** Watches the nodes' processes: one may die by itself, or grow past its bound. */
import type { Cluster } from "./cluster.ts"
import { Broken } from "./violation.ts"

const everyMs = 500
/** Of one node, in MB: its caches and windows are bounded, and a run's documents are small. */
const residentMbMax = 512

export class Monitor {
  /** The most that any node ever took. */
  residentMb = 0
  /** Fires with what it found. */
  readonly signal: AbortSignal
  readonly #timer: NodeJS.Timeout

  constructor(cluster: Cluster) {
    const found = new AbortController()
    this.signal = found.signal
    this.#timer = setInterval(() => {
      const broken = this.#look(cluster)
      if (broken !== undefined) found.abort(broken)
    }, everyMs)
  }

  end(): void {
    clearInterval(this.#timer)
  }

  #look({ nodes }: Cluster): Broken | undefined {
    for (const node of nodes) {
      if (node.hasDied) return new Broken("node-died", `${node.name}: ${node.lastWords()}`)
      const residentMb = node.residentMb ?? 0
      this.residentMb = Math.max(this.residentMb, residentMb)
      if (residentMb <= residentMbMax) continue
      return new Broken("memory", `${node.name} takes ${Math.round(residentMb)} MB`)
    }
    return undefined
  }
}
