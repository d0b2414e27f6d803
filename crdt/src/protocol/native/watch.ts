/**
 * Client → node, from version 4 on, once, after `welcome`: of these documents the client has
 * everything up to `since`, and wants to hear of what it has not. Rule [N21].
 */
import { limits, Writer } from "../../base/index.ts"
import type { Reader } from "../../base/index.ts"
import { VersionVector } from "../../clock/index.ts"
import { nativeTags } from "../tags.ts"

export type Watch = {
  readonly type: "watch"
  readonly since: VersionVector
  /** `documentHash` of each. */
  readonly hashes: readonly number[]
}

export function encodeWatch({ since, hashes }: Watch): Uint8Array {
  const writer = new Writer().u8(nativeTags.watch)
  since.encode(writer)
  return encodeHashes(writer, hashes).finish()
}

export function decodeWatch(reader: Reader): Watch {
  return { type: "watch", since: VersionVector.decode(reader), hashes: decodeHashes(reader) }
}

export function encodeHashes(writer: Writer, hashes: readonly number[]): Writer {
  writer.varUint(hashes.length)
  for (const hash of hashes) writer.varUint(hash)
  return writer
}

/** In any order; one that comes twice counts once. @throws DecodeError */
export function decodeHashes(reader: Reader): number[] {
  return reader.list(limits.channelsPerConnectionMax, () => reader.varUint())
}
