/**
 * Documents in a record database. A copy is a head and numbered records; an append adds one
 * record. What can't be read is kept aside under its own key, what is left is read, and the head
 * loses its resume point, so that a node sends what is missing. Rule [C10].
 */
import type { DocumentId } from "@causeway/crdt/base"
import type { VersionVector } from "@causeway/crdt/clock"
import type { DocumentEntry, StorageWrite, StoredDocument } from "@causeway/crdt/ports"
import type { Operation, RecordDatabase } from "./database.ts"
import {
  decodeHead,
  decodeRecord,
  documentOf,
  encodeHead,
  encodeRecord,
  headKey,
  numberKey,
  numberOf,
  quarantineKey,
  rangeOf,
  recordKey,
  recordRange,
  seal,
  unseal,
} from "./records.ts"
import type { CopyHead, CopyRecord } from "./records.ts"

export type CopyWrite = Extract<StorageWrite, { readonly document: DocumentId }>
type Read = { readonly stored: StoredDocument | undefined; readonly isDamaged: boolean }

/** Heads that are remembered; past it, all are read again as they are needed. */
const headsMax = 4096

export class StoredCopies {
  readonly #database: RecordDatabase
  readonly #heads = new Map<DocumentId, CopyHead | undefined>()
  /** As the batch that is being made leaves them. */
  readonly #changed = new Map<DocumentId, CopyHead | undefined>()
  /** Whose copies were lost while they were in use: what is appended since is not all of them. */
  readonly #partial = new Set<DocumentId>()
  #isEvicted = false

  constructor(database: RecordDatabase) {
    this.#database = database
  }

  /** Adds what the write takes to a batch. O(records of the copy) if it replaces or removes. */
  async write(write: CopyWrite, operations: Operation[]): Promise<void> {
    const { document, generation } = write
    let head = await this.#latestHeadOf(document)
    if (head !== undefined && head.generation > generation) return
    const [isNew, isWhole] = [head === undefined, write.type !== "document-append"]
    // Numbers go on: a repeated write never meets what it has just put there.
    const next = head?.next ?? 0
    if (head !== undefined && (head.generation < generation || isWhole)) {
      for (let number = head.first; number < next; number++) {
        operations.push([recordKey(document, number), undefined])
      }
      head = undefined
    }
    if (isWhole) this.#partial.delete(document)
    else if (isNew && this.#isEvicted) this.#partial.add(document)
    if (write.type !== "document-remove") {
      head = added(head ?? emptyHead(generation, next), write, operations)
      if (this.#partial.has(document)) head = { ...head, resume: undefined }
      const key = headKey(document)
      operations.push([key, seal(key, encodeHead(head))])
    } else await this.#remove(write, operations)
    this.#changed.set(document, head)
  }

  async #remove(
    { document, discarded = [] }: Extract<CopyWrite, { readonly type: "document-remove" }>,
    operations: Operation[],
  ): Promise<void> {
    operations.push([headKey(document), undefined])
    // Those that no head knows too, or they would come back.
    const keys = await keysOf(this.#database, recordRange(document))
    for (const key of keys) operations.push([key, undefined])
    for (const seq of discarded) {
      operations.push([numberKey("outbox", seq), undefined])
      operations.push([numberKey("rejected", seq), undefined])
    }
  }

  /** The batch is in the database. */
  done(): void {
    if (this.#heads.size + this.#changed.size > headsMax) this.#heads.clear()
    for (const [document, head] of this.#changed) this.#heads.set(document, head)
    this.#changed.clear()
  }

  /** It is not known whether it is. */
  failed(): void {
    this.#heads.clear()
    this.#changed.clear()
  }

  /** The database is empty that was not. Who appends does not know, and says how far all goes. */
  evicted(): void {
    this.#isEvicted = true
    this.#heads.clear()
  }

  async read(document: DocumentId): Promise<Read> {
    const key = headKey(document)
    const sealed = await this.#database.get(key)
    const head = sealed && unseal(key, sealed, decodeHead)
    const { found, aside } = await this.#scan(document, head)
    const isHeadLost = head === undefined && (sealed !== undefined || found.length > 0)
    const isDamaged = isHeadLost || (head !== undefined && found.length < head.next - head.first)
    const latest = found.reduce((most, record) => Math.max(most, record.generation), 0)
    const generation = head?.generation ?? latest
    const updates = found.filter((record) => record.generation === generation)
    const left = { generation, updates: updates.flatMap((record) => record.updates) }
    if (sealed !== undefined && head === undefined) aside.push([quarantineKey(key), sealed])
    if (isDamaged) await this.#mend(document, head, { ...left, aside })
    if (generation === 0) return { stored: undefined, isDamaged }
    return { stored: { ...left, resume: isDamaged ? undefined : head?.resume }, isDamaged }
  }

  /** Records that can be read, and what puts the others aside. */
  async #scan(
    document: DocumentId,
    head: CopyHead | undefined,
  ): Promise<{ readonly found: readonly CopyRecord[]; readonly aside: Operation[] }> {
    const found: CopyRecord[] = []
    const aside: Operation[] = []
    for await (const [key, value] of this.#records(document, head)) {
      const number = numberOf(key)
      if (head !== undefined && (number < head.first || number >= head.next)) continue
      const record = unseal(key, value, decodeRecord)
      if (record === undefined) aside.push([quarantineKey(key), value])
      else found.push(record)
    }
    return { found, aside }
  }

  /** A cursor costs more than asking for the one record that a rewritten copy has. */
  async *#records(
    document: DocumentId,
    head: CopyHead | undefined,
  ): AsyncGenerator<readonly [Uint8Array, Uint8Array]> {
    if (head === undefined || head.next - head.first > 1) {
      yield* this.#database.range(...recordRange(document))
      return
    }
    const key = recordKey(document, head.first)
    const value = await this.#database.get(key)
    if (value !== undefined) yield [key, value]
  }

  /** What is left becomes a whole copy, of which nobody knows how far it goes. */
  async #mend(
    document: DocumentId,
    head: CopyHead | undefined,
    left: { aside: Operation[]; updates: readonly Uint8Array[]; generation: number },
  ): Promise<void> {
    const { aside, updates, generation } = left
    const range = await keysOf(this.#database, recordRange(document))
    const operations = [...aside]
    for (const key of range) operations.push([key, undefined])
    const numbers = range.map(numberOf)
    const next = numbers.reduce((most, number) => Math.max(most, number + 1), head?.next ?? 0)
    const key = headKey(document)
    if (generation > 0) {
      const write = { updates, resume: undefined, document, generation } as const
      const whole = added(
        emptyHead(generation, next),
        { ...write, type: "document-append" },
        operations,
      )
      operations.push([key, seal(key, encodeHead(whole))])
    } else operations.push([key, undefined])
    this.#heads.delete(document)
    await this.#database.batch(operations)
  }

  async list(): Promise<DocumentEntry[]> {
    const entries: DocumentEntry[] = []
    for await (const [key, value] of this.#database.range(...rangeOf("document"))) {
      const document = documentOf(key)
      const head = unseal(key, value, decodeHead)
      if (document === undefined || head === undefined) continue
      entries.push({ document, generation: head.generation, bytes: head.bytes })
    }
    return entries.sort((left, right) => (left.document < right.document ? -1 : 1))
  }

  /** As the batch that is being made has it. */
  async #latestHeadOf(document: DocumentId): Promise<CopyHead | undefined> {
    return this.#changed.has(document) ? this.#changed.get(document) : this.#headOf(document)
  }

  async #headOf(document: DocumentId): Promise<CopyHead | undefined> {
    if (this.#heads.has(document)) return this.#heads.get(document)
    const key = headKey(document)
    const sealed = await this.#database.get(key)
    let head = sealed && unseal(key, sealed, decodeHead)
    if (sealed !== undefined && head === undefined) {
      await this.read(document)
      const mended = await this.#database.get(key)
      head = mended && unseal(key, mended, decodeHead)
    }
    this.#heads.set(document, head)
    return head
  }
}

function emptyHead(generation: number, first: number): CopyHead {
  return { generation, first, next: first, bytes: 0, resume: undefined }
}

function added(
  head: CopyHead,
  write: Exclude<CopyWrite, { readonly type: "document-remove" }>,
  operations: Operation[],
): CopyHead {
  const resume: VersionVector | undefined = write.resume ?? head.resume
  const updates = write.type === "document-append" ? write.updates : [write.state]
  if (updates.length === 0) return { ...head, resume }
  const key = recordKey(write.document, head.next)
  const { generation } = head
  operations.push([key, seal(key, encodeRecord({ generation, updates }))])
  const bytes = updates.reduce((sum, update) => sum + update.length, head.bytes)
  return { ...head, next: head.next + 1, bytes, resume }
}

async function keysOf(
  database: RecordDatabase,
  range: readonly [Uint8Array, Uint8Array],
): Promise<Uint8Array[]> {
  const keys: Uint8Array[] = []
  for await (const [key] of database.range(...range)) keys.push(key)
  return keys
}
