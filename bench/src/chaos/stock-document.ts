/** A document of the unmodified y-websocket client: it comes back to its node by itself. */
import { WebSocket } from "ws"
import { WebsocketProvider } from "y-websocket"
import * as Y from "yjs"
import { editYjs, shownByYjs } from "./content.ts"
import type { Random } from "./random.ts"

const backoffMsMax = 1000

export class StockDocument {
  readonly #doc = new Y.Doc()
  readonly #provider: WebsocketProvider

  /** `url`: the node's `ws://HOST:PORT`. `onToken` hears of each token that comes from there. */
  constructor(url: string, name: string, onToken: (token: string) => void) {
    this.#provider = new WebsocketProvider(`${url}/yjs`, name, this.#doc, {
      // cast: ws has all that the provider uses of a browser's WebSocket.
      WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
      // Without it all clients in one process would talk to each other around the nodes.
      disableBc: true,
      maxBackoffTime: backoffMsMax,
    })
    this.#doc.getMap("tokens").observe(({ keysChanged, transaction }) => {
      if (transaction.origin !== this.#provider) return
      for (const token of keysChanged) onToken(String(token))
    })
  }

  get synced(): boolean {
    return this.#provider.synced
  }

  write(random: Random, token: string): void {
    editYjs(this.#doc, random, token)
  }

  shown(): Record<string, unknown> {
    return shownByYjs(this.#doc)
  }

  close(): void {
    this.#provider.destroy()
    this.#provider.awareness.destroy()
    this.#doc.destroy()
  }
}
