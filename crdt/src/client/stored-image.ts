/**
 * What a client has in storage, as maps in memory: each write of the port as a change of them.
 * Storage that lasts as long as its process is this and nothing more.
 */
import type { ClientId, DocumentId } from "../base/index.ts"
import type { DocumentEntry, RejectedUpdate, StorageWrite } from "../ports/index.ts"
import type { StoredClient, StoredDocument, StoredUpdate } from "../ports/index.ts"
import { afterWrite } from "./stored-copy.ts"
import type { DocumentWrite } from "./stored-copy.ts"

export class StoredImage {
  client: ClientId | undefined
  nextSeq = 1
  tiers: Uint8Array | undefined
  readonly outbox: Map<number, StoredUpdate> = new Map()
  readonly rejected: Map<number, RejectedUpdate> = new Map()
  readonly documents: Map<DocumentId, StoredDocument> = new Map()

  load(fresh: ClientId): StoredClient {
    this.client ??= fresh
    return {
      client: this.client,
      outbox: inOrder(this.outbox.values()),
      nextSeq: this.nextSeq,
      rejected: inOrder(this.rejected.values()),
      tiers: this.tiers,
      damaged: [],
    }
  }

  list(): DocumentEntry[] {
    const entries = [...this.documents].map(([document, { generation, updates }]) => {
      return { document, generation, bytes: bytesOf(updates) }
    })
    return entries.sort((left, right) => (left.document < right.document ? -1 : 1))
  }

  apply(write: StorageWrite): void {
    switch (write.type) {
      case "outbox-add":
        this.outbox.set(write.update.seq, write.update)
        this.#given(write.update)
        if (write.shelved !== undefined) this.rejected.delete(write.shelved)
        return
      case "outbox-trim":
        for (const seq of this.outbox.keys()) if (seq <= write.seq) this.outbox.delete(seq)
        return
      case "rejected-add":
        this.outbox.delete(write.update.seq)
        this.rejected.set(write.update.seq, write.update)
        this.#given(write.update)
        return
      case "rejected-remove":
        this.rejected.delete(write.seq)
        return
      case "tiers":
        this.tiers = write.state
        return
      case "client":
        this.client = write.client
        return
      default:
        this.#rewrite(write)
    }
  }

  #rewrite(write: DocumentWrite): void {
    const discarded = write.type === "document-remove" ? (write.discarded ?? []) : []
    for (const seq of discarded) {
      this.outbox.delete(seq)
      this.rejected.delete(seq)
    }
    const copy = afterWrite(this.documents.get(write.document), write)
    if (copy === undefined) this.documents.delete(write.document)
    else this.documents.set(write.document, copy)
  }

  #given({ seq }: StoredUpdate): void {
    this.nextSeq = Math.max(this.nextSeq, seq + 1)
  }
}

function bytesOf(updates: readonly Uint8Array[]): number {
  return updates.reduce((bytes, update) => bytes + update.length, 0)
}

function inOrder<T extends StoredUpdate>(updates: Iterable<T>): T[] {
  return [...updates].sort((left, right) => left.seq - right.seq)
}
