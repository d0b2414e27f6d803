/** What clients hold that nodes may have lost: their replicas, and what they have still to send. */
import { partsOfDocumentId } from "@causeway/crdt/base"
import type { DocumentId } from "@causeway/crdt/base"
import type { Engines } from "@causeway/crdt/node"
import { rejectCodes } from "@causeway/crdt/protocol"
import type { ClientDisk } from "../client-disk.ts"
import type { SimWriter } from "../writer.ts"
import type { Attempts } from "./attempts.ts"
import { Coverage } from "./coverage.ts"
import type { Ops } from "./coverage.ts"
import type { Holders } from "./losses.ts"

export type Clients = {
  readonly engines: Engines
  readonly writers: readonly SimWriter[]
  readonly clientDisks: readonly ClientDisk[]
}

type Held = { readonly document: DocumentId; readonly ops: Ops }

export class ClientHoldings implements Holders {
  readonly #clients: Clients
  readonly #attempts: Attempts

  constructor(clients: Clients, attempts: Attempts) {
    this.#clients = clients
    this.#attempts = attempts
  }

  *replicas(): Generator<Held> {
    for (const writer of this.#clients.writers) {
      for (const replica of writer.replicas) {
        const { document } = replica
        const { emptySummary } = this.#clients.engines[partsOfDocumentId(document).engine]
        const all = replica.difference(emptySummary)
        if (all.length > 0) yield { document, ops: this.#attempts.opsOf(document, all) }
      }
    }
  }

  /** Of a document: what was refused for now, which its app knows and can have sent again. */
  shelved(document: DocumentId): Coverage {
    const coverage = new Coverage()
    for (const disk of this.#clients.clientDisks) {
      for (const update of disk.shelf) {
        if (update.document !== document || !rejectCodes[update.code].retry) continue
        coverage.add(this.#attempts.opsOf(document, update.bytes))
      }
    }
    return coverage
  }

  *outboxes(): Generator<Held> {
    for (const disk of this.#clients.clientDisks) {
      for (const { document, bytes } of disk.outbox) {
        yield { document, ops: this.#attempts.opsOf(document, bytes) }
      }
    }
  }
}
