/** The unmodified y-websocket client from npm, in Node. It connects, and comes back by itself. */
import { WebSocket } from "ws"
import { WebsocketProvider } from "y-websocket"
import * as Y from "yjs"
import { textName } from "./editor.ts"
import { until } from "./wait.ts"
import type { Patience } from "./wait.ts"

export class StockClient {
  readonly doc = new Y.Doc()
  readonly provider: WebsocketProvider

  /** `url`: the node's `ws://HOST:PORT`. */
  constructor(url: string, room: string) {
    this.provider = new WebsocketProvider(`${url}/yjs`, room, this.doc, {
      // cast: ws has all that the provider uses of a browser's WebSocket.
      WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
      // Without it all clients in one process would talk to each other around the nodes.
      disableBc: true,
    })
  }

  get text(): Y.Text {
    return this.doc.getText(textName)
  }

  async synced(patience?: Patience): Promise<void> {
    const { provider } = this
    await until(`the client of ${provider.url} is synced`, () => provider.synced, patience)
  }

  destroy(): void {
    this.provider.destroy()
    this.provider.awareness.destroy()
    this.doc.destroy()
  }
}
