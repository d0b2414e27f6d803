/**
 * The giving half of state transfer: a page of documents that changed since the asker's vector,
 * then pages of clients, the last with what belongs to no document. Nothing is kept between pages,
 * so whoever is asked next goes on where another one stopped. One page at a time per link. Rule
 * [K8].
 */
import { limits } from "../base/index.ts"
import type { DocumentId, OriginId } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import type { ChangedPage, Head } from "../log/index.ts"
import { encodeParts, encodeTransferDocument, encodeTransferPage } from "../protocol/index.ts"
import type { TransferPage, TransferPlace, TransferWant } from "../protocol/index.ts"
import type { Core } from "./core.ts"
import { partsOf, reachOf } from "./document-state.ts"
import type { DocumentRead } from "./document-state.ts"
import type { Link } from "./link.ts"
import type { Turn } from "./turn.ts"

type Page = {
  readonly link: Link
  readonly heads: ReadonlyMap<OriginId, Head>
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
    if (want.place.phase === "clients") {
      this.#giveClients(turn, link, want, heads)
      return
    }
    const { since } = want
    const { after } = want.place
    const query = { type: "changed", since, after, limit: limits.transferDocumentsMax } as const
    this.#core.reads.start(turn, query, (later, result) => {
      if (result.type !== "changed") this.#pages.delete(link)
      else this.#next(later, { link, heads, found: result, index: 0, bytes: 0 })
    })
  }

  onLinkDown(link: Link): void {
    this.#pages.delete(link)
  }

  #isThere(link: Link): boolean {
    return this.#links.get(link.connection) === link
  }

  #next(turn: Turn, page: Page): void {
    const { link, found } = page
    if (!this.#isThere(link)) return
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
      // The asker notices that nothing comes, and asks somebody else.
      if (result.type !== "document") {
        this.#pages.delete(page.link)
        return
      }
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

  #giveClients(
    turn: Turn,
    link: Link,
    { since, place }: TransferWant,
    heads: ReadonlyMap<OriginId, Head>,
  ): void {
    const after = place.phase === "clients" ? place.after : undefined
    const limit = limits.transferClientsMax
    this.#core.reads.start(turn, { type: "clients", after, limit }, (later, result) => {
      if (!this.#isThere(link)) return
      if (result.type !== "clients") {
        this.#pages.delete(link)
        return
      }
      const { clients } = result
      const [last] = clients.at(-1) ?? []
      if (clients.length >= limit && last !== undefined) {
        const next = { phase: "clients", after: last } as const
        this.#answer(later, link, { type: "transfer-page", heads, records: [], clients, next })
        return
      }
      this.#core.reads.start(later, { type: "undocumented", since }, (latest, records) => {
        if (!this.#isThere(link) || records.type !== "undocumented") {
          this.#pages.delete(link)
          return
        }
        const { entries } = records
        const next = undefined
        this.#answer(latest, link, {
          type: "transfer-page",
          heads,
          records: entries,
          clients,
          next,
        })
      })
    })
  }
}
