/**
 * Node → client, from version 4 on: of these documents, which the client watched, there may be
 * news, and they are watched no more. One with `held` is the answer to `watch`: of all others there
 * is none. Rule [N21].
 */
import { DecodeError, Writer } from "../../base/index.ts"
import type { Reader } from "../../base/index.ts"
import { VersionVector } from "../../clock/index.ts"
import { nativeTags } from "../tags.ts"
import { decodeHashes, encodeHashes } from "./watch.ts"

export type Woken = {
  readonly type: "woken"
  /** What the node holds, with the answer: a client that has more of a document opens it. */
  readonly held: VersionVector | undefined
  /** Undefined: whatever is watched; the node can't say what changed. */
  readonly hashes: readonly number[] | undefined
}

const kinds = { news: 0, answer: 1, all: 2 } as const

export function encodeWoken({ held, hashes }: Woken): Uint8Array {
  const writer = new Writer().u8(nativeTags.woken)
  if (hashes === undefined) return writer.u8(kinds.all).finish()
  writer.u8(held === undefined ? kinds.news : kinds.answer)
  held?.encode(writer)
  return encodeHashes(writer, hashes).finish()
}

export function decodeWoken(reader: Reader): Woken {
  const kind = reader.u8()
  if (kind > 2) throw new DecodeError("bad-value", reader.offset)
  const held = kind === 1 ? VersionVector.decode(reader) : undefined
  return { type: "woken", held, hashes: kind === 2 ? undefined : decodeHashes(reader) }
}
