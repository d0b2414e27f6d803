/**
 * The giving half of state transfer: a page of documents that changed since the asker's vector,
 * then pages of clients, then pages of what belongs to no document. Nothing is kept between pages,
 * so whoever is asked next goes on where another one stopped. What can't be read is said, so that
 * somebody else is asked. One page at a time per link. Rule [K8].
 */
import { limits } from "../base/index.ts"
import type { ClientId, DocumentId, OriginId } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import type { Dot } from "../clock/index.ts"
import type { ChangedPage, Head } from "../log/index.ts"
import type { ReadResult } from "../ports/index.ts"
import {
  encodeParts,
  encodeTransferDocument,
  encodeTransferFailed,
  encodeTransferPage,
} from "../protocol/index.ts"
import type { TransferPage, TransferPlace, TransferWant } from "../protocol/index.ts"
import type { Core } from "./core.ts"
import { partsOf, reachOf } from "./document-state.ts"
import type { DocumentRead } from "./document-state.ts"
import type { Link } from "./link.ts"
import type { Turn } from "./turn.ts"

type Heads = ReadonlyMap<OriginId, Head>
type ReadFailure = Extract<ReadResult, { readonly type: "failed" }>

type Page = {
  readonly link: Link
  readonly heads: Heads
  readonly found: ChangedPage
  index: number
  bytes: number
}

export class TransferOut {
  readonly #core: Core
  readonly #links: ReadonlyMap<number, Link>
  /** The page that each link is being given. */
  readonly #pages = new Map<Link, object>()

  constructor(core: Core, links: ReadonlyMap<number, Link>) {
    this.#core = core
    this.#links = links
  }

  onWant(turn: Turn, link: Link, want: TransferWant): void {
    if (this.#pages.has(link)) return
    this.#pages.set(link, want)
    // Before the read: it sees at least what is held now.
    const heads = new Map(this.#core.holdings.heads())
    const { since, place } = want
    switch (place.phase) {
      case "documents":
        return this.#giveDocuments(turn, link, heads, since, place.after)
      case "clients":
        return this.#giveClients(turn, link, heads, place.after)
      case "records":
        return this.#giveRecords(turn, link, heads, since, place.after)
    }
  }

  onLinkDown(link: Link): void {
    this.#pages.delete(link)
  }

  #isThere(link: Link): boolean {
    return this.#links.get(link.connection) === link
  }

  #giveDocuments(
    turn: Turn,
    link: Link,
    heads: Heads,
    since: VersionVector,
    after: DocumentId | undefined,
  ): void {
    const query = { type: "changed", since, after, limit: limits.transferDocumentsMax } as const
    this.#core.reads.start(turn, query, (later, result) => {
      if (!this.#isThere(link)) return
      if (result.type === "failed") this.#fail(later, link, result)
      else if (result.type === "changed") {
        this.#next(later, { link, heads, found: result, index: 0, bytes: 0 })
      }
    })
  }

  #next(turn: Turn, page: Page): void {
    const { found } = page
    const changed = found.documents[page.index]
    if (changed === undefined) {
      const { next } = found
      if (next === undefined) this.#end(turn, page, { phase: "clients", after: undefined })
      else this.#end(turn, page, { phase: "documents", after: next })
    } else if (page.bytes >= limits.transferPageBytes) {
      const after = found.documents[page.index - 1]?.document
      this.#end(turn, page, { phase: "documents", after })
    } else this.#give(turn, page, changed.document)
  }

  #give(turn: Turn, page: Page, document: DocumentId): void {
    const query = { type: "document", document, since: new VersionVector() } as const
    this.#core.reads.queue(turn, page, query, (later, result) => {
      if (!this.#isThere(page.link)) return
      if (result.type === "failed") this.#fail(later, page.link, result)
      if (result.type !== "document") return
      page.index += 1
      page.bytes += this.#send(later, page.link, document, result)
      this.#next(later, page)
    })
  }

  /** Gives the bytes sent. */
  #send(turn: Turn, link: Link, document: DocumentId, read: DocumentRead): number {
    const isDeleted = this.#core.lives.isDeleted(document)
    const whole = encodeParts(isDeleted ? [] : partsOf(read))
    const vector = reachOf(read)
    const total = whole.length
    for (let offset = 0; offset < total; offset += limits.linkFrameBytes) {
      const piece = whole.subarray(offset, offset + limits.linkFrameBytes)
      const message = { type: "document", document, vector, total, offset, piece } as const
      turn.send(link.connection, encodeTransferDocument(message))
    }
    return total
  }

  #end(turn: Turn, { link, heads }: Page, next: TransferPlace): void {
    this.#answer(turn, link, { type: "transfer-page", heads, records: [], clients: [], next })
  }

  #answer(turn: Turn, link: Link, page: TransferPage): void {
    this.#pages.delete(link)
    turn.send(link.connection, encodeTransferPage(page))
  }

  #giveClients(turn: Turn, link: Link, heads: Heads, after: ClientId | undefined): void {
    const limit = limits.transferClientsMax
    this.#core.reads.start(turn, { type: "clients", after, limit }, (later, result) => {
      if (!this.#isThere(link)) return
      if (result.type === "failed") this.#fail(later, link, result)
      if (result.type !== "clients") return
      const { clients } = result
      const [last] = clients.at(-1) ?? []
      const next: TransferPlace =
        clients.length >= limit && last !== undefined
          ? { phase: "clients", after: last }
          : { phase: "records", after: undefined }
      this.#answer(later, link, { type: "transfer-page", heads, records: [], clients, next })
    })
  }

  #giveRecords(
    turn: Turn,
    link: Link,
    heads: Heads,
    since: VersionVector,
    after: Dot | undefined,
  ): void {
    const bounds = { limit: limits.transferRecordsMax, bytesMax: limits.transferPageBytes }
    const query = { type: "undocumented", since, after, ...bounds } as const
    this.#core.reads.start(turn, query, (later, result) => {
      if (!this.#isThere(link)) return
      if (result.type === "failed") this.#fail(later, link, result)
      if (result.type !== "undocumented") return
      const { entries: records } = result
      const next = result.next && ({ phase: "records", after: result.next } as const)
      this.#answer(later, link, { type: "transfer-page", heads, records, clients: [], next })
    })
  }

  /** The asker need not wait: another one may have what can't be read here. */
  #fail(turn: Turn, link: Link, { code, message }: ReadFailure): void {
    this.#pages.delete(link)
    if (link.state.state !== "linked") return
    const peer = link.state.peer.node
    turn.emit({ type: "transfer-unreadable", peer, code, detail: message })
    turn.send(link.connection, encodeTransferFailed({ type: "transfer-failed", code }))
  }
}
