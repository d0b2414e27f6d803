/** Puts a run's world together: hosts, nodes with disks, clients, one hostile host, the oracle. */
import { assert, originOf, parseNodeId, partsOfDocumentId } from "@causeway/crdt/base"
import type { DocumentId } from "@causeway/crdt/base"
import type { ReplicaView } from "./checkers/client-view.ts"
import { Oracle } from "./checkers/oracle.ts"
import { ClientDisk } from "./client-disk.ts"
import { SimDisk } from "./disk.ts"
import { engines } from "./engine-cache.ts"
import { Network } from "./network.ts"
import type { Profile, SimOptions } from "./options.ts"
import type { SimRandom } from "./random.ts"
import type { HostId } from "./reachability.ts"
import { Scheduler } from "./scheduler.ts"
import { SimClient } from "./sim-client.ts"
import { SimHostile } from "./sim-hostile.ts"
import { SimNode } from "./sim-node.ts"
import { SimStockClient } from "./sim-stock-client.ts"
import { Browser } from "./tabs/browser.ts"
import { SimTab } from "./tabs/sim-tab.ts"
import { TokenOffice } from "./token-office.ts"
import { Trace } from "./trace.ts"
import { Watch } from "./watch.ts"
import type { World } from "./world.ts"
import type { SimWriter } from "./writer.ts"

const CLUSTER = "simulated"
/** In how many runs peers have to prove themselves. */
const SECRET = 0.7
const SECRET_BYTES = 32
const TABS_MAX = 3

export class Cluster implements World {
  readonly engines = engines
  readonly watch = new Watch()
  readonly scheduler = new Scheduler()
  readonly trace: Trace
  readonly network: Network
  readonly oracle: Oracle
  readonly documents: DocumentId[]
  readonly nodes: readonly SimNode[]
  readonly writers: readonly SimWriter[]
  readonly clientDisks: ClientDisk[] = []
  readonly tabs: SimTab[] = []
  readonly #natives: number
  readonly hostile: SimHostile
  readonly #options: SimOptions
  /** Some runs have none: then whoever comes is believed. */
  readonly #secret: Uint8Array | undefined
  readonly profile: Profile
  readonly #tokens: TokenOffice | undefined

  constructor(options: SimOptions, profile: Profile, random: SimRandom) {
    this.#options = options
    this.profile = profile
    const secret = random.split("secret")
    this.#secret = secret.chance(SECRET) ? secret.bytes(SECRET_BYTES) : undefined
    this.trace = new Trace(this.scheduler)
    const { scheduler, trace } = this
    this.network = new Network(
      scheduler,
      random.split("network"),
      trace,
      profile.network,
      this.watch,
    )
    this.network.clientsAre((host) => host >= options.nodes)
    if (options.tokens === true) {
      this.#tokens = new TokenOffice(scheduler, random.split("tokens"))
      this.watch.add(this.#tokens)
    }
    this.oracle = new Oracle(engines, trace, options.tokens === true)
    this.watch.add(this.oracle)
    this.documents = [...profile.documents]
    this.nodes = range(options.nodes).map((index) => this.#makeNode(index, random))
    const clients = range(options.clients).flatMap((index) => this.#makeNative(index, random))
    this.#natives = clients.length
    // A stock client needs a document that Yjs knows.
    const isYjs = this.documents.some((id) => partsOfDocumentId(id).engine === "yjs")
    const stockClients = isYjs ? options.stockClients : 0
    const stock = range(stockClients).map((index) => this.#makeStock(index, random))
    this.writers = [...clients, ...stock]
    this.oracle.setClients(this)
    this.hostile = this.#makeHostile()
    this.watch.add(this.hostile)
  }

  get checksTokens(): boolean {
    return this.#tokens !== undefined
  }

  start(): void {
    for (const node of this.nodes) node.start()
    for (const writer of this.writers) writer.start()
  }

  #makeNode(host: HostId, random: SimRandom): SimNode {
    const { scheduler, network, trace, oracle, watch } = this
    const node = parseNodeId(nodeName(host))
    assert(node !== undefined, "a node's name is well-formed")
    trace.nameHost(host, node)
    const own = random.split(node)
    const origin = originOf(node, own.hex(16))
    assert(origin !== undefined, "an origin is well-formed")
    const disk = new SimDisk({ node, origin }, scheduler, own.split("disk"), this.profile.disk, {
      onDurable: (batch, firstSeq) => watch.onDurable(host, batch, firstSeq),
      onChanged: (change) => watch.onDiskChanged(host, change),
    })
    oracle.ledger.addNode(host, disk)
    const peers = range(this.#options.nodes)
      .filter((other) => other !== host)
      .map(nodeName)
    const { skewMsMax, jobMs, compaction, pushDelayMs } = this.profile
    const skewMs = own.between(0, skewMsMax)
    return new SimNode(
      {
        host,
        node,
        cluster: CLUSTER,
        secret: this.#secret,
        peers,
        engines,
        skewMs,
        jobMs,
        compaction,
        pushDelayMs,
      },
      { scheduler, network, trace, watch, hostOf: this.#hostOf, tokens: this.#tokens },
      disk,
      own.split("core"),
    )
  }

  /** A client, or a browser with tabs that share one. */
  #makeNative(index: number, random: SimRandom): SimWriter[] {
    const { scheduler, network, watch, oracle } = this
    const name = `c${index + 1}`
    const own = random.split(name)
    const disk: ClientDisk = new ClientDisk(
      scheduler,
      own.split("disk"),
      this.profile.clientStorageMs,
      {
        onStored: ({ document, bytes }) => watch.onStored(document, bytes, disk),
        onRemoved: () => oracle.onRemoved(),
        onTrimmed: (client, update) => oracle.onTrimmed(client, update),
      },
    )
    const urls = own.shuffled(range(this.#options.nodes)).slice(0, 3).map(nodeName)
    const documents = own.shuffled(this.documents).slice(0, this.profile.documentsPerClient)
    const { workload } = this.profile
    const [makeView, hostOf] = [this.#makeView, this.#hostOf]
    const world = { scheduler, network, watch, workload, makeView, hostOf, tokens: this.#tokens }
    const setup = (tab: string) => ({
      ...this.#nameNative(name + tab, disk),
      urls,
      documents,
      engines,
    })
    if (index >= (this.#options.browsers ?? 0)) return [new SimClient(setup(""), world, disk, own)]
    const browser = new Browser(scheduler, own.split("browser"), disk)
    const tabs = range(own.split("tabs").int(2, TABS_MAX)).map((tab) => {
      return new SimTab(setup(`.${tab + 1}`), world, browser, own.split(`tab ${tab + 1}`))
    })
    this.tabs.push(...tabs)
    return tabs
  }

  /** The next host, and where its storage is. */
  #nameNative(name: string, disk: ClientDisk): { readonly host: HostId; readonly name: string } {
    const host = this.#options.nodes + this.clientDisks.length
    this.clientDisks.push(disk)
    this.trace.nameHost(host, name)
    return { host, name }
  }

  #makeStock(index: number, random: SimRandom): SimStockClient {
    const { scheduler, network, trace, watch } = this
    const host = this.#options.nodes + this.#natives + index
    const name = `s${index + 1}`
    trace.nameHost(host, name)
    const own = random.split(name)
    const rooms = this.documents
      .map(partsOfDocumentId)
      .filter(({ engine }) => engine === "yjs")
      .map((parts) => parts.name)
    const node = own.int(0, this.#options.nodes - 1)
    const { workload } = this.profile
    const world = { scheduler, network, watch, workload, makeView: this.#makeView }
    return new SimStockClient(host, name, own.pick(rooms), node, world, own)
  }

  #makeHostile(): SimHostile {
    const { nodes, stockClients } = this.#options
    const host = nodes + this.#natives + stockClients
    this.trace.nameHost(host, "evil")
    const distrust = this.oracle.promises.distrust.bind(this.oracle.promises)
    const secret = this.#secret
    return new SimHostile({ host, cluster: CLUSTER, secret, distrust }, this.network)
  }

  /** For a replica somebody opens; that is how documents come into being. */
  readonly #makeView = (document: DocumentId): ReplicaView => {
    if (!this.documents.includes(document)) this.documents.push(document)
    return this.oracle.makeView(document)
  }

  readonly #hostOf = (address: string): HostId | undefined => {
    const host = Number(address.slice(1)) - 1
    return Number.isInteger(host) && host >= 0 && host < this.#options.nodes ? host : undefined
  }
}

function nodeName(host: HostId): string {
  return `n${host + 1}`
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}
