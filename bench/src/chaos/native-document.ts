/**
 * A document of the SDK as clients of a run use it, whichever engine it is of: it writes tokens,
 * tells of each token that arrives, and says what it shows.
 */
import type { AutomergeDocument, Client, SyncError, Tier, YjsDocument } from "@causeway/client"
import { editAutomerge, editYjs, shownByYjs, tokensIn, withoutEmpty } from "./content.ts"
import type { PlanContent } from "./content.ts"
import type { DocumentName } from "./ledger.ts"
import type { Random } from "./random.ts"

export interface NativeDocument {
  readonly ready: boolean
  readonly error: SyncError | undefined
  /** Settled once it may be written to. */
  readonly loaded: Promise<void>
  write(random: Random, token: string): void
  saved(tier: Tier): Promise<void>
  shown(): Record<string, unknown>
  close(): void
}

/** `onToken` hears of each token that comes from a node, once. */
export function openNative(
  client: Client,
  { engine, name }: DocumentName,
  onToken: (token: string) => void,
): NativeDocument {
  if (engine === "yjs") return yjsDocument(client.yjs(name), onToken)
  return automergeDocument(client.automerge<PlanContent>(name), onToken)
}

function yjsDocument(handle: YjsDocument, onToken: (token: string) => void): NativeDocument {
  const { ydoc } = handle
  ydoc.getMap("tokens").observe(({ keysChanged, transaction }) => {
    if (transaction.origin !== handle) return
    for (const token of keysChanged) onToken(String(token))
  })
  return {
    ready: true,
    loaded: handle.loaded,
    get error() {
      return handle.status.current.error
    },
    write: (random, token) => editYjs(ydoc, random, token),
    saved: (tier) => handle.saved(tier),
    shown: () => shownByYjs(ydoc),
    close: () => handle.close(),
  }
}

function automergeDocument(
  handle: AutomergeDocument<PlanContent>,
  onToken: (token: string) => void,
): NativeDocument {
  const known = new Set<string>()
  handle.subscribe((doc) => {
    for (const token of tokensIn(doc)) {
      if (known.has(token)) continue
      known.add(token)
      onToken(token)
    }
  })
  return {
    get ready() {
      return handle.doc !== undefined
    },
    loaded: handle.loaded,
    get error() {
      return handle.status.current.error
    },
    write: (random, token) => {
      known.add(token)
      void handle.change((content) => editAutomerge(content, random, token))
    },
    saved: (tier) => handle.saved(tier),
    shown: () => withoutEmpty(handle.doc ?? {}),
    close: () => handle.close(),
  }
}
