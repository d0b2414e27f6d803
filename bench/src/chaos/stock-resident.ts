/** A resident over y-websocket: one node, a socket per document, no acks; Yjs documents only. */
import { keyOf } from "./ledger.ts"
import type { DocumentName } from "./ledger.ts"
import type { Random } from "./random.ts"
import type { ClientWorld, Resident } from "./resident.ts"
import { StockDocument } from "./stock-document.ts"

export class StockResident implements Resident {
  readonly kind = "stock"
  readonly name: string
  readonly #world: ClientWorld
  readonly #random: Random
  readonly #home: string
  readonly #documents = new Map<string, StockDocument>()

  constructor(name: string, world: ClientWorld) {
    this.name = name
    this.#world = world
    this.#random = world.random.split(name)
    this.#home = this.#random.pick(world.names)
  }

  open(document: DocumentName): void {
    if (document.engine !== "yjs") return
    const { ledger, entrance } = this.#world
    const opened = new StockDocument(entrance(this.#home), document.name, (token) => {
      ledger.seen(token, this.#home)
      ledger.holds(token, this.name)
    })
    this.#documents.set(keyOf(document), opened)
  }

  write(document: DocumentName, token: string): boolean {
    const opened = this.#documents.get(keyOf(document))
    if (opened === undefined) return false
    this.#world.ledger.attempt(token, document, this.name)
    this.#world.ledger.holds(token, this.name)
    opened.write(this.#random, token)
    return true
  }

  shown(document: DocumentName): Record<string, unknown> | undefined {
    return this.#documents.get(keyOf(document))?.shown()
  }

  unrest(): string | undefined {
    for (const [document, { synced }] of this.#documents) {
      if (!synced) return `${this.name} is not synced with ${this.#home}: ${document}`
    }
    return undefined
  }

  close(document: DocumentName): void {
    this.#documents.get(keyOf(document))?.close()
    this.#documents.delete(keyOf(document))
    this.#world.ledger.letGo(this.name, document)
  }

  async end(): Promise<void> {
    for (const document of this.#documents.values()) document.close()
    this.#documents.clear()
  }
}
