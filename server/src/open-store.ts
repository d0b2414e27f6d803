/** Opens the store a node is configured with and turns its troubles into log lines. */
import type { NodeId } from "@causeway/crdt/base"
import type { Store } from "@causeway/crdt/ports"
import type { Log } from "./observe/log.ts"
import { StartError } from "./start-error.ts"
import { openMemoryStore, openSqliteStore, StoreOpenError } from "./store/index.ts"

export const storeTypes = ["sqlite", "memory"] as const

/** `memory` forgets everything with the process. */
export type StoreChoice =
  | { readonly type: "memory" }
  | { readonly type: "sqlite"; readonly directory: string }

/** `node` undefined: the name the store has, or a fresh one. @throws StartError */
export async function openStore(
  choice: StoreChoice,
  node: NodeId | undefined,
  log: Log,
): Promise<Store> {
  if (choice.type === "memory") return openMemoryStore({ node })
  try {
    return await openSqliteStore({
      directory: choice.directory,
      node,
      onCorrupt: (entry) => log.error(entry, "corrupt-entry"),
      onTrouble: (message) => log.warn({ message }, "store-trouble"),
      onFailed: (message) => log.error({ message }, "store-thread-ended"),
    })
  } catch (error) {
    if (error instanceof StoreOpenError) throw new StartError("store", error.message)
    throw error
  }
}
