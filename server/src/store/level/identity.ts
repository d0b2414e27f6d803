/**
 * Whose log this is: node and own origin, minted when the folder is new; and the renewal, where an
 * opening is in doubt (ADR 8). Rules [E1] [E2].
 */
import { parseNodeId, parseOriginId } from "@causeway/crdt/base"
import type { NodeId, OriginId } from "@causeway/crdt/base"
import { notAStore, StoreOpenError } from "../errors.ts"
import type { LevelDatabase, Operation } from "./database.ts"
import { LEVEL_FOLDER, metaKey, metaRange, nameOfMetaKey } from "./keys.ts"
import { decodeNumber, decodeValue, encodeNumber, openValue, sealValue } from "./values.ts"

const FORMAT = 1
const CUT = "cut "

export type StoredIdentity = {
  readonly node: NodeId
  readonly origin: OriginId
  readonly boot: string | undefined
}

/** Undefined: the folder is new. @throws StoreOpenError */
export async function storedIdentity(
  database: LevelDatabase,
  directory: string,
): Promise<StoredIdentity | undefined> {
  const key = metaKey("format")
  const format = decodeValue(key, database.get(key), decodeNumber)
  if (format === undefined) {
    for await (const page of database.keyPages({ gte: Buffer.alloc(0), lt: Buffer.of(0xff) })) {
      if (page.length > 0) throw notAStore(`${directory}/${LEVEL_FOLDER}`, "it is something else's")
    }
    return undefined
  }
  if (format > FORMAT) throw newerVersion(directory, format)
  const node = parseNodeId(text(database, "node") ?? "")
  const origin = parseOriginId(text(database, "origin") ?? "")
  if (node === undefined || origin === undefined) {
    throw new StoreOpenError("failed", `no node and origin in the store of ${directory}`)
  }
  return { node, origin, boot: text(database, "boot") }
}

function newerVersion(directory: string, format: number): StoreOpenError {
  return new StoreOpenError(
    "newer-version",
    `the data in ${directory} was written by a newer version of Causeway ` +
      `(format ${format}, this one reads up to ${FORMAT}); run that version instead`,
  )
}

function text(database: LevelDatabase, name: string): string | undefined {
  const key = metaKey(name)
  const payload = openValue(key, database.get(key))
  return payload === undefined ? undefined : Buffer.from(payload).toString()
}

/** What makes a database this node's. */
export function identityOperations(
  node: NodeId,
  origin: OriginId,
  boot: string,
): readonly Operation[] {
  const texts = Object.entries({ node, origin, boot })
  return [
    sealed("format", encodeNumber(FORMAT)),
    ...texts.map(([name, value]) => sealed(name, Buffer.from(value))),
  ]
}

export function cutOperation(origin: OriginId, seq: number): Operation {
  return sealed(CUT + origin, encodeNumber(seq))
}

function sealed(name: string, payload: Uint8Array): Operation {
  const key = metaKey(name)
  return [key, sealValue(key, payload)]
}

/** Where own origins of before were cut as overtaken. */
export async function storedCuts(database: LevelDatabase): Promise<[OriginId, number][]> {
  const cuts: [OriginId, number][] = []
  for await (const page of database.pages(metaRange(CUT))) {
    for (const [key, value] of page) {
      const origin = parseOriginId(nameOfMetaKey(key).slice(CUT.length))
      const seq = decodeValue(key, value, decodeNumber)
      if (origin === undefined || seq === undefined) {
        throw new StoreOpenError("failed", `bad ${nameOfMetaKey(key)} in the store`)
      }
      cuts.push([origin, seq])
    }
  }
  return cuts
}
