/**
 * The tiers above `node` on this side: which of them the app wants, how far acked updates have
 * come, and whom they wait for. A node of version 1 knows nothing of them, and is asked nothing.
 * Rules [N15]–[N17], [T8] [T9].
 */
import type { ConnectionId, DocumentId, Millis } from "../base/index.ts"
import { encodeWantTier } from "../protocol/index.ts"
import type { AckTier, Logged, TierMark, TierStatus } from "../protocol/index.ts"
import type { DocumentRecord } from "./document-table.ts"
import type { ClientEffect } from "./effect.ts"
import type { TierState, WaitingFor } from "./status.ts"
import { TierPositions } from "./tier-positions.ts"
import type { HigherTier } from "./tier-positions.ts"

/** The first version of the native protocol that has tiers. */
const TIERS_SINCE = 2

type Node = { readonly socket: ConnectionId; readonly knowsTiers: boolean }

const unasked: TierState = { state: "unasked" }
const saved: TierState = { state: "saved" }
const lost: TierState = { state: "lost" }
const unknown: TierState = { state: "unknown" }
const offline: TierState = { state: "pending", connected: false, waitingFor: [] }
const untold: TierState = { state: "pending", connected: true, waitingFor: [] }

export class Tiers {
  readonly positions: TierPositions
  readonly #touched: Set<DocumentId>
  readonly #wanted = new Set<HigherTier>()
  /** Why a tier is not reached. */
  readonly #pending = new Map<HigherTier, TierState>()
  /** Documents of which something has not come to all wanted tiers. */
  readonly #awaiting = new Map<DocumentId, number>()
  #node: Node | undefined

  constructor(stored: Uint8Array | undefined, ackedSeq: number, touched: Set<DocumentId>) {
    this.positions = new TierPositions(stored, ackedSeq)
    this.#touched = touched
  }

  /** Nothing is sent until the node has said where it logged what it welcomed. */
  get isUnplaced(): boolean {
    return this.positions.isUnplaced
  }

  want(tier: HigherTier, records: Iterable<DocumentRecord>, effects: ClientEffect[]): void {
    if (this.#wanted.has(tier)) return
    this.#wanted.add(tier)
    for (const record of records) {
      this.#touched.add(record.document)
      this.#awaiting.set(record.document, this.seqOf(record))
    }
    this.#ask(tier, this.positions.wantOf(tier), effects)
  }

  #ask(
    tier: AckTier,
    want: { readonly fromSeq: number; readonly marks: readonly TierMark[] },
    effects: ClientEffect[],
  ): void {
    if (this.#node?.knowsTiers !== true) return
    const frame = encodeWantTier({ type: "want-tier", tier, ...want })
    effects.push({ type: "send", socket: this.#node.socket, frame })
  }

  connected(
    socket: ConnectionId,
    { version, loggedSeq }: { readonly version: number; readonly loggedSeq: number },
    effects: ClientEffect[],
  ): void {
    const knowsTiers = version >= TIERS_SINCE
    const fromSeq = this.positions.placedTo + 1
    this.positions.connected(loggedSeq, knowsTiers)
    this.#node = { socket, knowsTiers }
    this.#pending.clear()
    this.#touchAll()
    this.#ask("node", { fromSeq, marks: [] }, effects)
    for (const tier of this.#wanted) this.#ask(tier, this.positions.wantOf(tier), effects)
  }

  disconnected(): void {
    this.positions.disconnected()
    this.#node = undefined
    this.#pending.clear()
    this.#touchAll()
  }

  #touchAll(): void {
    for (const document of this.#awaiting.keys()) this.#touched.add(document)
  }

  /** False if the node may not say this. */
  onLogged({ heads }: Logged): boolean {
    if (this.#node?.knowsTiers !== true) return false
    this.positions.logged(heads)
    return true
  }

  /** The document's status says that it waits: it is to be looked at again when that ends. */
  watch(record: DocumentRecord): void {
    this.#awaiting.set(record.document, this.seqOf(record))
  }

  /** An update of the document left the outbox, as a node has it. */
  noteAcked(record: DocumentRecord, seq: number): void {
    record.lastSeq = Math.max(record.lastSeq ?? 0, seq)
    if (this.#wanted.size > 0) this.#awaiting.set(record.document, record.lastSeq)
  }

  onTierAcked(tier: HigherTier, seq: number): boolean {
    if (!this.#wanted.has(tier) || !this.positions.tierAcked(tier, seq)) return false
    this.#review()
    return true
  }

  onStatus(message: TierStatus, nowMs: Millis): boolean {
    const { tier, missing, lostTo } = message
    if (tier === "node" || !this.#wanted.has(tier)) return false
    if (!this.positions.lost(tier, lostTo)) return false
    const waitingFor = missing.map(({ member, linked, forMs }): WaitingFor => {
      return { member, linked, sinceMs: nowMs - forMs }
    })
    this.#pending.set(tier, { state: "pending", connected: true, waitingFor })
    this.#touchAll()
    this.#review()
    return true
  }

  #review(): void {
    for (const [document, seq] of this.#awaiting) {
      this.#touched.add(document)
      const states = [...this.#wanted].map((tier) => this.positions.stateOf(tier, seq))
      if (!states.includes("pending")) this.#awaiting.delete(document)
    }
  }

  /** The number that has to be saved for all that is acked of the document to be. */
  seqOf(record: DocumentRecord): number {
    // Another handle, or another life, may have typed there: all that is acked will do.
    record.lastSeq ??= this.positions.placedTo
    return record.lastSeq
  }

  stateOf(tier: HigherTier, seq: number): TierState {
    if (!this.#wanted.has(tier)) return unasked
    const state = this.positions.stateOf(tier, seq)
    if (state === "reached") return saved
    if (state === "lost") return lost
    if (this.#node === undefined) return offline
    if (!this.#node.knowsTiers) return unknown
    return this.#pending.get(tier) ?? untold
  }
}
