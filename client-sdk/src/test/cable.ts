/**
 * Cables between real nodes and clients of this process, which a test can cut, or stop without a
 * word; and a cluster each of whose nodes dials each other one through a cable of its own.
 */
import { once } from "node:events"
import { connect, createServer } from "node:net"
import type { AddressInfo, Socket } from "node:net"
import { onTestFinished } from "vitest"
import { startNode } from "./world.ts"
import type { NodeUnderTest } from "./world.ts"

const host = "127.0.0.1"

export class Cable {
  readonly url: string
  targetPort = 0
  /** What went through, both ways; to be set to 0 at will. */
  bytes = 0
  readonly #sockets = new Set<Socket>()
  /** From where to where bytes go. */
  readonly #ways = new Map<Socket, Socket>()
  #isCut = false

  private constructor(port: number, onSocket: (take: (near: Socket) => void) => void) {
    this.url = `ws://${host}:${port}`
    onSocket((near) => this.#take(near))
  }

  /** `targetPort`: where it leads, if that is known by now. */
  static async lay(targetPort = 0): Promise<Cable> {
    const server = createServer({ noDelay: true })
    server.listen(0, host)
    await once(server, "listening")
    // cast: a server that listens on a port has such an address.
    const { port } = server.address() as AddressInfo
    const cable = new Cable(port, (take) => server.on("connection", take))
    cable.targetPort = targetPort
    onTestFinished(async () => {
      cable.cut()
      server.close()
      await once(server, "close")
    })
    return cable
  }

  cut(): void {
    this.#isCut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  heal(): void {
    this.#isCut = false
  }

  /** Nothing goes through any more, and neither side is told. */
  freeze(): void {
    for (const [one, other] of this.#ways) one.unpipe(other).pause()
  }

  thaw(): void {
    for (const [one, other] of this.#ways) one.pipe(other)
  }

  #take(near: Socket): void {
    near.on("error", () => undefined)
    if (this.#isCut || this.targetPort === 0) {
      near.destroy()
      return
    }
    const far = connect({ host, port: this.targetPort, noDelay: true })
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one)
      one.on("error", () => other.destroy())
      one.on("close", () => {
        this.#sockets.delete(one)
        this.#ways.delete(one)
        other.destroy()
      })
      this.#ways.set(one, other)
      one.on("data", ({ length }: Buffer) => {
        this.bytes += length
      })
      one.pipe(other)
    }
  }
}

export type Cluster = {
  readonly nodes: readonly NodeUnderTest[]
  /** Cuts every cable to and from that node. */
  readonly cutOff: (index: number) => void
  readonly heal: () => void
}

/** Nodes n1, n2, …, linked. */
export async function startCluster(count: number): Promise<Cluster> {
  const indexes = Array.from({ length: count }, (_, index) => index)
  // cables[from][to]
  const cables = await Promise.all(
    indexes.map(() => Promise.all(indexes.map(async () => await Cable.lay()))),
  )
  const nodes: NodeUnderTest[] = []
  for (const from of indexes) {
    const peers = indexes.filter((to) => to !== from).map((to) => cables[from]?.[to]?.url ?? "")
    const started = await startNode({ peers, name: `n${from + 1}` })
    for (const row of cables) {
      const cable = row[from]
      if (cable !== undefined) cable.targetPort = Number(new URL(started.node.url).port)
    }
    nodes.push(started)
  }
  const at = (index: number): Cable[] => [
    ...(cables[index] ?? []),
    ...cables.flatMap((row) => row[index] ?? []),
  ]
  return {
    nodes,
    cutOff: (index) => at(index).forEach((cable) => cable.cut()),
    heal: () => cables.flat().forEach((cable) => cable.heal()),
  }
}
