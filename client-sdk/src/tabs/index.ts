/**
 * Tabs of a browser that share one client: one of them has the storage and the socket for all.
 * Other processes with Web Locks and BroadcastChannel, such as Node, can do the same.
 */
import type { SharedTabs } from "../client-driver.ts"
import { TabsDriver } from "./tabs-driver.ts"

export type { SharedTabs } from "../client-driver.ts"

/**
 * Tabs that give the same name share one client, which has to be the same in all of them: the same
 * nodes, the same storage. Where the host has no Web Locks or no BroadcastChannel, each tab has a
 * socket of its own, and the first the storage.
 */
export function sharedTabs(name: string): SharedTabs {
  if (name === "") throw new TypeError("tabs that share a client need a name")
  return {
    name,
    connect(options) {
      const locks = "navigator" in globalThis ? navigator.locks : undefined
      if (locks === undefined || typeof BroadcastChannel !== "function") return undefined
      return new TabsDriver(name, locks, options)
    },
  }
}
