/**
 * Node → client, from version 2 on, as soon as a client that holds nothing of a name opened it:
 * which generation it is given. Before anything that it sends can be acked. Rules [N18] [R6].
 */
import { DecodeError, limits, Writer } from "../../base/index.ts"
import type { Reader } from "../../base/index.ts"
import { nativeTags } from "../tags.ts"

export type Generation = {
  readonly type: "generation"
  readonly channel: number
  readonly generation: number
}

export function encodeGeneration({ channel, generation }: Generation): Uint8Array {
  return new Writer().u8(nativeTags.generation).varUint(channel).varUint(generation).finish()
}

export function decodeGeneration(reader: Reader): Generation {
  const channel = reader.varUint()
  const generation = reader.count(limits.generationMax)
  if (generation < 1) throw new DecodeError("bad-value", reader.offset, "generation")
  return { type: "generation", channel, generation }
}
