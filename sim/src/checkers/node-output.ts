/**
 * Reads everything a node sends at the moment it leaves, with the decoders the receivers use, and
 * compares it with what is durable on that node's disk right then: `nothing-unlogged-seen`,
 * `vector-honesty`, acks that promise too much, and refusals of well-behaved clients.
 */
import { assert, bytesEqual, documentIdOf, generationOf } from "@causeway/crdt/base"
import type { ConnectionId, DocumentId, OriginId } from "@causeway/crdt/base"
import type { VersionVector } from "@causeway/crdt/clock"
import type { Head } from "@causeway/crdt/log"
import type { Effect, Endpoint } from "@causeway/crdt/node"
import { decodeNodeMessage } from "@causeway/crdt/protocol"
import type { Ack, LinkEntries, NodeMessage, Open } from "@causeway/crdt/protocol"
import { decodeYMessage } from "@causeway/crdt/protocol/stock"
import { readLinkFrame } from "../link-frames.ts"
import type { HostId } from "../reachability.ts"
import { demand } from "../violation.ts"
import type { Attempts } from "./attempts.ts"
import type { Ledger } from "./ledger.ts"
import type { Promises } from "./promises.ts"

type Send = Extract<Effect, { type: "send" }>

type Connection = {
  readonly endpoint: Endpoint
  readonly channels: Map<number, DocumentId>
}

/** What one life of one node's process said so far. */
export class NodeOutput {
  readonly #host: HostId
  readonly #attempts: Attempts
  readonly #ledger: Ledger
  readonly #promises: Promises
  readonly #connections = new Map<ConnectionId, Connection>()
  /** The node's own numbers for documents. */
  readonly #handles = new Map<number, DocumentId>()

  constructor(host: HostId, attempts: Attempts, ledger: Ledger, promises: Promises) {
    this.#host = host
    this.#attempts = attempts
    this.#ledger = ledger
    this.#promises = promises
  }

  onOpened(connection: ConnectionId, endpoint: Endpoint): void {
    this.#connections.set(connection, { endpoint, channels: new Map() })
  }

  onClosed(connection: ConnectionId): void {
    this.#connections.delete(connection)
  }

  endpointOf(connection: ConnectionId): Endpoint | undefined {
    return this.#connections.get(connection)?.endpoint
  }

  /** A client opened a document on this connection. */
  onOpen(connection: ConnectionId, { channel, document, generation }: Open): void {
    const held = generation === 0 ? document : generationOf(document, generation)
    this.#connections.get(connection)?.channels.set(channel, held)
  }

  documentOf(connection: ConnectionId, channel: number): DocumentId | undefined {
    return this.#connections.get(connection)?.channels.get(channel)
  }

  onSend({ to, frames }: Send): void {
    const [first] = to
    if (first === undefined) return
    const connection = this.#connections.get(first)
    if (connection === undefined) return
    for (const other of to) {
      const type = this.#connections.get(other)?.endpoint.type
      demand(type === undefined || isAlike(type, connection.endpoint.type), "protocol", () => {
        return `one frame for ${type} and ${connection.endpoint.type}`
      })
    }
    for (const frame of frames) this.#check(first, connection, frame)
  }

  #check(id: ConnectionId, connection: Connection, frame: Uint8Array): void {
    switch (connection.endpoint.type) {
      case "native":
        return this.#checkNative(id, connection, frame)
      case "y-websocket":
        return this.#checkStock(connection.endpoint.room, frame)
      case "link-accepted":
      case "link-dialled":
        return this.#checkLink(frame)
    }
  }

  #checkNative(id: ConnectionId, connection: Connection, frame: Uint8Array): void {
    const message = decodeNodeMessage(frame)
    switch (message.type) {
      case "welcome":
        return this.#promises.onWelcome(this.#host, id, message.loggedSeq)
      case "generation": {
        const document = connection.channels.get(message.channel)
        demand(document !== undefined, "protocol", () => `generation of ${message.channel}`)
        connection.channels.set(message.channel, generationOf(document, message.generation))
        return
      }
      case "opened": {
        const document = connection.channels.get(message.channel)
        demand(document !== undefined, "protocol", () => `opened channel ${message.channel}`)
        this.#handles.set(message.handle, document)
        return
      }
      case "updates": {
        const document = this.#handles.get(message.handle)
        demand(document !== undefined, "protocol", () => `updates of handle ${message.handle}`)
        for (const update of message.updates) this.#mustBeDurable(document, update)
        return this.#vectorMustBeDurable(message.resume)
      }
      case "ack":
        return this.#checkAck(id, message)
      case "reject":
        return this.#promises.onReject(id, message)
      default:
        return this.#checkHeld(message)
    }
  }

  /** What else may say how much the node holds. */
  #checkHeld(message: NodeMessage): void {
    const vector = message.type === "woken" ? message.held : undefined
    const held = message.type === "caught-up" ? message.vector : vector
    if (held !== undefined) this.#vectorMustBeDurable(held)
  }

  #checkAck(id: ConnectionId, { marks, tier, seq: acked }: Ack): void {
    const { log } = this.#ledger.holdings(this.#host)
    const ownSeq = log.head(log.origin).seq
    for (const { seq } of marks) {
      demand(seq <= ownSeq, "vector-honesty", () => `ack marks ${seq} of ${ownSeq}`)
    }
    if (tier === "node") this.#promises.onAck(this.#host, id, acked)
  }

  #checkStock(room: string | undefined, frame: Uint8Array): void {
    const message = decodeYMessage(frame)
    if (message.type !== "step2" && message.type !== "update") return
    const document = documentIdOf("yjs", room ?? "")
    demand(document !== undefined, "protocol", () => "an update for a room without a name")
    this.#mustBeDurable(document, message.update)
  }

  #mustBeDurable(document: DocumentId, update: Uint8Array): void {
    const ops = this.#attempts.opsOf(document, update)
    const missing = this.#ledger.holdings(this.#host).lacks(document, ops)
    demand(missing === undefined, "nothing-unlogged-seen", () => {
      return `${document}: a client was shown ${missing}, which is not on the node's disk`
    })
  }

  #vectorMustBeDurable(vector: VersionVector): void {
    const { seqs } = this.#ledger.holdings(this.#host)
    for (const [origin, seq] of vector.entries()) {
      const held = seqs.get(origin) ?? 0
      demand(seq <= held, "vector-honesty", () => `resume ${origin} ${seq}, durable ${held}`)
    }
  }

  #checkLink(frame: Uint8Array): void {
    const message = readLinkFrame(frame)
    if (message.type === "vector") this.#checkHeads(message.heads)
    if (message.type === "entries") this.#checkEntries(message)
  }

  #checkHeads(heads: ReadonlyMap<OriginId, Head>): void {
    const { seqs } = this.#ledger.holdings(this.#host)
    for (const [origin, head] of heads) {
      const held = seqs.get(origin) ?? 0
      demand(head.seq <= held, "vector-honesty", () => {
        return `advertises ${origin} up to ${head.seq}, durable up to ${held}`
      })
      const known = this.#hashOf(origin, head.seq)
      demand(known === undefined || bytesEqual(known, head.hash), "vector-honesty", () => {
        return `advertises another hash of ${origin} ${head.seq}`
      })
    }
  }

  /** Where an origin forked, what counts is what is on the node's own disk. */
  #hashOf(origin: OriginId, seq: number): Uint8Array | undefined {
    const { forks } = this.#ledger
    if (!forks.covers(origin, seq)) return this.#ledger.entry(origin, seq)?.hash
    return this.#ledger.holdings(this.#host).log.hashAt({ origin, seq })
  }

  #checkEntries({ run }: LinkEntries): void {
    const held = this.#ledger.holdings(this.#host).seqs.get(run.origin) ?? 0
    for (const [index, record] of run.records.entries()) {
      const seq = run.firstSeq + index
      demand(seq <= held, "nothing-unlogged-seen", () => {
        return `a peer was sent ${run.origin} ${seq}, durable up to ${held}`
      })
      const known = this.#ledger.entry(run.origin, seq)
      assert(known !== undefined, "what a disk holds is in the ledger")
      const { forks } = this.#ledger
      const isKnown = bytesEqual(known.record, record)
      demand(isKnown || forks.find(run.origin, seq, record) !== undefined, "no-fork", () => {
        return `a peer was sent another ${run.origin} ${seq} than the logged one`
      })
    }
  }
}

function isAlike(one: Endpoint["type"], other: Endpoint["type"]): boolean {
  return one === other || (one.startsWith("link") && other.startsWith("link"))
}
