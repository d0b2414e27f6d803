/** Which documents are deleted by a log alone, as the rules [R2] and [R3] say it. */
import { generationOf, partsOfDocumentId } from "@causeway/crdt/base"
import type { DocumentId } from "@causeway/crdt/base"
import { decodeRecord } from "@causeway/crdt/log"
import type { LogEntry } from "@causeway/crdt/log"

export class DeletedNames {
  /** The last generation of each name that is deleted; 0: created again, and that is all. */
  readonly #names = new Map<DocumentId, number>()

  constructor(records: readonly Pick<LogEntry, "record">[] = []) {
    for (const { record } of records) this.learn(record)
  }

  get size(): number {
    return this.#names.size
  }

  learn(record: Uint8Array): void {
    const fields = decodeRecord(record)
    if (fields.kind !== "delete" && fields.kind !== "create") return
    const name = generationOf(fields.document, 1)
    const { generation } = partsOfDocumentId(fields.document)
    const deleted = fields.kind === "delete" ? generation : 0
    this.#names.set(name, Math.max(deleted, this.#names.get(name) ?? 0))
  }

  has(document: DocumentId): boolean {
    return partsOfDocumentId(document).generation <= this.lastOf(document)
  }

  /** The last generation of the name that is deleted; 0 if none is. */
  lastOf(document: DocumentId): number {
    return this.#names.get(generationOf(document, 1)) ?? 0
  }

  /** In stable order. */
  entries(): [DocumentId, number][] {
    return [...this.#names].sort(([left], [right]) => (left < right ? -1 : 1))
  }
}
