/** What the SDK takes from its host: time, chance, and the news that the network may be back. */
import type { Random } from "@causeway/crdt/ports"

/** Milliseconds since 1970 that never run backwards. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now()
}

/** `2026-11-21T09:00:00.000Z` */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}

const words = new Uint32Array(1)

export const systemRandom: Random = {
  next() {
    crypto.getRandomValues(words)
    return (words[0] ?? 0) / 2 ** 32
  },
}

/** Calls when trying to connect may be worthwhile; hosts without such events never do. */
export function onNetworkHint(listener: () => void): () => void {
  if (typeof globalThis.addEventListener !== "function") return () => undefined
  const onVisible = (): void => {
    if (document.visibilityState === "visible") listener()
  }
  const page = typeof document === "undefined" ? undefined : document
  globalThis.addEventListener("online", listener)
  page?.addEventListener("visibilitychange", onVisible)
  return () => {
    globalThis.removeEventListener("online", listener)
    page?.removeEventListener("visibilitychange", onVisible)
  }
}

/** Asks the browser not to evict what is stored; "unsupported" where there is no such thing. */
export async function persistStorage(): Promise<PersistResult> {
  const manager = "navigator" in globalThis ? navigator.storage : undefined
  if (typeof manager?.persist !== "function") return "unsupported"
  if (await manager.persisted()) return "granted"
  return (await manager.persist()) ? "granted" : "denied"
}

export type PersistResult = "granted" | "denied" | "unsupported"
