/**
 * The store that forgets: a MemoryLog behind the store port, for tests and for nodes that keep
 * nothing. Work is done within the call, in order; results come in that order, on a later turn.
 */
import type { NodeId } from "@causeway/crdt/base"
import { MemoryLog } from "@causeway/crdt/log"
import type { AppendBatch, AppendResult, ReadQuery, ReadResult, Store } from "@causeway/crdt/ports"
import { limits } from "@causeway/crdt/base"
import { mintNode, mintOrigin } from "./identity.ts"
import { PlannedHeads, touchedOrigins } from "./planned-heads.ts"

export type MemoryStoreOptions = { readonly node: NodeId | undefined }

/** A fresh, empty store; its contents are gone with the process. */
export function openMemoryStore({ node = mintNode() }: MemoryStoreOptions): Store {
  return new MemoryStore(node)
}

class MemoryStore implements Store {
  readonly opened: Store["opened"]
  readonly #log: MemoryLog
  readonly #heads: PlannedHeads
  #results: (() => void)[] = []
  #closed = false

  constructor(node: NodeId) {
    const origin = mintOrigin(node)
    this.#log = new MemoryLog(origin)
    this.#heads = new PlannedHeads(origin, [])
    this.opened = { node, origin, heads: this.#log.heads(), renewed: undefined }
  }

  append(batch: AppendBatch, done: (result: AppendResult) => void): void {
    if (this.#closed) return this.#later(() => done(closedFailure))
    this.#heads.add(batch)
    const firstSeq = this.#log.appendOwn(batch.own)
    for (const run of batch.adopted) this.#log.appendRun(run)
    const heads = touchedOrigins(this.#log.origin, batch).map(
      (origin) => [origin, this.#log.head(origin)] as const,
    )
    this.#later(() => done({ ok: true, firstSeq, heads }))
  }

  read(query: ReadQuery, done: (result: ReadResult) => void): void {
    const result = this.#closed ? closedRead : this.#answer(query)
    this.#later(() => done(result))
  }

  #answer(query: ReadQuery): ReadResult {
    switch (query.type) {
      case "document": {
        const entries = this.#log.readDocument(query.document, query.since)
        const bytes = entries.reduce((sum, entry) => sum + entry.record.length, 0)
        return bytes <= limits.documentReadBytesMax
          ? { type: "document", entries }
          : { type: "failed", code: "document-too-large", message: `${bytes} bytes` }
      }
      case "origin": {
        const { run, previousHash } = this.#log.readOrigin(
          query.origin,
          query.fromSeq,
          query.bytesMax,
        )
        return { type: "origin", run, previousHash }
      }
      case "client":
        return { type: "client", seq: this.#log.readClient(query.client) }
    }
  }

  close(done: () => void): void {
    this.#closed = true
    this.#later(done)
  }

  #later(result: () => void): void {
    this.#results.push(result)
    if (this.#results.length > 1) return
    setImmediate(() => {
      const results = this.#results
      this.#results = []
      for (const deliver of results) deliver()
    })
  }
}

const closedMessage = "the store is closed"
const closedFailure = { ok: false, code: "store-failed", message: closedMessage } as const
const closedRead = { type: "failed", code: "store-failed", message: closedMessage } as const
