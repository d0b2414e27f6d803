/**
 * The taking half of state transfer: where no peer has the entries any more that this node lacks,
 * documents come in their place, a page at a time, from whoever is linked. Each is merged with what
 * is here, shown, and written together with how far the transfer is, so that nothing begins anew
 * after a stop. What this node claims to hold stays as it was until all of it is here. What belongs
 * to no document waits for that in memory, where every node has such entries anyway; only they are
 * asked for anew if the process ends. Rule [K8].
 */
import {
  assert,
  bytesConcat,
  DecodeError,
  limits,
  partsOfDocumentId,
  Reader,
} from "../base/index.ts"
import type { DocumentId, Millis, NodeId, OriginId } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import type { Head } from "../log/index.ts"
import { decodeParts, encodeTransferWant } from "../protocol/index.ts"
import type {
  TransferDocument,
  TransferFailed,
  TransferMessage,
  TransferPage,
  TransferWant,
} from "../protocol/index.ts"
import type { AppendResult } from "../ports/index.ts"
import { learn } from "./core.ts"
import type { Core } from "./core.ts"
import { partsOf, reachOf } from "./document-state.ts"
import type { Link } from "./link.ts"
import { claimsOf, isSoundPage, NamedOrigins, WaitingRecords, withRoom } from "./transfer-checks.ts"
import { decodeProgress, encodeProgress, leastHeads, transferStart } from "./transfer-progress.ts"
import type { TransferProgress } from "./transfer-progress.ts"
import type { Turn } from "./turn.ts"

export type TransferStatus = {
  readonly peer: NodeId
  readonly sinceMs: Millis
  readonly documents: number
  readonly bytes: number
}

/** A document that is coming, piece by piece. */
type Coming = {
  readonly document: DocumentId
  readonly vector: VersionVector
  readonly total: number
  readonly pieces: Uint8Array[]
  received: number
}

type Arrived = {
  readonly document: DocumentId
  readonly vector: VersionVector
  readonly bytes: Uint8Array
}

type Transfer = {
  readonly link: Link
  readonly sinceMs: Millis
  /** All pages come from this peer. */
  readonly isWhole: boolean
  /** Where its logs begin, as far as it had said. */
  readonly claims: ReadonlyMap<OriginId, number>
  heardMs: Millis
  coming: Coming | undefined
  readonly arrived: Arrived[]
  arrivedBytes: number
  /** The page has ended, with what arrived before it. */
  page: TransferPage | undefined
  /** What the peer had said that it holds when it was asked for the page. */
  askedHeads: ReadonlyMap<OriginId, Head>
  isBusy: boolean
  documents: number
  bytes: number
}

/** What has to do with links and sessions is theirs. */
export type TransferHooks = {
  readonly links: ReadonlyMap<number, Link>
  /** From now on nothing of these origins is adopted, until this is called with none. */
  readonly holdBack: (origins: ReadonlySet<OriginId>) => void
  /** Shows updates that no entry stands for to the sessions of a document. */
  readonly show: (turn: Turn, document: DocumentId, updates: readonly Uint8Array[]) => void
  /** Heads have moved, or the transfer is over: vectors are looked through anew. */
  readonly onRaised: (turn: Turn) => void
  /** All is here that this peer has, and nothing of these origins, though it said that it had. */
  readonly onVain: (turn: Turn, peer: NodeId, origins: readonly OriginId[]) => void
}

export class TransferIn {
  readonly #core: Core
  readonly #hooks: TransferHooks
  /** Undefined if no transfer is due. */
  #progress: TransferProgress | undefined
  /** What all pages stand for that have come to their ends, and the part of one that did not. */
  #pagesHeads: TransferProgress["heads"]
  /** What has come of no document. */
  readonly #records = new WaitingRecords()
  readonly #named = new NamedOrigins()
  #transfer: Transfer | undefined

  constructor(core: Core, hooks: TransferHooks) {
    this.#core = core
    this.#hooks = hooks
    for (const [name, note] of core.config.notes ?? []) {
      if (name === "transfer") this.#progress = decodeProgress(note)
    }
  }

  status(): TransferStatus | undefined {
    const transfer = this.#transfer
    if (transfer?.link.state.state !== "linked") return undefined
    const { sinceMs, documents, bytes } = transfer
    return { peer: transfer.link.state.peer.node, sinceMs, documents, bytes }
  }

  /** No peer has the entries that come next: begins, unless a transfer is under way. */
  want(turn: Turn, link: Link): void {
    const isResumed = this.#progress !== undefined
    if (this.#transfer !== undefined || link.state.state !== "linked") return
    if (!mayServe(turn, link)) {
      this.#goOn(turn)
      return
    }
    this.#progress ??= transferStart
    turn.emit({ type: "transfer-begun", peer: link.state.peer.node, resumed: isResumed })
    this.#pagesHeads = this.#progress.heads
    this.#transfer = {
      link,
      sinceMs: turn.nowMs,
      isWhole: this.#progress === transferStart,
      claims: new Map(link.truncated),
      heardMs: turn.nowMs,
      coming: undefined,
      arrived: [],
      arrivedBytes: 0,
      page: undefined,
      askedHeads: new Map(),
      isBusy: false,
      documents: 0,
      bytes: 0,
    }
    this.#ask(turn, this.#transfer)
  }

  #ask(turn: Turn, transfer: Transfer): void {
    assert(this.#progress !== undefined, "a transfer knows where it is")
    transfer.heardMs = turn.nowMs
    const since = this.#core.holdings.vector()
    const { place } = this.#progress
    transfer.askedHeads = new Map(transfer.link.heads)
    transfer.link.transferAskedMs = turn.nowMs
    const want = encodeTransferWant({ type: "transfer-want", since, place })
    turn.send(transfer.link.connection, want)
  }

  sweep(turn: Turn): void {
    const transfer = this.#transfer
    if (transfer !== undefined) {
      const isSilent = turn.nowMs - transfer.heardMs > limits.transferPatienceMs
      if (!isSilent || transfer.isBusy) return
      this.#stop(turn, transfer, "nothing came for too long")
    }
    this.#goOn(turn)
  }

  /**
   * Goes on where one stopped, with a peer that holds more than this node: who was asked longest
   * ago first, so that no two that bring nothing keep it from a third.
   */
  #goOn(turn: Turn): void {
    if (this.#progress === undefined) return
    const { holdings } = this.#core
    const ahead = [...this.#hooks.links.values()].filter(
      (link) => link.state.state === "linked" && mayServe(turn, link) && link.behind(holdings) > 0,
    )
    const [next] = ahead.toSorted((one, other) => one.transferAskedMs - other.transferAskedMs)
    if (next !== undefined) this.want(turn, next)
  }

  onLinkDown(turn: Turn, link: Link): void {
    const transfer = this.#transfer
    if (transfer?.link === link) this.#stop(turn, transfer, "the link is down")
  }

  #stop(turn: Turn, transfer: Transfer, detail: string): void {
    this.#transfer = undefined
    this.#hooks.holdBack(new Set())
    if (transfer.link.state.state !== "linked") return
    turn.emit({ type: "transfer-stopped", peer: transfer.link.state.peer.node, detail })
  }

  /** Gives false if the message breaks the protocol. */
  onMessage(turn: Turn, link: Link, message: Exclude<TransferMessage, TransferWant>): boolean {
    switch (message.type) {
      case "document":
        return this.#onDocument(turn, link, message)
      case "transfer-page":
        return this.#onPage(turn, link, message)
      case "transfer-failed":
        return this.#onFailed(turn, link, message)
    }
  }

  /** The peer can't read the page: somebody else is asked, at once. */
  #onFailed(turn: Turn, link: Link, { code }: TransferFailed): boolean {
    const transfer = this.#transfer
    if (transfer?.link !== link) return true
    if (transfer.page !== undefined) return false
    link.transferFailedMs = turn.nowMs
    if (link.state.state === "linked") {
      turn.emit({ type: "transfer-refused", peer: link.state.peer.node, code })
    }
    this.#stop(turn, transfer, `the peer can't read it: ${code}`)
    this.#goOn(turn)
    return true
  }

  #onDocument(turn: Turn, link: Link, message: TransferDocument): boolean {
    const transfer = this.#transfer
    // Of a page that was given up.
    if (transfer?.link !== link) return true
    if (transfer.page !== undefined) return false
    transfer.heardMs = turn.nowMs
    const coming = this.#comingOf(transfer, message)
    if (coming === undefined) return false
    coming.pieces.push(message.piece)
    coming.received += message.piece.length
    transfer.bytes += message.piece.length
    if (coming.received < coming.total) return true
    transfer.coming = undefined
    const { document, vector } = coming
    transfer.arrived.push({ document, vector, bytes: bytesConcat(coming.pieces) })
    transfer.arrivedBytes += coming.total
    this.#pump(turn, transfer)
    return true
  }

  #comingOf(transfer: Transfer, message: TransferDocument): Coming | undefined {
    const { document, vector, total, offset } = message
    const { coming } = transfer
    if (coming !== undefined) {
      const follows =
        coming.document === document && coming.total === total && coming.received === offset
      return follows ? coming : undefined
    }
    // No more than one document comes behind a full page.
    const isFull =
      transfer.arrivedBytes >= 2 * limits.transferPageBytes ||
      transfer.arrived.length > limits.transferDocumentsMax
    if (offset > 0 || (isFull && total > limits.transferPageBytes)) return undefined
    if (transfer.arrivedBytes > limits.documentReadBytesMax) return undefined
    if (!this.#named.admit(this.#core, vector)) return undefined
    transfer.coming = { document, vector, total, pieces: [], received: 0 }
    return transfer.coming
  }

  #onPage(turn: Turn, link: Link, page: TransferPage): boolean {
    const transfer = this.#transfer
    if (transfer?.link !== link) return true
    if (transfer.page !== undefined || transfer.coming !== undefined) return false
    if (this.#progress === undefined || !isSoundPage(page, this.#progress.place)) return false
    transfer.heardMs = turn.nowMs
    transfer.page = page
    this.#pump(turn, transfer)
    return true
  }

  #pump(turn: Turn, transfer: Transfer): void {
    if (transfer.isBusy || this.#transfer !== transfer) return
    const arrived = transfer.arrived.shift()
    if (arrived !== undefined) {
      transfer.isBusy = true
      transfer.arrivedBytes -= arrived.bytes.length
      this.#merge(turn, transfer, arrived)
    } else if (transfer.page !== undefined) this.#endPage(turn, transfer, transfer.page)
  }

  #merge(turn: Turn, transfer: Transfer, { document, vector, bytes }: Arrived): void {
    let parts: readonly Uint8Array[]
    try {
      parts = decodeParts(new Reader(bytes))
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      turn.refuse(transfer.link.connection, "malformed", error.message)
      return
    }
    const query = { type: "document", document, since: new VersionVector() } as const
    this.#core.reads.queue(turn, transfer, query, (later, read) => {
      if (this.#transfer !== transfer) return
      if (read.type !== "document") {
        this.#stop(later, transfer, `${document} can't be read here`)
        return
      }
      const { engine } = partsOfDocumentId(document)
      const isDeleted = this.#core.lives.isDeleted(document)
      const all = isDeleted ? [] : [...partsOf(read), ...parts]
      const folded = reachOf(read)
      folded.raiseAll(claimsOf(this.#core, transfer.link, vector))
      this.#core.jobs.start(later, { type: "compact", engine, parts: all }, (latest, result) => {
        if (this.#transfer !== transfer) return
        if (result.type !== "compact") {
          this.#stop(latest, transfer, `${document} can't be merged`)
          return
        }
        if (result.unreadable > 0) {
          latest.emit({ type: "updates-unreadable", document, count: result.unreadable })
        }
        const snapshot = { document, state: result.compacted, folded }
        this.#write(latest, transfer, snapshot, parts)
      })
    })
  }

  #write(
    turn: Turn,
    transfer: Transfer,
    snapshot: { document: DocumentId; state: Uint8Array; folded: VersionVector },
    parts: readonly Uint8Array[],
  ): void {
    const { document } = snapshot
    const progress: TransferProgress = {
      place: { phase: "documents", after: document },
      // Its page may never end, and so not say what it stands for: for what was told before it.
      heads: leastHeads(this.#pagesHeads, transfer.askedHeads),
    }
    const note = ["transfer", encodeProgress(progress)] as const
    const work = { snapshots: [snapshot], notes: [note] }
    this.#core.commits.maintain({
      work,
      done: (later, result) => {
        if (result.ok) this.#hooks.show(later, document, parts)
        if (this.#transfer !== transfer) return
        transfer.isBusy = false
        transfer.heardMs = later.nowMs
        if (!result.ok) {
          this.#stop(later, transfer, result.message)
          return
        }
        this.#progress = progress
        transfer.documents += 1
        this.#pump(later, transfer)
      },
    })
  }

  #endPage(turn: Turn, transfer: Transfer, page: TransferPage): void {
    const heads = leastHeads(this.#pagesHeads, page.heads)
    if (page.next?.phase === "records" && page.next.after !== undefined) {
      if (this.#records.add(page.records)) {
        this.#onPageDone(turn, transfer, { place: page.next, heads })
        return
      }
      this.#records.clear()
      this.#progress = { place: { phase: "records", after: undefined }, heads }
      turn.refuse(transfer.link.connection, "malformed", "too many entries of no document")
      return
    }
    transfer.isBusy = true
    if (page.next === undefined) {
      this.#finish(turn, transfer, page, heads)
      return
    }
    const progress: TransferProgress = { place: page.next, heads }
    const note = ["transfer", encodeProgress(progress)] as const
    const work = { clients: page.clients, notes: [note] }
    this.#core.commits.maintain({
      work,
      done: (later, result) => {
        if (this.#transfer !== transfer) return
        transfer.isBusy = false
        if (!result.ok) {
          this.#stop(later, transfer, result.message)
          return
        }
        this.#onPageDone(later, transfer, progress)
      },
    })
  }

  #onPageDone(turn: Turn, transfer: Transfer, progress: TransferProgress): void {
    this.#progress = progress
    this.#pagesHeads = progress.heads
    transfer.page = undefined
    this.#ask(turn, transfer)
  }

  /** All is here: heads move to what it stands for, once nothing of those origins is under way. */
  #finish(
    turn: Turn,
    transfer: Transfer,
    page: TransferPage,
    heads: ReadonlyMap<OriginId, Head>,
  ): void {
    const { holdings, commits, config } = this.#core
    const raise = [...heads].filter(
      ([origin, { seq }]) =>
        origin !== config.origin &&
        !transfer.link.forked.has(origin) &&
        seq > holdings.head(origin).seq,
    )
    this.#hooks.holdBack(new Set(raise.map(([origin]) => origin)))
    commits.afterAll(turn, () => {
      if (this.#transfer !== transfer) return
      const higher = raise.filter(([origin, { seq }]) => seq > holdings.head(origin).seq)
      const still = withRoom(this.#core, higher)
      const raised = new Map(still)
      const below = [...this.#records.all(), ...page.records].filter(
        ({ origin, seq }) => seq <= (raised.get(origin)?.seq ?? 0),
      )
      const notes = [["transfer", undefined]] as const
      const work = { raise: still, below, clients: page.clients, notes }
      commits.maintain({
        work,
        done: (latest, result) => {
          if (this.#transfer === transfer) this.#onFinished(latest, transfer, page, result)
          if (!result.ok) return
          for (const { origin, record } of below) learn(this.#core, origin, record)
          this.#hooks.onRaised(latest)
        },
      })
    })
  }

  #onFinished(turn: Turn, transfer: Transfer, page: TransferPage, result: AppendResult): void {
    if (!result.ok) {
      this.#stop(turn, transfer, result.message)
      return
    }
    this.#transfer = undefined
    this.#progress = undefined
    this.#records.clear()
    this.#hooks.holdBack(new Set())
    if (transfer.link.state.state !== "linked") return
    const { documents, bytes, sinceMs } = transfer
    const tookMs = turn.nowMs - sinceMs
    const peer = transfer.link.state.peer.node
    turn.emit({ type: "transfer-done", peer, documents, bytes, tookMs })
    this.#hooks.onVain(turn, peer, this.#vainOrigins(transfer, page))
  }

  /** Whoever has only documents of an origin holds it at least up to where its log begins. */
  #vainOrigins({ link, claims, isWhole }: Transfer, page: TransferPage): OriginId[] {
    const { holdings, config } = this.#core
    const vain = [...claims].filter(([origin, floorSeq]) => {
      if (origin === config.origin || link.forked.has(origin)) return false
      if (holdings.head(origin).seq >= floorSeq) return false
      // What other peers' pages stood for is not this one's fault.
      return isWhole || (page.heads.get(origin)?.seq ?? 0) < floorSeq
    })
    return vain.map(([origin]) => origin)
  }
}

/** Who could not read a page is not asked again at once. */
function mayServe({ nowMs }: Turn, { transferFailedMs }: Link): boolean {
  return nowMs - transferFailedMs >= limits.transferPatienceMs
}
