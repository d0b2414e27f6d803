/**
 * One link to a peer: what the peer is known to hold, what is on its way there, and what it asked
 * for. Knowledge of a peer lives and dies with its link. A link has a window: entry bytes that
 * were sent and that no vector of the peer's has confirmed. Past it nothing is sent. Rule [L3].
 */
import { assert } from "../base/index.ts"
import type { ConnectionId, Millis, NodeId, OriginId } from "../base/index.ts"
import type { Head } from "../log/index.ts"
import type { ReopenDoubt } from "../ports/index.ts"
import type { CloseReason } from "../protocol/index.ts"
import type { Holdings } from "./holdings.ts"
import type { Hellos } from "./link-proof.ts"

/** Entries of one origin that are to be sent, from `nextSeq` on, in order. */
export type Stream = { nextSeq: number }

type Sent = { readonly origin: OriginId; readonly seq: number; readonly bytes: number }

export type PeerIdentity = {
  readonly node: NodeId
  readonly origin: OriginId
  readonly windowBytes: number
  /** Where it says that it is reached; empty if it does not. */
  readonly address: string
  /** Its hello is one that this process sent. */
  readonly isSelf: boolean
}

export type LinkState =
  /** Our hello is on its way. */
  | { readonly state: "greeting"; readonly ours: Uint8Array }
  /** Nothing that it says of itself is known to be true. */
  | { readonly state: "proving"; readonly peer: PeerIdentity; readonly hellos: Hellos }
  /** It is of this cluster; what it holds it has not said. */
  | { readonly state: "proved"; readonly peer: PeerIdentity }
  | { readonly state: "linked"; readonly peer: PeerIdentity }

/** An origin that the peer holds otherwise than we do. */
export type Fork = {
  readonly link: Link
  readonly origin: OriginId
  /** Where the logs were seen to differ: here or before. */
  readonly seq: number
  readonly sinceMs: Millis
  /** Whose branch stays, once that is known. */
  stays: "ours" | "theirs" | "unknown"
  /** What is to be opened anew if ours gives way. */
  doubt: ReopenDoubt | undefined
}

export class Link {
  readonly connection: ConnectionId
  /** The address we dialled; undefined if the peer dialled us. */
  readonly address: string | undefined
  readonly openedMs: Millis
  state: LinkState = { state: "greeting", ours: new Uint8Array() }
  /** Why this node refused the peer. */
  refused: CloseReason | undefined
  /** Which version of the address book the peer was told. */
  toldAddresses = 0
  heardMs: Millis
  pingedMs: Millis
  isCongested = false
  isReading = false
  /** The peer's head of our own origin up to which its chain is known to be ours. */
  agreedSeq = 0
  /** What the peer durably holds, as far as it said. */
  readonly heads = new Map<OriginId, Head>()
  /**
   * Origins of which it may hold more than we do, or something else, or which it is to bring: of
   * all others a look through `heads` would find nothing.
   */
  readonly unsettled = new Set<OriginId>()
  /** What we told it we hold. */
  readonly told = new Map<OriginId, number>()
  /** Origins raised since this peer was told, or told to others before its hello. */
  readonly untold = new Set<OriginId>()
  /** Origins of which it ever brought anything: it waits to hear that we hold more of them. */
  readonly brought = new Set<OriginId>()
  /** Round-robin: the stream that was served goes to the end. */
  readonly streams = new Map<OriginId, Stream>()
  /** Origins whose chain differs from ours: nothing is adopted from them over this link. */
  readonly forked = new Map<OriginId, Fork>()
  /** It looks into a fork, and its question is being answered. */
  isProbed = false
  /** How often it was asked for what would have shown where logs part, and brought nothing. */
  vainProbes = 0
  /** Where its logs begin, as far as it said when it was asked for what is before that. */
  readonly truncated = new Map<OriginId, number>()
  /** Origins that it was asked for and brought nothing of, and when that was last. */
  readonly unserved = new Map<OriginId, Millis>()
  /** When it was last asked for a page of documents. */
  transferAskedMs: Millis = Number.MIN_SAFE_INTEGER
  /** When it last could not read such a page. */
  transferFailedMs: Millis = Number.MIN_SAFE_INTEGER
  /** Set until both sides hold what the other held when they met. */
  healing: { readonly sinceMs: Millis; entries: number } | undefined
  readonly #sent: Sent[] = []
  #sentBytes = 0
  /** Bytes of entries sent so far. */
  sentBytesTotal = 0

  constructor(connection: ConnectionId, address: string | undefined, nowMs: Millis) {
    this.connection = connection
    this.address = address
    this.openedMs = nowMs
    this.heardMs = nowMs
    this.pingedMs = nowMs
  }

  /** The peer says what it durably holds of an origin. */
  hear(origin: OriginId, head: Head): void {
    this.heads.set(origin, head)
    this.unsettled.add(origin)
    this.confirm(origin, head.seq)
  }

  /** Entries that the peer is known to have and this node lacks. */
  behind(holdings: Holdings): number {
    let entries = 0
    for (const origin of this.unsettled) {
      const theirs = this.heads.get(origin)?.seq ?? 0
      entries += Math.max(0, theirs - holdings.head(origin).seq)
    }
    return entries
  }

  get windowLeft(): number {
    const { state } = this
    return state.state === "linked" ? state.peer.windowBytes - this.#sentBytes : 0
  }

  /** Whether entries may be sent now. */
  get isOpen(): boolean {
    return this.windowLeft > 0 && !this.isCongested
  }

  noteSent(origin: OriginId, seq: number, bytes: number): void {
    this.#sent.push({ origin, seq, bytes })
    this.#sentBytes += bytes
    this.sentBytesTotal += bytes
  }

  /** The peer durably holds `origin` up to `seq`: what was sent of it leaves the window. */
  confirm(origin: OriginId, seq: number): void {
    this.#release((sent) => sent.origin === origin && sent.seq <= seq)
  }

  /** The peer asks from `fromSeq` on: what was sent from there was lost on it. */
  rewind(origin: OriginId, fromSeq: number): void {
    this.#release((sent) => sent.origin === origin && sent.seq >= fromSeq)
    this.streams.delete(origin)
    this.streams.set(origin, { nextSeq: fromSeq })
  }

  /** Nothing of that origin is sent any more, and what was is not waited for. */
  dropStream(origin: OriginId): void {
    this.#release((sent) => sent.origin === origin)
    this.streams.delete(origin)
  }

  #release(isOver: (sent: Sent) => boolean): void {
    let kept = 0
    for (const sent of this.#sent) {
      if (isOver(sent)) this.#sentBytes -= sent.bytes
      else this.#sent[kept++] = sent
    }
    this.#sent.length = kept
    assert(this.#sentBytes >= 0, "window")
  }
}
