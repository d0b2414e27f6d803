/**
 * Client storage in memory: what was typed outlives a client, but not the process. Give the same
 * storage to the next client and it goes on where the last one stopped.
 */
import type { ClientId, DocumentId } from "@causeway/crdt/base"
import { StoredImage } from "@causeway/crdt/client"
import type { ClientStorage, DocumentListResult, DocumentReadResult } from "@causeway/crdt/ports"
import type { LoadResult, StorageResult, StorageWrite } from "@causeway/crdt/ports"

class MemoryStorage implements ClientStorage {
  readonly #image = new StoredImage()
  readonly #keepsDocuments: boolean

  constructor(keepsDocuments: boolean) {
    this.#keepsDocuments = keepsDocuments
  }

  load(fresh: ClientId, done: (result: LoadResult) => void): void {
    const stored = this.#image.load(fresh)
    queueMicrotask(() => done({ ok: true, stored }))
  }

  write(writes: readonly StorageWrite[], done: (result: StorageResult) => void): void {
    for (const write of writes) {
      const isOfCopy = write.type === "document-append" || write.type === "document-replace"
      if (this.#keepsDocuments || !isOfCopy) this.#image.apply(write)
    }
    queueMicrotask(() => done({ ok: true }))
  }

  read(document: DocumentId, done: (result: DocumentReadResult) => void): void {
    const stored = this.#image.documents.get(document)
    queueMicrotask(() => done({ ok: true, stored, damaged: [] }))
  }

  list(done: (result: DocumentListResult) => void): void {
    const documents = this.#image.list()
    queueMicrotask(() => done({ ok: true, documents }))
  }

  close(done: () => void): void {
    queueMicrotask(done)
  }
}

export type MemoryStorageOptions = {
  /** Whether documents stay in memory when they are closed, so that they open without a node. */
  readonly documents?: boolean
}

/**
 * Storage that lasts as long as the process. One client at a time: two would take each other's
 * place at the node, over and over.
 */
export function memoryStorage(options: MemoryStorageOptions = {}): ClientStorage {
  return new MemoryStorage(options.documents ?? true)
}
