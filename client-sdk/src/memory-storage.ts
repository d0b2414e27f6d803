/**
 * Client storage in memory: what was typed outlives a client, but not the process. Give the same
 * storage to the next client and it goes on where the last one stopped.
 */
import type { ClientId } from "@causeway/crdt/base"
import type {
  ClientStorage,
  LoadResult,
  RejectedUpdate,
  StorageResult,
  StorageWrite,
  StoredUpdate,
} from "@causeway/crdt/ports"

class MemoryStorage implements ClientStorage {
  readonly #outbox = new Map<number, StoredUpdate>()
  readonly #rejected = new Map<number, RejectedUpdate>()
  #client: ClientId | undefined
  #nextSeq = 1
  #tiers: Uint8Array | undefined

  load(fresh: ClientId, done: (result: LoadResult) => void): void {
    this.#client ??= fresh
    const stored = {
      client: this.#client,
      outbox: inOrder(this.#outbox.values()),
      nextSeq: this.#nextSeq,
      rejected: inOrder(this.#rejected.values()),
      tiers: this.#tiers,
    }
    queueMicrotask(() => done({ ok: true, stored }))
  }

  write(writes: readonly StorageWrite[], done: (result: StorageResult) => void): void {
    for (const write of writes) this.#apply(write)
    queueMicrotask(() => done({ ok: true }))
  }

  close(done: () => void): void {
    queueMicrotask(done)
  }

  #apply(write: StorageWrite): void {
    switch (write.type) {
      case "outbox-add":
        this.#outbox.set(write.update.seq, write.update)
        this.#nextSeq = Math.max(this.#nextSeq, write.update.seq + 1)
        return
      case "outbox-trim":
        for (const seq of this.#outbox.keys()) if (seq <= write.seq) this.#outbox.delete(seq)
        return
      case "rejected-add":
        this.#outbox.delete(write.update.seq)
        this.#rejected.set(write.update.seq, write.update)
        this.#nextSeq = Math.max(this.#nextSeq, write.update.seq + 1)
        return
      case "rejected-remove":
        this.#rejected.delete(write.seq)
        return
      case "tiers":
        this.#tiers = write.state
        return
      case "client":
        this.#client = write.client
    }
  }
}

/**
 * Storage that lasts as long as the process. One client at a time: two would take each other's
 * place at the node, over and over.
 */
export function memoryStorage(): ClientStorage {
  return new MemoryStorage()
}

function inOrder<T extends StoredUpdate>(updates: Iterable<T>): T[] {
  return [...updates].sort((left, right) => left.seq - right.seq)
}
