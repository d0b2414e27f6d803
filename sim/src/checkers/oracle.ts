/**
 * The oracle: hears of everything at the moment it happens (writes, what becomes durable, what
 * nodes are told and say) and stops the run where a promise is broken. It only watches.
 */
import { DecodeError } from "@causeway/crdt/base"
import type { ClientId, DocumentId } from "@causeway/crdt/base"
import type { Effect, Engines, Input, NodeEvent } from "@causeway/crdt/node"
import type { StoredImage } from "@causeway/crdt/client"
import type { AppendBatch, StoredUpdate } from "@causeway/crdt/ports"
import { closeCodes, decodeClientMessage } from "@causeway/crdt/protocol"
import type { ClientMessage } from "@causeway/crdt/protocol"
import type { HostId } from "../reachability.ts"
import type { SimNode } from "../sim-node.ts"
import type { Trace } from "../trace.ts"
import { Violation } from "../violation.ts"
import type { DiskChange, Watcher } from "../watcher.ts"
import type { SimWriter } from "../writer.ts"
import { Attempts } from "./attempts.ts"
import { ClientHoldings } from "./client-holdings.ts"
import type { Clients } from "./client-holdings.ts"
import { Coverage } from "./coverage.ts"
import { ReplicaView } from "./client-view.ts"
import { Ledger } from "./ledger.ts"
import { NodeOutput } from "./node-output.ts"
import { Promises } from "./promises.ts"

export class Oracle implements Watcher {
  readonly attempts: Attempts
  readonly ledger: Ledger
  readonly promises: Promises
  readonly #trace: Trace
  readonly #checksTokens: boolean
  #shelved = (_document: DocumentId): Coverage => new Coverage()
  readonly #outputs = new Map<HostId, NodeOutput>()
  /** Clients on older storage, and below which number theirs may stand for two updates. */
  readonly #reusedBelow = new Map<ClientId, number>()

  constructor(engines: Engines, trace: Trace, checksTokens: boolean) {
    this.#trace = trace
    this.#checksTokens = checksTokens
    this.attempts = new Attempts(engines)
    this.ledger = new Ledger(this.attempts)
    this.promises = new Promises(this.attempts, this.ledger, trace)
  }

  makeView(document: DocumentId): ReplicaView {
    return new ReplicaView(document, this.ledger, this.attempts)
  }

  /** Whose clients may hold what no node holds. */
  setClients(clients: Clients): void {
    const holdings = new ClientHoldings(clients, this.attempts)
    this.#shelved = (document) => holdings.shelved(document)
    this.ledger.losses.setHolders(holdings)
  }

  /** Writes of a document that were refused for now and wait for their app ([C3] [N14]). */
  shelved(document: DocumentId): Coverage {
    return this.#shelved(document)
  }

  onWrite(writer: SimWriter, document: DocumentId, token: string, update: Uint8Array): void {
    this.attempts.add(writer.host, document, token, update)
    this.#trace.add("write", writer.host, this.attempts.all.length, update.length, update)
    this.#trace.detail(`${token} in ${document}`)
  }

  onStored(document: DocumentId, update: Uint8Array): void {
    const attempt = this.attempts.find(document, update)
    if (attempt !== undefined) attempt.promise = "stored"
  }

  onLetGo(): void {
    this.ledger.settle()
  }

  /** The numbers of what is pending are void from then on: they are sent as nothing. */
  onDiscarded(writer: SimWriter, document: DocumentId, client: ClientId | undefined): void {
    this.#trace.add("disk", writer.host)
    if (client !== undefined) {
      this.promises.distrust(client)
      this.#reusedBelow.set(client, this.#reusedBelow.get(client) ?? 0)
    }
    for (const attempt of this.attempts.all) {
      if (attempt.writer === writer.host && attempt.document === document) attempt.forgotten = true
    }
    this.ledger.settle()
  }

  /** A client's storage has no more of what was discarded. */
  onRemoved(): void {
    this.ledger.settle()
  }

  onForgotten(writer: SimWriter, storage: "kept" | "lost"): void {
    this.#trace.add("crash", writer.host)
    this.attempts.forget(writer.host, storage)
    this.ledger.settle()
  }

  /**
   * A client that is not running was given older storage. What it had still to send is forgotten,
   * what was acked is not; its numbers now stand for other updates, until it notices ([N2]).
   */
  onClientRestored(writer: SimWriter, before: StoredImage, after: StoredImage): void {
    this.#trace.add("disk", writer.host)
    for (const [seq, { document, bytes }] of [...before.outbox, ...before.rejected]) {
      const kept = after.outbox.get(seq) ?? after.rejected.get(seq)
      if (kept?.bytes !== bytes) this.attempts.forgetOne(document, bytes)
    }
    if (after.client !== undefined) {
      this.promises.distrust(after.client)
      this.#reusedBelow.set(after.client, before.nextSeq)
    }
    this.ledger.settle()
  }

  /**
   * A client that is not running lost these of what it had still to send. What it typed there later
   * may build on them, and then waits for them wherever it comes.
   */
  onClientDamaged(writer: SimWriter, before: StoredImage, lost: readonly StoredUpdate[]): void {
    this.#trace.add("disk", writer.host)
    this.promises.onLost(before.client, lost)
    for (const { seq, document } of lost) {
      for (const later of [...before.outbox.values(), ...before.rejected.values()]) {
        if (later.document !== document || later.seq < seq) continue
        this.attempts.forgetOne(document, later.bytes)
      }
    }
    this.ledger.settle()
  }

  /** Whether updates of this client may count as logged because others had their numbers. */
  mayReuseNumbers(client: ClientId | undefined): boolean {
    return client !== undefined && this.#reusedBelow.has(client)
  }

  /**
   * A limitation: a number whose first update some node logged, and that a client with older
   * storage gives to another one, counts as logged there ([N2] [N5]). Unless the other was logged
   * too, its client lets go of what nobody has.
   */
  onTrimmed(client: ClientId | undefined, { seq, document, bytes }: StoredUpdate): void {
    if (client === undefined || seq >= (this.#reusedBelow.get(client) ?? 0)) return
    const isLogged = this.ledger.holdsSomewhere(document, this.attempts.opsOf(document, bytes))
    if (!isLogged) this.attempts.forgetOne(document, bytes)
  }

  onRefused(writer: SimWriter, code: number): void {
    // Tokens end, also on their way; then the client asks for another.
    if (this.#checksTokens && code === closeCodes["not-authenticated"].code) return
    throw new Violation("honest-client-refused", `${writer.name} was closed for good: ${code}`)
  }

  onDurable(host: HostId, batch: AppendBatch, firstSeq: number): void {
    this.#trace.add("durable", host, batch.own.length, batch.adopted.length)
    this.ledger.onDurable(host, batch, firstSeq)
  }

  onDiskChanged(host: HostId, change: DiskChange): void {
    this.#trace.add("disk", host)
    this.#trace.detail(change)
    this.ledger.onDiskChanged(host, change)
  }

  onNodeStarted(node: SimNode): void {
    this.ledger.checkRestart(node.host, node.disk.durable)
    const output = new NodeOutput(node.host, this.attempts, this.ledger, this.promises)
    this.#outputs.set(node.host, output)
  }

  onNodeEffect(node: SimNode, effect: Effect): void {
    if (effect.type === "send") this.#outputs.get(node.host)?.onSend(effect)
    else if (effect.type === "emit") this.#onEvent(effect.event)
  }

  #onEvent(event: NodeEvent): void {
    if (event.type === "fork-detected") this.ledger.forks.report(event.origin)
  }

  onNodeInput(node: SimNode, input: Input): void {
    const output = this.#outputs.get(node.host)
    if (output === undefined) return
    if (input.type === "opened") output.onOpened(input.connection, input.endpoint)
    if (input.type === "closed") output.onClosed(input.connection)
    if (input.type === "frame") this.#onFrame(output, input)
  }

  #onFrame(output: NodeOutput, input: Extract<Input, { type: "frame" }>): void {
    const { connection, frame } = input
    if (output.endpointOf(connection)?.type !== "native") return
    const message = tryDecode(frame)
    if (message?.type === "hello")
      this.promises.onHello(connection, message.client, message.firstPending)
    if (message?.type === "open") output.onOpen(connection, message)
    if (message?.type !== "update") return
    const document = output.documentOf(connection, message.channel)
    if (document === undefined) return
    this.promises.onUpdate(connection, document, message.seq, message.updates)
  }
}

function tryDecode(frame: Uint8Array): ClientMessage | undefined {
  try {
    return decodeClientMessage(frame)
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}
