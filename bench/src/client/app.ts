/** What each measurement of the SDK begins with: a node of its own and an app's client. */
import { join } from "node:path"
import { createClient } from "@causeway/client"
import type { Client } from "@causeway/client"
import { levelStorage } from "@causeway/client/level"
import { Nodes } from "../replication/nodes.ts"

/** Nobody listens there: the app is offline. */
export const nowhere = "ws://127.0.0.1:9/sync"

export async function startNode(folder: string): Promise<Nodes> {
  return Nodes.start(join(folder, "nodes"), 1, 0)
}

/** A client with its storage on the disk, the same at each call. */
export function startClient(folder: string, url: string): Client {
  return createClient({ urls: [url], storage: levelStorage(join(folder, "app")) })
}

/** CPU milliseconds of the calling thread alone. */
export function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** Lets everything else of the process run once. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
