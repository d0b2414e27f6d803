/**
 * Where a case is played: the servers of one run, the clients, and the looks at disk and restart
 * that are the same in every case. Invariant: `close` ends everything that was started here, and
 * every wait has an end.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import type { MatrixClient } from "./clients.ts"
import type { Cluster, Stopped } from "./cluster.ts"
import type { Contender } from "./contenders.ts"
import type { RawAnswer } from "./raw-writers.ts"
import { SmallDisk } from "./small-disk.ts"
import { happens, need } from "./wait.ts"

/** For a client to be served, or told that it is safe. */
export const toldMsMax = 5000
/** For nodes that can talk again to show the same. */
export const healMsMax = 15_000
/** For a server to put down what it has not: Hocuspocus stores 2 s after the last change. */
export const settleMs = 4000
/** For a client to be served at all: on a busy machine a new process takes its time. */
const servedMsMax = 40_000
/** For everything a restarted server has to be readable everywhere. */
const readableMsMax = 10_000

const room = "matrix"

export type StageOptions = {
  readonly contender: Contender
  readonly nodes: "one" | "several"
  readonly disk: "usual" | "small"
  readonly root: string
}

export class Stage {
  readonly contender: Contender
  readonly cluster: Cluster
  readonly #disk: SmallDisk | undefined
  readonly #folder: string
  readonly #clients = new Set<MatrixClient>()

  private constructor(options: StageOptions, folder: string, cluster: Cluster, disk?: SmallDisk) {
    this.contender = options.contender
    this.#folder = folder
    this.cluster = cluster
    this.#disk = disk
  }

  static async open(options: StageOptions): Promise<Stage> {
    const { contender, nodes, root } = options
    const folder = await mkdtemp(join(root, `${contender.name}-`))
    const data = await mkdtemp(join(folder, "data-"))
    const disk = options.disk === "small" ? SmallDisk.mount(data) : undefined
    const cluster = nodes === "one" ? contender.alone(data) : await contender.cluster(data)
    const stage = new Stage(options, folder, cluster, disk)
    try {
      await cluster.start()
      return stage
    } catch (error) {
      await stage.close()
      throw error
    }
  }

  /** The small disk. @throws TypeError without one */
  get disk(): SmallDisk {
    if (this.#disk === undefined) throw new TypeError("this case has the usual disk")
    return this.#disk
  }

  /** A client of that server, served. @throws Error if it is not served in time. */
  async join(server: number, name: string = room): Promise<MatrixClient> {
    const client = this.#connect(this.cluster.urlOf(server), name)
    await need("a client is served", () => client.isSynced(), servedMsMax)
    return client
  }

  /** Whether a client of a document nobody has open is served, and told of what it types. */
  async canOpenNew(server: number): Promise<boolean> {
    const client = this.#connect(this.cluster.urlOf(server), "new")
    const served = await happens(() => client.isSynced(), toldMsMax)
    if (served) client.type("[new]")
    const told = served && (await happens(() => client.isTold(), toldMsMax))
    this.leave(client)
    return told
  }

  leave(client: MatrixClient): void {
    if (this.#clients.delete(client)) client.leave()
  }

  leaveAll(): void {
    for (const client of this.#clients) this.leave(client)
  }

  sendRaw(update: Uint8Array): Promise<RawAnswer> {
    return this.contender.sendRaw(this.cluster.urlOf(0), room, update)
  }

  /** Which of `words` the disks hold at this moment, read by servers over copies of them. */
  async onDisk(words: readonly string[]): Promise<boolean[]> {
    const texts: string[] = []
    for (const image of await this.cluster.image(this.#folder)) {
      const server = this.contender.alone(image)
      try {
        await server.start()
        texts.push(await this.#read(server.urlOf(0)))
      } finally {
        await server.close()
      }
    }
    return words.map((word) => texts.some((text) => text.includes(word)))
  }

  /** Everybody leaves, what is deferred has its time, then SIGTERM. */
  async endInOrder(): Promise<Stopped> {
    this.leaveAll()
    await delay(settleMs)
    return this.cluster.stop()
  }

  /** Starts again on the same data; for each word, whether new clients see it, by server. */
  async afterRestart(words: readonly string[]): Promise<boolean[][]> {
    await this.cluster.heal()
    await this.cluster.start()
    const servers = Array.from({ length: this.cluster.size }, (_, index) => index)
    const readers = await Promise.all(servers.map((server) => this.join(server)))
    const sees = (reader: MatrixClient, word: string): boolean => reader.text().includes(word)
    await happens(
      () => readers.every((reader) => words.every((word) => sees(reader, word))),
      readableMsMax,
    )
    return words.map((word) => readers.map((reader) => sees(reader, word)))
  }

  async close(): Promise<void> {
    this.leaveAll()
    await this.cluster.close()
    this.#disk?.unmount()
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 })
  }

  #connect(url: string, name: string): MatrixClient {
    const client = this.contender.connect(url, name)
    this.#clients.add(client)
    return client
  }

  async #read(url: string): Promise<string> {
    const client = this.#connect(url, room)
    try {
      await need("a reader is served", () => client.isSynced(), servedMsMax)
      return client.text()
    } finally {
      this.leave(client)
    }
  }
}
