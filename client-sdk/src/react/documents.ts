/**
 * Which documents components use, by client: a document is open while at least one does. The last
 * one to go lets it go a microtask later, so that the remounts of strict mode, and of a page that
 * shows the same document as the one before, keep the handle.
 */
import type { AutomergeDocument, Client, YjsDocument } from "../index.ts"

export type Handle = YjsDocument | AutomergeDocument<unknown>
export type Engine = "yjs" | "automerge"

type Entry = {
  handle: Handle | undefined
  readonly listeners: Set<() => void>
}

const byClient = new WeakMap<Client, Map<string, Entry>>()

/** The handle, once a component uses the document. */
export function currentHandle(client: Client, engine: Engine, name: string): Handle | undefined {
  return byClient.get(client)?.get(`${engine}/${name}`)?.handle
}

/** Opens the document if nobody uses it so far; the function it gives lets go of it. */
export function holdDocument(
  client: Client,
  engine: Engine,
  name: string,
  onChange: () => void,
): () => void {
  const entries = byClient.get(client) ?? new Map<string, Entry>()
  byClient.set(client, entries)
  const key = `${engine}/${name}`
  const entry = entries.get(key) ?? { handle: undefined, listeners: new Set() }
  entries.set(key, entry)
  // A function of its own, so that one listener may hold it twice.
  const listener = (): void => onChange()
  entry.listeners.add(listener)
  if (entry.handle === undefined) openHandle(client, engine, name, entry)
  return () => {
    entry.listeners.delete(listener)
    queueMicrotask(() => {
      if (entry.listeners.size > 0 || entries.get(key) !== entry) return
      entries.delete(key)
      entry.handle?.close()
    })
  }
}

function openHandle(client: Client, engine: Engine, name: string, entry: Entry): void {
  const handle = engine === "yjs" ? client.yjs(name) : client.automerge<unknown>(name)
  entry.handle = handle
  // An app closes a handle to get a fresh one, after a rejection for one; see README.md.
  void handle.closed.then(() => {
    if (entry.listeners.size === 0 || client.isClosed) return
    openHandle(client, engine, name, entry)
    for (const listener of entry.listeners) listener()
  })
}
