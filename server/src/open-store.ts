/** Opens the store a node is configured with and turns its troubles into log lines. */
import type { NodeId } from "@causeway/crdt/base"
import type { ReopenDoubt, Store } from "@causeway/crdt/ports"
import type { Log } from "./observe/log.ts"
import { StartError } from "./start-error.ts"
import {
  newMemoryLog,
  openLevelStore,
  openMemoryStore,
  openSqliteStore,
  storeKinds,
  StoreOpenError,
} from "./store/index.ts"
import type { StoreKind } from "./store/index.ts"

export const storeTypes = [...storeKinds, "memory"] as const

/** `memory` forgets everything with the process. */
export type StoreChoice =
  | { readonly type: "memory" }
  | { readonly type: StoreKind; readonly directory: string }

/** Opens the same store each time; `doubt`: what was found out about it since the last time. */
export type OpenStore = (doubt?: ReopenDoubt) => Promise<Store>

const openers = { sqlite: openSqliteStore, level: openLevelStore } as const

export type FolderChoice = Exclude<StoreChoice, { readonly type: "memory" }>

export type StoreHooks = {
  readonly log: Log
  /** The thread of a store that was opened has died: every call of that store fails. */
  readonly onEnded: () => void
}

/** `node` undefined: the name the store has, or a fresh one. What it gives throws StartError. */
export function storeOpener(
  choice: StoreChoice,
  node: NodeId | undefined,
  hooks: StoreHooks,
): OpenStore {
  if (choice.type !== "memory") return (doubt) => openFolder(choice, node, hooks, doubt)
  const memory = newMemoryLog(node)
  return async (doubt) => openMemoryStore({ log: memory, doubt })
}

async function openFolder(
  { type, directory }: FolderChoice,
  node: NodeId | undefined,
  { log, onEnded }: StoreHooks,
  doubt: ReopenDoubt | undefined,
): Promise<Store> {
  try {
    return await openers[type]({
      directory,
      node,
      doubt,
      onCorrupt: (entry) => log.error(entry, "corrupt-entry"),
      onTrouble: (message) => log.warn({ message }, "store-trouble"),
      onFailed: (message) => {
        log.error({ message }, "store-thread-ended")
        onEnded()
      },
    })
  } catch (error) {
    if (error instanceof StoreOpenError) throw new StartError("store", error.message)
    throw error
  }
}
