/** What the browser test runs in the page: the SDK as an app would use it, as a global. */
import { createClient, memoryStorage } from "../index.ts"
import { levelStorage } from "../level/index.ts"
import type { Client, YjsDocument } from "../index.ts"

export type BrowserPage = {
  /** With storage of that name in the browser, or in memory. */
  open(sync: string, storage?: string): Promise<void>
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
  async open(sync, name) {
    const storage = name === undefined ? memoryStorage() : levelStorage(name)
    client = createClient({ urls: [sync], storage })
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
