/**
 * What nodes promised clients: which numbered updates arrived, which were acked or refused. At
 * the moment of an ack everything it newly covers must be on that node's disk; at the end it must
 * be on every node's (`no-acked-write-lost`). Well-behaved clients are never refused for good.
 */
import { bytesEqual } from "@causeway/crdt/base"
import type { ClientId, ConnectionId, DocumentId } from "@causeway/crdt/base"
import { rejectCodes } from "@causeway/crdt/protocol"
import type { Reject } from "@causeway/crdt/protocol"
import type { HostId } from "../reachability.ts"
import type { Trace } from "../trace.ts"
import { demand } from "../violation.ts"
import { Coverage } from "./coverage.ts"
import type { Attempts } from "./attempts.ts"
import type { Ops } from "./coverage.ts"
import type { Ledger } from "./ledger.ts"

type Lost = { readonly seq: number; readonly document: DocumentId }

export type Numbered = {
  readonly document: DocumentId
  readonly bytes: Uint8Array
  readonly ops: Ops
}

/** A client and what it gave its numbers to, in the order of their coming. */
export type NumberedClient = {
  readonly id: ClientId
  readonly updates: ReadonlyMap<number, Numbered>
}

const none: Ops = { added: [], deleted: [] }

type Client = {
  readonly id: ClientId
  readonly updates: Map<number, Numbered>
  /** Numbers that a node could not take for now: their updates may be withdrawn ([N7]). */
  readonly refused: Set<number>
  ackedSeq: number
  /** What never arrived below it was refused before it was sent. */
  firstPending: number
}

export class Promises {
  readonly #attempts: Attempts
  readonly #ledger: Ledger
  readonly #trace: Trace
  readonly #clients = new Map<ClientId, Client>()
  readonly #connections = new Map<ConnectionId, Client>()
  readonly #distrusted = new Set<ClientId>()

  constructor(attempts: Attempts, ledger: Ledger, trace: Trace) {
    this.#attempts = attempts
    this.#ledger = ledger
    this.#trace = trace
  }

  /** This client breaks the protocol on purpose, or its numbers stand for other updates. */
  distrust(id: ClientId): void {
    this.#distrusted.add(id)
    for (const [connection, client] of this.#connections) {
      if (client.id === id) this.#connections.delete(connection)
    }
  }

  /**
   * The client's storage lost these: they may be logged, or be on their way yet, and are not sent
   * again.
   */
  onLost(id: ClientId | undefined, lost: readonly Lost[]): void {
    if (id === undefined) return
    const client = this.#clientOf(id, 0)
    for (const { seq, document } of lost) {
      if (seq <= client.ackedSeq) continue
      client.updates.set(seq, { document, bytes: new Uint8Array(0), ops: none })
    }
  }

  /** A client's first hello says where its numbers begin: a new id goes on with those it has. */
  onHello(connection: ConnectionId, id: ClientId, firstPending: number): void {
    if (this.#distrusted.has(id)) return
    const client = this.#clientOf(id, firstPending)
    client.firstPending = Math.max(client.firstPending, firstPending)
    this.#connections.set(connection, client)
  }

  onUpdate(
    connection: ConnectionId,
    document: DocumentId,
    firstSeq: number,
    updates: readonly Uint8Array[],
  ): void {
    const client = this.#connections.get(connection)
    if (client === undefined) return
    for (const [index, view] of updates.entries()) {
      const seq = firstSeq + index
      // The number of a refused update is sent as nothing; that promises nothing.
      if (view.length === 0) {
        if (client.updates.has(seq) && !client.refused.has(seq)) continue
        client.updates.set(seq, { document, bytes: view, ops: none })
        continue
      }
      const ops = this.#attempts.opsOf(document, view)
      const known = client.updates.get(seq)
      if (known !== undefined) {
        // A repair may add what the node lacked, and leave out only what a node has by now.
        const kept = new Coverage()
        kept.add(ops)
        const repeats =
          known.ops === none ||
          bytesEqual(known.bytes, view) ||
          this.#ledger.holdsSomewhere(document, kept.lacking(known.ops))
        demand(known.document === document && repeats, "protocol", () => {
          return `client ${client.id} used number ${seq} for two updates`
        })
        continue
      }
      client.updates.set(seq, { document, bytes: view.slice(), ops })
    }
  }

  /**
   * A client lets go of everything up to here, also of what was acked before: if that ack never
   * came and the disk lost it since, the client was the last to have it ([N2]).
   */
  onWelcome(host: HostId, connection: ConnectionId, loggedSeq: number): void {
    const client = this.#connections.get(connection)
    for (let number = client?.firstPending ?? Infinity; number <= loggedSeq; number++) {
      const update = client?.updates.get(number)
      if (update === undefined || this.#ledger.isKept(update.document, update.ops)) continue
      demand(false, "no-acked-write-lost", () => {
        return `update ${number} of ${client?.id} was said to be logged, and nobody has it`
      })
    }
    this.onAck(host, connection, loggedSeq)
  }

  onAck(host: HostId, connection: ConnectionId, seq: number): void {
    const client = this.#connections.get(connection)
    if (client === undefined || seq <= client.ackedSeq) return
    this.#trace.add("acked", host, seq)
    const holdings = this.#ledger.holdings(host)
    for (let number = client.ackedSeq + 1; number <= seq; number++) {
      const update = client.updates.get(number)
      if (update === undefined && number < client.firstPending) continue
      demand(update !== undefined, "no-acked-write-lost", () => {
        return `update ${number} of ${client.id} was acked and never arrived`
      })
      const missing = holdings.lacks(update.document, update.ops)
      demand(missing === undefined, "no-acked-write-lost", () => {
        return `update ${number} of ${client.id} was acked; ${missing} is not on the disk`
      })
    }
    client.ackedSeq = seq
  }

  onReject(connection: ConnectionId, { seq, code, message }: Reject): void {
    const client = this.#connections.get(connection)
    if (client === undefined || client.updates.get(seq)?.bytes.length === 0) return
    if (code === "missing-predecessors") client.refused.add(seq)
    demand(rejectCodes[code].retry, "honest-client-refused", () => {
      return `update ${seq} of ${client.id} was refused for good: ${code} (${message})`
    })
  }

  /** Whose connection to a node that is; undefined if it is not to be trusted. */
  clientOn(connection: ConnectionId): NumberedClient | undefined {
    return this.#connections.get(connection)
  }

  clientNamed(id: ClientId): NumberedClient | undefined {
    return this.#clients.get(id)
  }

  /** Every update that was ever acked. */
  *acked(): Generator<Numbered & { readonly client: ClientId; readonly seq: number }> {
    for (const client of this.#clients.values()) {
      for (const [seq, update] of client.updates) {
        if (seq <= client.ackedSeq) yield { ...update, client: client.id, seq }
      }
    }
  }

  #clientOf(id: ClientId, firstPending: number): Client {
    const known = this.#clients.get(id)
    if (known !== undefined) return known
    const ackedSeq = Math.max(0, firstPending - 1)
    const client = { id, updates: new Map(), refused: new Set<number>(), ackedSeq, firstPending }
    this.#clients.set(id, client)
    return client
  }
}
