/** What the browser test runs in the page: the SDK as an app would use it, as a global. */
import { createClient, memoryStorage } from "../index.ts"
import { levelStorage } from "../level/index.ts"
import type { Client, YjsDocument } from "../index.ts"

export type BrowserPage = {
  /** With storage of that name in the browser, or in memory. */
  open(sync: string, storage?: string): Promise<void>
  /** Settles once it is saved at the node. */
  type(text: string): Promise<void>
  /** Waits for nothing. */
  insert(text: string): void
  /** `state`, and the code if there is one, of storage; and how far the document is saved. */
  saving(): string
  text(): string
  be(state: { readonly name: string }): void
  others(): unknown[]
  pending(): number
  /** Makes whoever opens that storage wait, until `unblock`. */
  block(storage: string): Promise<void>
  unblock(): void
  /** Settles once nobody has that storage open. */
  delete(storage: string): Promise<void>
  /** How many Web Locks are held. */
  locks(): Promise<number>
  goOffline(): void
  goOnline(): void
  close(): Promise<void>
}

let client: Client | undefined
let note: YjsDocument | undefined
let unblock: (() => void) | undefined

function done(request: IDBOpenDBRequest): Promise<void> {
  return new Promise((resolve) => {
    request.addEventListener("success", () => resolve())
  })
}

const page: BrowserPage = {
  async open(sync, name) {
    const storage = name === undefined ? memoryStorage() : levelStorage(name)
    client = createClient({ urls: [sync], storage })
    note = client.yjs("notes")
    await note.loaded
  },
  async type(text) {
    page.insert(text)
    await note?.saved("node")
  },
  insert(text) {
    const body = note?.ydoc.getText("body")
    body?.insert(body.length, text)
  },
  saving() {
    const storage = client?.storage.current
    const code = storage !== undefined && "code" in storage ? storage.code : undefined
    return [storage?.state, code, note?.status.current.savedTo].join(" ")
  },
  text: () => note?.ydoc.getText("body").toString() ?? "",
  be: (state) => note?.presence.setLocalState(state),
  others() {
    const { current = new Map<number, unknown>(), clientID } = note?.presence ?? {}
    return [...current].filter(([number]) => number !== clientID).map(([, state]) => state)
  },
  pending: () => client?.pending.count ?? 0,
  async block(name) {
    const request = indexedDB.open(`level-js-${name}`)
    await done(request)
    // Waits for that one to be closed, and everybody else waits behind it.
    indexedDB.deleteDatabase(`level-js-${name}`)
    unblock = () => request.result.close()
  },
  unblock: () => unblock?.(),
  delete: (name) => done(indexedDB.deleteDatabase(`level-js-${name}`)),
  async locks() {
    const { held = [] } = await navigator.locks.query()
    return held.length
  },
  goOffline: () => client?.goOffline(),
  goOnline: () => client?.goOnline(),
  async close() {
    await client?.close()
  },
}

Object.assign(globalThis, { page })
