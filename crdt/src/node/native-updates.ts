/**
 * Updates of native clients: taken in the order of their numbers, acked after their commit,
 * refused with a typed code. Each connection takes exactly one number next (`nextSeq`), which
 * makes resends, dedupe and go-back-N one rule. Rules [N5]–[N7].
 */
import { limits } from "../base/index.ts"
import type { ClientId, ConnectionId } from "../base/index.ts"
import { encodeAck, encodeReject, rejectCodes } from "../protocol/index.ts"
import type { AckMark, RejectCode, Update } from "../protocol/index.ts"
import type { OwnWrite } from "./commits.ts"
import type { NativeConnection } from "./connections.ts"
import type { Core } from "./core.ts"
import type { Place, Tiers } from "./tiers.ts"
import type { Turn } from "./turn.ts"
import { admitWrite } from "./writes.ts"

export class NativeUpdates {
  readonly #core: Core
  readonly #tiers: Tiers
  readonly #connections: ReadonlyMap<ConnectionId, NativeConnection>

  constructor(core: Core, tiers: Tiers, connections: ReadonlyMap<ConnectionId, NativeConnection>) {
    this.#core = core
    this.#tiers = tiers
    this.#connections = connections
  }

  onUpdate(turn: Turn, connection: NativeConnection, client: ClientId, message: Update): void {
    // Numbers past the next one follow a refused one; the client sends them again after it.
    if (message.seq > connection.nextSeq) return
    let { seq } = message
    for (const update of message.updates) {
      if (seq >= connection.nextSeq) {
        const code = this.#take(turn, connection, message.channel, { client, seq }, update)
        if (code !== undefined && rejectCodes[code].retry) return
        connection.nextSeq = seq + 1
      }
      seq += 1
    }
    // A repeat of what is logged already: its ack was lost.
    if (seq - 1 <= connection.ackedSeq) this.#ack(turn, connection, connection.ackedSeq, [])
  }

  /** Gives the code if the update was refused. */
  #take(
    turn: Turn,
    connection: NativeConnection,
    channel: number,
    author: { readonly client: ClientId; readonly seq: number },
    update: Uint8Array,
  ): RejectCode | undefined {
    const { seq } = author
    const session = connection.channels.get(channel)
    if (session === undefined && connection.deleted.has(channel)) {
      return this.#reject(turn, connection, seq, "document-deleted", "the document was deleted")
    }
    if (session === undefined) {
      return this.#reject(turn, connection, seq, "document-not-open", "open the document first")
    }
    // A client stops at its window, of which its last frame may be over.
    if (connection.unackedBytes > 2 * limits.clientWindowBytes) {
      return this.#reject(turn, connection, seq, "overloaded", "past the window of unacked bytes")
    }
    const verdict = admitWrite(turn, this.#core.commits, { session, author, update })
    if (!verdict.accepted) {
      return this.#reject(turn, connection, seq, verdict.code, verdict.message)
    }
    connection.unackedBytes += update.length
    this.#core.documents.wantFrontier(turn, session.document)
    return undefined
  }

  #reject(
    turn: Turn,
    connection: NativeConnection,
    seq: number,
    code: RejectCode,
    message: string,
  ): RejectCode {
    if (code === "missing-predecessors") connection.repairSeq = seq
    turn.emit({ type: "update-rejected", connection: connection.id, code })
    turn.send(connection.id, encodeReject({ type: "reject", seq, code, message }))
    return code
  }

  /** A commit made these writes durable; `firstSeq` numbers the first of the batch. */
  onCommitted(turn: Turn, own: readonly OwnWrite[], firstSeq: number): void {
    type Acked = { clientSeq: number; channels: Map<number, number> }
    const acked = new Map<NativeConnection, Acked>()
    for (const [index, write] of own.entries()) {
      const connection = this.#connections.get(write.connection)
      if (connection === undefined || write.clientSeq === undefined) continue
      connection.unackedBytes -= write.body.length
      const mark = acked.get(connection) ?? { clientSeq: 0, channels: new Map() }
      acked.set(connection, mark)
      mark.clientSeq = write.clientSeq
      // Not for a session that is owed earlier updates: its resume point would jump past them.
      const session = connection.channels.get(write.channel)
      if (session?.state.state === "live") mark.channels.set(write.channel, firstSeq + index)
    }
    let place: Place | undefined
    for (const [connection, { clientSeq, channels }] of acked) {
      this.#tiers.notePassedOver(connection)
      const marks = [...channels].map(([channel, seq]) => ({ channel, seq }))
      // Before the ack: a client lets go of what is acked, and then has to know where it is.
      if (connection.isTold) {
        place ??= this.#tiers.place()
        const isRepair = connection.repairSeq > 0 && clientSeq >= connection.repairSeq
        const here = isRepair ? this.#tiers.placeOfAll() : place
        if (isRepair) connection.repairSeq = 0
        turn.send(connection.id, here.frame)
        this.#tiers.onAcked(turn, connection.id, clientSeq, here)
      }
      this.#ack(turn, connection, clientSeq, marks)
    }
  }

  #ack(turn: Turn, connection: NativeConnection, seq: number, marks: readonly AckMark[]): void {
    connection.ackedSeq = Math.max(connection.ackedSeq, seq)
    turn.send(connection.id, encodeAck({ type: "ack", tier: "node", seq, marks }))
  }

  /** These writes are not durable and never will be: each client is to send its first again. */
  onFailed(turn: Turn, own: readonly OwnWrite[], code: RejectCode): void {
    const told = new Set<ConnectionId>()
    for (const write of own) {
      const connection = this.#connections.get(write.connection)
      if (connection === undefined || write.clientSeq === undefined) continue
      connection.unackedBytes -= write.body.length
      if (told.has(connection.id)) continue
      told.add(connection.id)
      connection.nextSeq = write.clientSeq
      this.#reject(turn, connection, write.clientSeq, code, "the node could not save it")
    }
  }
}
