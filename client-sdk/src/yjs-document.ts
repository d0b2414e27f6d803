/**
 * A Yjs document: a Y.Doc whose local changes are captured and whose remote changes arrive with
 * the handle as their transaction's origin, so they are never sent back.
 */
import * as Y from "yjs"
import type { DocumentId } from "@causeway/crdt/base"
import { CapturedDoc } from "./captured-doc.ts"
import type { DocumentDriver } from "./client-driver.ts"
import { DocumentLink } from "./document-link.ts"
import type { DocumentStatus } from "./document-status.ts"
import type { Observable } from "./observable.ts"
import type { Presence } from "./presence.ts"
import type { Content } from "./replica.ts"
import type { Tier } from "./saves.ts"
import { yjsLacking } from "./yjs-lacking.ts"
import { refuseSubdocuments } from "./yjs-subdocuments.ts"

export class YjsDocument {
  readonly name: string
  /**
   * Usable at once, offline too. It has no subdocuments: who puts one in, loads one or writes in
   * one of a stock client gets a SyncError `ERR_SUBDOCUMENT`.
   */
  readonly ydoc: Y.Doc
  /** Settled once what local storage held is in `ydoc`. */
  readonly loaded: Promise<void>
  readonly #link: DocumentLink
  readonly #captured: CapturedDoc
  readonly #allowSubdocuments: () => void
  readonly #onDestroy = (): void => this.close()

  /** @internal */
  constructor(driver: DocumentDriver, document: DocumentId, name: string, onEnd: () => void) {
    this.name = name
    const ydoc = new CapturedDoc((update) => this.#link.send(update))
    this.#captured = ydoc
    this.ydoc = ydoc
    this.#link = new DocumentLink(driver, document, () => ydoc.clientID, onEnd)
    this.ydoc.on("destroy", this.#onDestroy)
    this.#allowSubdocuments = refuseSubdocuments(this.ydoc, this)
    this.loaded = this.#link.open(this.#content(), () => this.close())
    this.loaded.catch(() => undefined)
  }

  /** Resolves once the handle is closed, by itself or with the client. */
  get closed(): Promise<void> {
    return this.#link.closed
  }

  get status(): Observable<DocumentStatus> {
    return this.#link.status
  }

  /** Awareness-compatible; its client numbers are Yjs client ids. */
  get presence(): Presence {
    return this.#link.presence
  }

  /**
   * Resolves once everything typed so far is durable at `tier`: in local storage, on a node's disk,
   * on more than half of the cluster's members, on all of them. Above "local" that takes a
   * connection; while it waits, `status` says why.
   * @throws SyncError `ERR_UPDATE_REJECTED`, `ERR_CLOSED`, `ERR_STORAGE`, `ERR_CONNECTION_REFUSED`;
   *   for "quorum" and "all" `ERR_TIER_UNAVAILABLE` if the node is of an older build, and
   *   `ERR_TIER_LOST` if the node that took it lost it and there was nothing to send anew.
   */
  async saved(tier: Tier): Promise<void> {
    await this.loaded
    await this.#link.saved(tier)
  }

  /** Lets go of the document; `ydoc` stays, but is synced no more. */
  close(): void {
    this.#captured.endCapture()
    this.ydoc.off("destroy", this.#onDestroy)
    this.#allowSubdocuments()
    this.#link.end()
  }

  #content(): Content {
    return {
      resume: () => ({ type: "summary", summary: Y.encodeStateVector(this.ydoc) }),
      apply: (updates) => this.#captured.applyRemote(updates, this),
      state: () => Y.encodeStateAsUpdate(this.ydoc),
      lacking: (summary, outgoing) => yjsLacking(this.ydoc, summary, outgoing),
    }
  }
}
