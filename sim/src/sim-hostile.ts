/**
 * Somebody who connects through any door and breaks the protocol there: noise, frames cut short,
 * updates and records that do not decode. Every frame is checked to be wrong or harmless before
 * it is sent, so nothing it does may leave a trace in any log or document.
 */
import {
  assert,
  originOf,
  parseClientId,
  parseNodeId,
  partsOfDocumentId,
} from "@causeway/crdt/base"
import type { ClientId, ConnectionId, DocumentId, OriginId } from "@causeway/crdt/base"
import { emptyHead, genesisHash } from "@causeway/crdt/log"
import type { Head } from "@causeway/crdt/log"
import type { Endpoint } from "@causeway/crdt/node"
import {
  encodeHello,
  encodeLinkEntries,
  encodeLinkHello,
  encodeLinkWant,
  encodeOpen,
  encodeUpdate,
  linkVersions,
  nativeVersions,
} from "@causeway/crdt/protocol"
import { encodeYAwareness, encodeYStep1, encodeYUpdate } from "@causeway/crdt/protocol/stock"
import type { Network } from "./network.ts"
import type { SimRandom } from "./random.ts"
import type { HostId } from "./reachability.ts"
import type { Scheduler } from "./scheduler.ts"

export type HostileSetup = {
  readonly host: HostId
  readonly cluster: string
  readonly documents: readonly DocumentId[]
  readonly origins: readonly OriginId[]
  /** Told once: whatever this client id does, nobody promised it anything. */
  readonly distrust: (client: ClientId) => void
}

const HANG_UP_MS = 3000

export class SimHostile {
  readonly host: HostId
  readonly #setup: HostileSetup
  readonly #scheduler: Scheduler
  readonly #network: Network
  readonly #random: SimRandom
  readonly #client: ClientId

  constructor(setup: HostileSetup, scheduler: Scheduler, network: Network, random: SimRandom) {
    this.host = setup.host
    this.#setup = setup
    this.#scheduler = scheduler
    this.#network = network
    this.#random = random
    const client = parseClientId(random.hex(32))
    assert(client !== undefined, "a client id is 32 hex digits")
    this.#client = client
    setup.distrust(client)
  }

  attack(node: HostId): void {
    const random = this.#random
    const door = random.pick(this.#doors())
    const frames = this.#framesFor(door)
    const owner = { onFrame: (): void => undefined, onClosed: (): void => undefined }
    this.#network.dial(this.host, node, door, owner, (result) => {
      if (result === undefined) return
      this.#sendAll(result.connection, frames)
    })
  }

  #sendAll(connection: ConnectionId, frames: readonly Uint8Array[]): void {
    let delayMs = 0
    for (const frame of frames) {
      delayMs += this.#random.exponential(50)
      this.#scheduler.after(delayMs, () => this.#network.send(connection, frame))
    }
    const hangUpMs = delayMs + this.#random.exponential(HANG_UP_MS)
    this.#scheduler.after(hangUpMs, () => this.#network.close(connection, 1000))
  }

  #doors(): Endpoint[] {
    const names = this.#setup.documents.map((document) => partsOfDocumentId(document).name)
    const rooms = [undefined, "", "x".repeat(513), "\u{1f600}".repeat(200)]
    return [
      { type: "native" },
      { type: "native" },
      { type: "y-websocket", room: this.#random.pick(rooms) },
      { type: "y-websocket", room: this.#random.pick(names) },
      { type: "link-accepted" },
      { type: "link-accepted" },
    ]
  }

  #framesFor(door: Endpoint): Uint8Array[] {
    switch (door.type) {
      case "native":
        return this.#nativeFrames()
      case "y-websocket":
        return this.#stockFrames()
      case "link-accepted":
      case "link-dialled":
        return this.#linkFrames()
    }
  }

  /** No CRDT update starts with these bytes. */
  #notAnUpdate(): Uint8Array {
    const bytes = this.#random.bytes(this.#random.int(1, 60))
    bytes.fill(0xff, 0, Math.min(12, bytes.length))
    return bytes
  }

  /** A frame cut short is malformed: every decoder reads to the last byte. */
  #cut(frame: Uint8Array): Uint8Array {
    return frame.slice(0, this.#random.int(0, frame.length - 1))
  }

  /** No protocol of ours has a message of this type. */
  #noise(): Uint8Array {
    const bytes = this.#random.bytes(this.#random.int(1, 80))
    bytes[0] = this.#random.int(100, 127)
    return bytes
  }

  #nativeFrames(): Uint8Array[] {
    const random = this.#random
    const document = random.pick(this.#setup.documents)
    const hello = encodeHello({
      type: "hello",
      versions: random.chance(0.8) ? nativeVersions : { min: 90, max: 99 },
      client: this.#client,
      firstPending: random.int(1, 5),
      token: "",
    })
    const channel = random.int(1, 3)
    const open = encodeOpen({ type: "open", channel, document, resume: { type: "nothing" } })
    const summary = this.#notAnUpdate()
    const resume = { type: "summary", summary } as const
    const badResume = encodeOpen({ type: "open", channel: 9, document, resume })
    const seq = random.pick([1, 1, 2, 900])
    const updates = Array.from({ length: random.int(1, 3) }, () => this.#notAnUpdate())
    const update = encodeUpdate({ type: "update", channel, seq, updates })
    const choices = [
      [this.#noise()],
      [this.#cut(hello)],
      [update],
      [hello, hello],
      [hello, badResume],
      [hello, open, open],
      [hello, open, update, update],
      [hello, open, this.#cut(update)],
      [hello, open, this.#noise()],
    ]
    return random.pick(choices)
  }

  #stockFrames(): Uint8Array[] {
    const update = encodeYUpdate(this.#notAnUpdate())
    const state = this.#random.bytes(40)
    const awareness = encodeYAwareness([{ client: 7, clock: 1, state }])
    const step1 = encodeYStep1(this.#notAnUpdate())
    const choices = [
      [this.#noise()],
      [update],
      [step1],
      [this.#cut(update)],
      [this.#cut(awareness)],
      [encodeYStep1(Uint8Array.of(0)), this.#noise()],
    ]
    return this.#random.pick(choices)
  }

  #linkFrames(): Uint8Array[] {
    const random = this.#random
    const node = parseNodeId("evil")
    assert(node !== undefined, "a node's name is well-formed")
    const own = originOf(node, "00000000000000ff")
    assert(own !== undefined, "an origin's name is well-formed")
    const heads = new Map<OriginId, Head>([[own, emptyHead]])
    const cluster = random.chance(0.8) ? this.#setup.cluster : "elsewhere"
    const windowBytes = random.pick([0, 1, 1 << 20])
    const head = { type: "hello", versions: linkVersions, cluster, node, windowBytes } as const
    const hello = encodeLinkHello({ ...head, origin: own, heads })
    const origin = random.pick([own, ...this.#setup.origins])
    const records = [this.#notAnUpdate(), this.#notAnUpdate()]
    const run = { origin, firstSeq: random.int(1, 3), records }
    const entries = encodeLinkEntries({ type: "entries", run, previousHash: genesisHash })
    const fromSeq = random.pick([1, 2, 1e12])
    const want = encodeLinkWant({ type: "want", origin, fromSeq })
    const choices = [
      [this.#noise()],
      [this.#cut(hello)],
      [entries],
      [hello, entries],
      [hello, want, entries],
      [hello, hello],
      [hello, this.#cut(entries)],
      [hello, this.#noise()],
    ]
    return random.pick(choices)
  }
}
