/** What the browser test runs in the page: the SDK as an app would use it, as a global. */
import { createClient } from "../index.ts"
import type { Client, YjsDocument } from "../index.ts"

export type BrowserPage = {
  open(sync: string): Promise<void>
  /** Settles once it is saved at the node. */
  type(text: string): Promise<void>
  text(): string
  be(state: { readonly name: string }): void
  others(): unknown[]
  pending(): number
  goOffline(): void
  goOnline(): void
  close(): Promise<void>
}

let client: Client | undefined
let note: YjsDocument | undefined

const page: BrowserPage = {
  async open(sync) {
    client = createClient({ urls: [sync] })
    note = client.yjs("notes")
    await note.loaded
  },
  async type(text) {
    const body = note?.ydoc.getText("body")
    body?.insert(body.length, text)
    await note?.saved("node")
  },
  text: () => note?.ydoc.getText("body").toString() ?? "",
  be: (state) => note?.presence.setLocalState(state),
  others() {
    const { current = new Map<number, unknown>(), clientID } = note?.presence ?? {}
    return [...current].filter(([number]) => number !== clientID).map(([, state]) => state)
  },
  pending: () => client?.pending.count ?? 0,
  goOffline: () => client?.goOffline(),
  goOnline: () => client?.goOnline(),
  async close() {
    await client?.close()
  },
}

Object.assign(globalThis, { page })
