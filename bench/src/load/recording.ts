/**
 * The updates a writer sends, made with real Yjs before anything is measured: one client typing at
 * the end of a text, one insert per update, about 40 bytes each. Deterministic: the same document
 * number gives the same bytes in every process, so that whoever checks a document afterwards can
 * make the expected text again. Invariant: update `i` covers exactly the clocks
 * `[i × unitsPerUpdate, (i + 1) × unitsPerUpdate)` of its client.
 */
import * as Y from "yjs"

/** Clocks (characters) each recorded update inserts. */
export const unitsPerUpdate = 20

/** The root text every recording types into. */
export const textName = "text"

/** One writer's updates in order. */
export type Recording = {
  readonly client: number
  readonly updates: readonly Uint8Array[]
}

/** The client that writes document number `document`: five bytes long, like most real ones. */
export function writerOf(document: number): number {
  return 3_000_000_000 + document
}

/** What update number `index` inserts. */
export function insertAt(index: number): string {
  return `${index.toString(36).padStart(8, "0")} lorem ipsum`
}

/** The document's text after the first `count` updates. */
export function textAfter(count: number): string {
  return Array.from({ length: count }, (_, index) => insertAt(index)).join("")
}

/** Records `count` updates of document number `document`. */
export function record(document: number, count: number): Recording {
  const doc = new Y.Doc()
  doc.clientID = writerOf(document)
  const updates: Uint8Array[] = []
  doc.on("update", (update: Uint8Array) => updates.push(update))
  const text = doc.getText(textName)
  for (let index = 0; index < count; index += 1) text.insert(text.length, insertAt(index))
  doc.destroy()
  return { client: writerOf(document), updates }
}

/** The text of a document made of `updates`, as any Yjs reader would show it. */
export function textOf(updates: readonly Uint8Array[]): string {
  const doc = new Y.Doc()
  for (const update of updates) Y.applyUpdate(doc, update)
  const text = doc.getText(textName).toJSON()
  doc.destroy()
  return text
}
