/** The unmodified y-websocket client from npm, in Node. */
import { WebSocket } from "ws"
import { WebsocketProvider } from "y-websocket"
import * as Y from "yjs"
import type { Cleanup } from "./cleanup.ts"
import { until } from "./wait.ts"

export type StockClient = {
  readonly doc: Y.Doc
  readonly text: Y.Text
  readonly provider: WebsocketProvider
}

/** Connects; `url` is the node's `ws://HOST:PORT`. */
export function stockClient(
  url: string,
  room: string,
  cleanup: Cleanup,
  params: Record<string, string> = {},
): StockClient {
  const doc = new Y.Doc()
  const provider = new WebsocketProvider(`${url}/yjs`, room, doc, {
    // cast: ws has all that the provider uses of a browser's WebSocket.
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
    disableBc: true,
    maxBackoffTime: 100,
    params,
  })
  cleanup.add(() => {
    provider.destroy()
    doc.destroy()
  })
  return { doc, text: doc.getText("text"), provider }
}

export async function synced(...clients: readonly StockClient[]): Promise<void> {
  for (const { provider } of clients) await until("the client is synced", () => provider.synced)
}
