/**
 * Whose log this is: node and own origin, minted when the folder is new. If the last own entry
 * fails its checksum, its seq may have been seen by others with other content, so this life of
 * the log ends there and a new epoch begins (replication.md §1).
 */
import type { Database } from "better-sqlite3"
import { parseNodeId, parseOriginId } from "@causeway/crdt/base"
import type { NodeId, OriginId } from "@causeway/crdt/base"
import { StoreOpenError } from "../errors.ts"
import { mintNode, mintOrigin } from "../identity.ts"
import type { HeldOrigins } from "./heads.ts"
import type { LogReader } from "./reader.ts"

export type Identity = { readonly node: NodeId; readonly origin: OriginId }

/** @throws StoreOpenError `other-node` if the folder belongs to another than `wanted`. */
export function identify(
  database: Database,
  directory: string,
  wanted: NodeId | undefined,
  parts: { readonly origins: HeldOrigins; readonly reader: LogReader },
): Identity {
  const node = storedMeta(database, "node", parseNodeId)
  if (node !== undefined && wanted !== undefined && node !== wanted) {
    throw new StoreOpenError(
      "other-node",
      `the data folder ${directory} belongs to node ${node}, not ${wanted}; ` +
        "name that node, or choose another folder",
    )
  }
  const origin = storedMeta(database, "origin", parseOriginId)
  if (node === undefined || origin === undefined) return mint(database, wanted ?? mintNode(), parts)
  const tail = parts.origins.get(origin)
  const sound = tail !== undefined && parts.reader.isSound(tail.origin, tail.head.seq)
  return sound ? { node, origin } : mint(database, node, parts)
}

function mint(
  database: Database,
  node: NodeId,
  { origins }: { readonly origins: HeldOrigins },
): Identity {
  const origin = mintOrigin(node)
  const put = database.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)")
  const held = database
    .transaction(() => {
      put.run("node", node)
      put.run("origin", origin)
      return origins.insert(origin)
    })
    .immediate()
  origins.set(held)
  return { node, origin }
}

function storedMeta<Value>(
  database: Database,
  key: string,
  parse: (text: string) => Value | undefined,
): Value | undefined {
  const select = database.prepare<[string], { value: string }>(
    "SELECT value FROM meta WHERE key = ?",
  )
  const text = select.get(key)?.value
  if (text === undefined) return undefined
  const value = parse(text)
  if (value === undefined) throw new StoreOpenError("failed", `bad ${key} in the store: ${text}`)
  return value
}
