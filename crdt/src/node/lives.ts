/**
 * Which documents are there no more: of each name that was ever deleted, the last generation that
 * was, and the last that was created. Learnt from `delete` and `create` records, whoever logged
 * them and in whatever order they come, and kept for good: a delete wins over everything of its
 * generation or a lower one that comes later, from any zombie. Rules [R2]–[R4].
 */
import { documentHash, generationOf, limits, partsOfDocumentId } from "../base/index.ts"
import type { DocumentId } from "../base/index.ts"
import { decodeRecord } from "../log/index.ts"
import type { LogEntry } from "../log/index.ts"

type Life = { deleted: number; created: number }

export class Lives {
  /** By the first generation's id. */
  readonly #lives = new Map<DocumentId, Life>()
  readonly #hashes = new Set<number>()
  #deleted: DocumentId[] = []
  #records = 0

  /** What was deleted before. */
  readonly deletedBefore: readonly DocumentId[]

  constructor(records: readonly Pick<LogEntry, "record">[]) {
    for (const { record } of records) this.onDurable(record)
    this.deletedBefore = this.takeDeleted()
  }

  /** An entry of no document became durable here. */
  onDurable(record: Uint8Array): void {
    const fields = decodeRecord(record)
    if (fields.kind !== "delete" && fields.kind !== "create") return
    this.#records += 1
    const { document } = fields
    const name = generationOf(document, 1)
    const { generation } = partsOfDocumentId(document)
    const life = this.#lives.get(name) ?? { deleted: 0, created: 1 }
    this.#lives.set(name, life)
    if (fields.kind === "create") life.created = Math.max(life.created, generation)
    else {
      life.deleted = Math.max(life.deleted, generation)
      this.#deleted.push(document)
      this.#hashes.add(documentHash(document))
    }
  }

  /** `documentHash` of all names that were ever deleted. */
  get hashes(): ReadonlySet<number> {
    return this.#hashes
  }

  /** Names that were ever deleted, or created again. */
  get size(): number {
    return this.#lives.size
  }

  /** One more record is refused: all are in memory, and in one page of a transfer. Rule [R10]. */
  get isFull(): boolean {
    return this.#records >= limits.deletionsMax
  }

  /** Documents whose `delete` was learnt since this was last asked. */
  takeDeleted(): readonly DocumentId[] {
    return this.#deleted.splice(0)
  }

  /** Whether this very generation is there no more. */
  isDeleted(document: DocumentId): boolean {
    if (this.#lives.size === 0) return false
    const deleted = this.#lives.get(generationOf(document, 1))?.deleted ?? 0
    return deleted > 0 && partsOfDocumentId(document).generation <= deleted
  }

  /** Whether any generation of the name is there no more. */
  wasDeleted(document: DocumentId): boolean {
    return (this.#lives.get(generationOf(document, 1))?.deleted ?? 0) > 0
  }

  /** The generation that who has none is given; undefined while the name is deleted. */
  current(document: DocumentId): DocumentId | undefined {
    const life = this.#lives.get(generationOf(document, 1))
    if (life === undefined) return generationOf(document, 1)
    const { deleted, created } = life
    return created > deleted ? generationOf(document, created) : undefined
  }

  /** The generation that comes after the deleted one; undefined if there can be none. */
  next(document: DocumentId): DocumentId | undefined {
    const deleted = this.#lives.get(generationOf(document, 1))?.deleted ?? 0
    return deleted < limits.generationMax ? generationOf(document, deleted + 1) : undefined
  }

  /**
   * What is served to who holds generation `held` of the name (0: none); undefined: it is deleted.
   * One that this node has not heard of was created where the client was before.
   */
  served(name: DocumentId, held: number): DocumentId | undefined {
    if (held === 0) return this.current(name)
    const document = generationOf(name, held)
    return this.isDeleted(document) ? undefined : document
  }
}
