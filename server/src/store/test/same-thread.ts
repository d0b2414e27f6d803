/**
 * Stores without a thread of their own, for tests that open them by the hundred: the log is served
 * in this thread over a pair of ports, so that everything but the thread is what it is in a node.
 */
import { EventEmitter } from "node:events"
import { MessageChannel } from "node:worker_threads"
import type { MessagePort } from "node:worker_threads"
import type { Store } from "@causeway/crdt/ports"
import { checkKind } from "../kinds.ts"
import type { StoreKind } from "../kinds.ts"
import { openLevelLog } from "../level/open.ts"
import { SqliteLog } from "../sqlite/log.ts"
import { openOver } from "../thread/open.ts"
import type { FolderStoreOptions } from "../thread/open.ts"
import { serveLog } from "../thread/serve.ts"
import type { FolderLog, FolderLogOptions } from "../thread/serve.ts"
import type { LogThread } from "../thread/store.ts"

type OpenLog = (options: FolderLogOptions) => FolderLog | Promise<FolderLog>

/** As the stores' own openers; they too throw StoreOpenError. */
export const openHere = {
  sqlite: (options: FolderStoreOptions) => open("sqlite", (log) => new SqliteLog(log), options),
  level: (options: FolderStoreOptions) => open("level", openLevelLog, options),
} as const

async function open(
  kind: StoreKind,
  openLog: OpenLog,
  options: FolderStoreOptions,
): Promise<Store> {
  const { directory, node, doubt } = options
  checkKind(directory, kind)
  const { port1, port2 } = new MessageChannel()
  const opening = openOver(new PortThread(port1), options)
  void serveLog(openLog, port2, { directory, node, doubt })
  return opening
}

/** A port whose other end is served, as the thread that would serve it. */
class PortThread extends EventEmitter implements LogThread {
  readonly #port: MessagePort

  constructor(port: MessagePort) {
    super()
    this.#port = port
    port.on("message", (message) => this.emit("message", message))
    port.on("close", () => this.emit("exit", 0))
  }

  postMessage(...message: Parameters<LogThread["postMessage"]>): void {
    this.#port.postMessage(...message)
  }
}
