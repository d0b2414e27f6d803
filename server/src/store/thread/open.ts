/**
 * Opens a store that lives in a worker thread: starts the thread of its kind and waits until it
 * says that the folder is open, or why it is not. store.ts is this thread's side from then on.
 */
import { getCompileCacheDir } from "node:module"
import { dirname } from "node:path"
import { Worker } from "node:worker_threads"
import type { NodeId } from "@causeway/crdt/base"
import type { ReopenDoubt, Store } from "@causeway/crdt/ports"
import { errorMessage, StoreOpenError } from "../errors.ts"
import { checkKind } from "../kinds.ts"
import type { StoreKind } from "../kinds.ts"
import type { FromWorker } from "./messages.ts"
import type { WorkerOptions } from "./serve.ts"
import { ThreadStore } from "./store.ts"
import type { CorruptEntry, LogThread, StoreEvents } from "./store.ts"

export type FolderStoreOptions = StoreEvents & {
  /** The data folder; made if it is not there. */
  readonly directory: string
  /** Undefined: the stored one, or a minted one if the folder is new. */
  readonly node: NodeId | undefined
  /** What a core found out about the log since it was opened last. */
  readonly doubt?: ReopenDoubt | undefined
}

/**
 * `base`: the file beside which the thread's `worker.ts` lies.
 * @throws StoreOpenError
 */
export async function openInThread(
  base: string,
  kind: StoreKind,
  options: FolderStoreOptions,
): Promise<Store> {
  const { directory, node, doubt } = options
  checkKind(directory, kind)
  return openOver(startWorker(base, { directory, node, doubt }), options)
}

/**
 * The store that `worker` has just begun to open.
 * @throws StoreOpenError
 */
export function openOver(worker: LogThread, options: FolderStoreOptions): Promise<Store> {
  const { directory } = options
  return new Promise((resolve, reject) => {
    const corrupt: CorruptEntry[] = []
    let reason: StoreOpenError | undefined
    const failed = (message: string) =>
      new StoreOpenError("failed", `cannot open the data folder ${directory}: ${message}`)
    const onError = (error: unknown) => (reason = failed(errorMessage(error)))
    const onExit = (code: number) =>
      reject(reason ?? failed(`the store's thread ended with code ${code}`))
    const onMessage = (message: FromWorker) => {
      if (!("type" in message)) return
      if (message.type === "corrupt") corrupt.push(message)
      if (message.type === "trouble") options.onTrouble?.(message.message)
      if (message.type === "open-failed") reason = new StoreOpenError(message.code, message.message)
      if (message.type !== "opened") return
      const store = new ThreadStore(worker, message, options)
      // Only now: a worker left without a listener for messages stops delivering them.
      worker.off("message", onMessage).off("error", onError).off("exit", onExit)
      for (const { origin, seq } of corrupt) options.onCorrupt?.({ origin, seq })
      resolve(store)
    }
    worker.on("message", onMessage).on("error", onError).on("exit", onExit)
  })
}

/** The thread only passes bytes on: what it allocates dies young, in little room. */
const resourceLimits = { maxYoungGenerationSizeMb: 4 }

function startWorker(base: string, workerData: WorkerOptions): Worker {
  // Compiled, a file and its worker end in .js; in the repository they run as they are.
  const file = base.endsWith(".ts") ? "./worker.ts" : "./worker.js"
  // A thread does not inherit the compile cache, which spares it 20 MB and half its start.
  const cache = getCompileCacheDir()
  const env = cache === undefined ? {} : { NODE_COMPILE_CACHE: dirname(cache) }
  return new Worker(new URL(file, base), {
    workerData,
    name: "store",
    env: { ...process.env, ...env },
    resourceLimits,
  })
}
