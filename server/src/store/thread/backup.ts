/**
 * A backup from both sides of a store's thread: asked for over a channel of its own, as it takes
 * long and the store goes on meanwhile. The copy is the log as it is between two commits, and its
 * steps are short, so that a commit waits for one of them at most. Rule [B2].
 */
import { MessageChannel } from "node:worker_threads"
import type { MessagePort, Worker } from "node:worker_threads"
import type { Store } from "@causeway/crdt/ports"
import { errorMessage } from "../errors.ts"

/** How far it is, in the store's own units. */
export type BackupProgress = { readonly done: number; readonly total: number }

export type Backup = {
  /** Once the file is whole and durable. Rejects if it is not going to be; then it is gone. */
  readonly finished: Promise<void>
  cancel(): void
}

/** A store that can be copied while it is open. */
export interface BackupStore extends Store {
  /** `file` must not be there yet. */
  backup(file: string, onProgress: (progress: BackupProgress) => void): Backup
}

export function canBackUp(store: Store): store is BackupStore {
  return "backup" in store
}

export type BackupRequest = {
  readonly type: "backup"
  readonly file: string
  readonly port: MessagePort
}

/** Why a store makes none, and what to do instead. */
export const noBackups = "a store in memory makes no backups"

type FromThread =
  | { readonly type: "progress"; readonly progress: BackupProgress }
  | { readonly type: "finished" }
  | { readonly type: "failed"; readonly message: string }

/** What a log must be able to do for it: it stops soon after `goesOn` says no, and tidies up. */
export type MakeBackup = (
  file: string,
  goesOn: (progress: BackupProgress) => boolean,
) => Promise<void>

/** This thread's side. */
export function startBackup(
  worker: Pick<Worker, "postMessage">,
  file: string,
  onProgress: (progress: BackupProgress) => void,
): Backup {
  const { port1: port, port2 } = new MessageChannel()
  const request: BackupRequest = { type: "backup", file, port: port2 }
  const finished = new Promise<void>((resolve, reject) => {
    port.on("message", (message: FromThread) => {
      if (message.type === "progress") return onProgress(message.progress)
      port.close()
      if (message.type === "finished") resolve()
      else reject(new Error(message.message))
    })
    // The other end goes with the thread.
    port.on("close", () => reject(new Error("the store was closed")))
  })
  worker.postMessage(request, [port2])
  return { finished, cancel: () => port.postMessage("cancel") }
}

/** The store's thread's side. */
export async function serveBackup(
  { file, port }: BackupRequest,
  make: MakeBackup | undefined,
): Promise<void> {
  let isCancelled = false
  port.on("message", () => (isCancelled = true))
  const say = (message: FromThread) => port.postMessage(message)
  try {
    if (make === undefined) throw new Error(noBackups)
    await make(file, (progress) => {
      say({ type: "progress", progress })
      return !isCancelled
    })
    say({ type: "finished" })
  } catch (error) {
    say({ type: "failed", message: errorMessage(error) })
  }
}
