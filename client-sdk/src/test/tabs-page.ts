/** What the test of tabs runs in each of them, as a global. */
import { createClient } from "../index.ts"
import { levelStorage } from "../level/index.ts"
import { sharedTabs } from "../tabs/index.ts"
import type { Client, YjsDocument } from "../index.ts"

let client: Client | undefined
let note: YjsDocument | undefined

const page = {
  async open(sync: string) {
    const storage = levelStorage("app")
    client = createClient({ urls: [sync], storage, tabs: sharedTabs("app") })
    note = client.yjs("notes")
    await note.loaded
  },
  /** Says when it was typed; whether it is at a node says `saved`. */
  type(text: string): number {
    const body = note?.ydoc.getText("body")
    body?.insert(body.length, text)
    return Date.now()
  },
  /** Words, some milliseconds apart, until there is something else to do. */
  keepTyping(word: string) {
    let count = 0
    const timer = setInterval(() => {
      page.type(`${word}${count} `)
      count += 1
    }, 40)
    stop = () => {
      clearInterval(timer)
      return count
    }
  },
  stopTyping: (): number => stop(),
  /** When all that was typed here is at a node. */
  async saved(): Promise<number> {
    await note?.saved("node")
    return Date.now()
  },
  text: () => note?.ydoc.getText("body").toString() ?? "",
  session: () => {
    const current = client?.connection.current
    return current?.state === "connected" ? current.session : current?.state
  },
  storage: () => client?.storage.current.state,
  be: (name: string) => note?.presence.setLocalState({ name }),
  others() {
    const { current = new Map<number, object>(), clientID } = note?.presence ?? {}
    return [...current].filter(([number]) => number !== clientID).map(([, state]) => state)
  },
  close: () => client?.close(),
}

let stop = (): number => 0

export type TabsPage = typeof page

Object.assign(globalThis, { page })
