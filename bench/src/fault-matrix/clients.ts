/**
 * The clients of the matrix, each an unmodified package over real sockets, with one face: type,
 * see, be told that it is safe, leave. What counts as told differs, since the clients do: the
 * Hocuspocus provider counts acks down to zero, the native SDK resolves `saved("node")`, and a
 * y-websocket client is told nothing, so for it an update counts once another client has seen it.
 */
import { HocuspocusProvider, HocuspocusProviderWebsocket } from "@hocuspocus/provider"
import { createClient } from "@causeway/client"
import { WebSocket } from "ws"
import { WebsocketProvider } from "y-websocket"
import * as Y from "yjs"

export interface MatrixClient {
  /** Whether it has what the server has. */
  isSynced(): boolean
  text(): string
  type(word: string): void
  /** Whether it has been told that everything typed so far is safe. */
  isTold(): boolean
  /** Goes for good, as a closed tab does: it brings nothing back. */
  leave(): void
}

/** `server` is `ws://HOST:PORT/`. */
export type Connect = (server: string, room: string) => MatrixClient

function textOf(document: Y.Doc): Y.Text {
  return document.getText("text")
}

function append(document: Y.Doc, word: string): void {
  const text = textOf(document)
  text.insert(text.length, word)
}

export function hocuspocusClient(server: string, room: string): MatrixClient {
  const document = new Y.Doc()
  const socket = new HocuspocusProviderWebsocket({ url: server, WebSocketPolyfill: WebSocket })
  const provider = new HocuspocusProvider({ websocketProvider: socket, name: room, document })
  provider.attach()
  return {
    isSynced: () => provider.isSynced,
    text: () => textOf(document).toString(),
    type: (word) => append(document, word),
    isTold: () => provider.isSynced && !provider.hasUnsyncedChanges,
    leave: () => {
      provider.destroy()
      socket.destroy()
      document.destroy()
    },
  }
}

export function sdkClient(server: string, room: string): MatrixClient {
  const client = createClient({ urls: [new URL("/sync", server).href] })
  const handle = client.yjs(room)
  let typed = 0
  let told = 0
  return {
    isSynced: () => handle.status.current.freshness.state === "live",
    text: () => textOf(handle.ydoc).toString(),
    type: (word) => {
      append(handle.ydoc, word)
      typed += 1
      const number = typed
      const settled = (): void => {
        told = Math.max(told, number)
      }
      // Not told is an answer: it is read off at the end of the wait.
      handle.saved("node").then(settled, () => undefined)
    },
    isTold: () => told === typed,
    leave: () => {
      client.goOffline()
      void client.close()
    },
  }
}

export function yWebsocketClient(server: string, room: string): MatrixClient {
  const writer = yWebsocket(server, room)
  const witness = yWebsocket(server, room)
  let last = ""
  return {
    isSynced: () => writer.provider.synced && witness.provider.synced,
    text: () => textOf(writer.document).toString(),
    type: (word) => {
      append(writer.document, word)
      last = word
    },
    isTold: () => textOf(witness.document).toString().includes(last),
    leave: () => {
      for (const { provider, document } of [writer, witness]) {
        provider.destroy()
        document.destroy()
      }
    },
  }
}

function yWebsocket(
  server: string,
  room: string,
): { provider: WebsocketProvider; document: Y.Doc } {
  const document = new Y.Doc()
  const provider = new WebsocketProvider(new URL("/yjs", server).href, room, document, {
    // cast: ws has all that the provider uses of a browser's WebSocket.
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
    disableBc: true,
  })
  return { provider, document }
}
