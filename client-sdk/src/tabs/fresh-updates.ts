/**
 * Which updates a document's stored parts do not have. In doubt an update is fresh: twice in a log
 * it is harmless. Rule [H4].
 */
import * as Y from "yjs"
import { partsOfDocumentId } from "@causeway/crdt/base"
import type { DocumentId } from "@causeway/crdt/base"
import type { TabUpdate } from "@causeway/crdt/client/tabs"

type IsFresh = (update: Uint8Array) => boolean

/** Numbers of those that are fresh; `kept` gives all that is stored of a document. */
export async function freshOf(
  updates: readonly TabUpdate[],
  kept: (document: DocumentId) => Promise<readonly Uint8Array[]>,
): Promise<number[]> {
  const judges = new Map<DocumentId, IsFresh>()
  const fresh: number[] = []
  for (const { document, number, bytes } of updates) {
    const isFresh = judges.get(document) ?? (await judgeOf(document, await kept(document)))
    judges.set(document, isFresh)
    if (inDoubt(() => isFresh(bytes))) fresh.push(number)
  }
  return fresh
}

function judgeOf(document: DocumentId, kept: readonly Uint8Array[]): Promise<IsFresh> {
  const { engine } = partsOfDocumentId(document)
  return engine === "yjs" ? Promise.resolve(yjsJudge(kept)) : automergeJudge(kept)
}

function yjsJudge(kept: readonly Uint8Array[]): IsFresh {
  const ydoc = new Y.Doc()
  let changes = 0
  ydoc.on("update", () => {
    changes += 1
  })
  ydoc.transact(() => {
    for (const update of kept) inDoubt(() => Y.applyUpdate(ydoc, update))
  })
  return (update) => {
    const before = changes
    Y.applyUpdate(ydoc, update)
    const { pendingStructs, pendingDs } = ydoc.store
    return changes > before || pendingStructs !== null || pendingDs !== null
  }
}

async function automergeJudge(kept: readonly Uint8Array[]): Promise<IsFresh> {
  const kit = await import("../automerge-kit.ts").catch(() => undefined)
  if (kit === undefined) return () => true
  let doc = kit.library.init<unknown>()
  for (const update of kept) {
    inDoubt(() => {
      doc = kit.library.loadIncremental(doc, update)
    })
  }
  return (update) => !kit.automergeHas(kit.library, doc, update)
}

/** True also if it can't be said. */
function inDoubt(run: () => boolean | void): boolean {
  try {
    return run() !== false
  } catch {
    return true
  }
}
