/** A resident over the SDK: it fails over between all nodes, and hears of acks. */
import { createClient } from "@causeway/client"
import type { Client, ClientEvent } from "@causeway/client"
import { keyOf } from "./ledger.ts"
import type { DocumentName } from "./ledger.ts"
import { openNative } from "./native-document.ts"
import type { NativeDocument } from "./native-document.ts"
import type { ClientWorld, Resident } from "./resident.ts"
import type { Random } from "./random.ts"

export class NativeResident implements Resident {
  readonly kind = "native"
  readonly name: string
  readonly #world: ClientWorld
  readonly #random: Random
  readonly #client: Client
  readonly #documents = new Map<string, NativeDocument>()

  constructor(name: string, world: ClientWorld) {
    this.name = name
    this.#world = world
    this.#random = world.random.split(name)
    this.#client = connectTo(world, name, this.#random)
  }

  open(document: DocumentName): void {
    const { ledger } = this.#world
    const opened = openNative(this.#client, document, (token) => {
      ledger.seen(token, nodeOf(this.#client))
      ledger.holds(token, this.name)
    })
    opened.loaded.catch(() => {})
    this.#documents.set(keyOf(document), opened)
  }

  write(document: DocumentName, token: string): boolean {
    const opened = this.#documents.get(keyOf(document))
    if (opened?.ready !== true || this.#client.pending.full) return false
    const { ledger } = this.#world
    ledger.attempt(token, document, this.name)
    ledger.holds(token, this.name)
    opened.write(this.#random, token)
    opened.saved("node").then(
      () => ledger.acked(token, "node", nodeOf(this.#client)),
      // A refusal is heard of by itself; else the document was closed first.
      () => {},
    )
    return true
  }

  shown(document: DocumentName): Record<string, unknown> | undefined {
    return this.#documents.get(keyOf(document))?.shown()
  }

  unrest(): string | undefined {
    const { state } = this.#client.connection.current
    if (state !== "connected") return `${this.name} is ${state}`
    const { count } = this.#client.pending
    return count > 0 ? `${this.name} has ${count} updates that no node acked` : undefined
  }

  close(document: DocumentName): void {
    this.#documents.get(keyOf(document))?.close()
    this.#documents.delete(keyOf(document))
    this.#world.ledger.letGo(this.name, document)
  }

  async end(): Promise<void> {
    await this.#client.close()
  }
}

/** To all nodes, in an order of its own. An honest client is never refused nor closed for good. */
export function connectTo(world: ClientWorld, name: string, random: Random): Client {
  const { names, entrance, onBroken } = world
  const urls = random.shuffled(names).map((node) => `${entrance(node)}/sync`)
  const onEvent = (event: ClientEvent) => {
    if (event.type !== "malformed-frame" && event.type !== "protocol-violation") return
    onBroken("protocol", `${name} was sent: ${event.message}`)
  }
  const client = createClient({ urls, onEvent })
  client.onRejected(({ reason, error }) => {
    if (!error.retryable) onBroken("client-refused", `an update of ${name} was refused: ${reason}`)
  })
  client.connection.subscribe((status) => {
    if (status.state !== "closed" || status.why.code === undefined) return
    onBroken("client-refused", `${name} was closed for good: ${status.why.reason}`)
  })
  return client
}

/** The node it is connected to right now. */
export function nodeOf(client: Client): string | undefined {
  const { current } = client.connection
  return current.state === "connected" ? current.node : undefined
}
