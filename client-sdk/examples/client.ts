/**
 * The pages' client: what it has is kept in the browser, and its tabs share it. Who comes with
 * another name, or to other nodes, is another client.
 */
import { createClient } from "@causeway/client"
import type { Client } from "@causeway/client"
import { levelStorage } from "@causeway/client/level"
import { sharedTabs } from "@causeway/client/tabs"
import { nodes, query } from "./settings.ts"

export function openClient(app: string): Client {
  const name = [app, query.get("name"), ...nodes].join(" ")
  return createClient({ urls: nodes, storage: levelStorage(name), tabs: sharedTabs(name) })
}
