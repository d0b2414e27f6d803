/** Documents and their row ids, the recent ones in memory. */
import type { Database, Statement } from "better-sqlite3"
import type { DocumentId } from "@causeway/crdt/base"
import { GenerationCache } from "../cache.ts"

/** Past it the least recent are looked up again. About 2 MB when full. */
const cachedDocumentsMax = 16_384

export class DocumentRows {
  readonly #find: Statement<[string], { id: number }>
  readonly #insert: Statement<[string]>
  readonly #cache = new GenerationCache<DocumentId, number>(cachedDocumentsMax)

  constructor(database: Database) {
    this.#find = database.prepare("SELECT id FROM documents WHERE document = ?")
    this.#insert = database.prepare("INSERT INTO documents (document) VALUES (?)")
  }

  find(document: DocumentId): number | undefined {
    const cached = this.#cache.get(document)
    if (cached !== undefined) return cached
    const row = this.#find.get(document)?.id
    if (row !== undefined) this.#cache.set(document, row)
    return row
  }

  /** Inside a transaction; if that is rolled back, `forget` must follow. */
  findOrInsert(document: DocumentId): number {
    const found = this.find(document)
    if (found !== undefined) return found
    const row = Number(this.#insert.run(document).lastInsertRowid)
    this.#cache.set(document, row)
    return row
  }

  forget(): void {
    this.#cache.clear()
  }
}
