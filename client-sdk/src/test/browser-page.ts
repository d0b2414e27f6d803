/** What the browser test runs in the page: the SDK as an app would use it, shown as globals. */
import { createClient } from "../index.ts"
import type { Client, YjsDocument } from "../index.ts"

type Page = {
  client: Client | undefined
  note: YjsDocument | undefined
  open(sync: string): Promise<void>
  type(text: string): Promise<void>
  text(): string
  be(state: { readonly name: string }): void
  others(): unknown[]
}

const page: Page = {
  client: undefined,
  note: undefined,
  async open(sync) {
    page.client = createClient({ urls: [sync] })
    page.note = page.client.yjs("notes")
    await page.note.loaded
  },
  async type(text) {
    const body = page.note?.ydoc.getText("body")
    body?.insert(body.length, text)
    await page.note?.saved("node")
  },
  text: () => page.note?.ydoc.getText("body").toString() ?? "",
  be(state) {
    page.note?.presence.setLocalState(state)
  },
  others() {
    const { current = new Map<number, unknown>(), clientID } = page.note?.presence ?? {}
    return [...current].filter(([client]) => client !== clientID).map(([, state]) => state)
  },
}

Object.assign(globalThis, { page })
