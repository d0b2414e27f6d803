/** A version vector with the chain's hash at each head, so that a fork shows at once. */
import { assert, DecodeError, limits } from "../../base/index.ts"
import type { OriginId, Reader, Writer } from "../../base/index.ts"
import { decodeOrigin } from "../../clock/index.ts"
import { HASH_BYTES } from "../../log/index.ts"
import type { Head } from "../../log/index.ts"

export function encodeHeads(writer: Writer, heads: ReadonlyMap<OriginId, Head>): void {
  writer.varUint(heads.size)
  const sorted = [...heads].sort(([left], [right]) => (left < right ? -1 : 1))
  for (const [origin, head] of sorted) {
    assert(head.hash.length === HASH_BYTES, "hash length")
    writer.string(origin).varUint(head.seq).raw(head.hash)
  }
}

/** @throws DecodeError; origins must be in order and not repeated. */
export function decodeHeads(
  reader: Reader,
  countMax: number = limits.originsMax,
): Map<OriginId, Head> {
  const count = reader.count(countMax)
  const heads = new Map<OriginId, Head>()
  let previous = ""
  for (let index = 0; index < count; index++) {
    const origin = decodeOrigin(reader)
    if (origin <= previous) throw new DecodeError("bad-value", reader.offset, "origin order")
    previous = origin
    heads.set(origin, { seq: reader.varUint(), hash: reader.raw(HASH_BYTES).slice() })
  }
  return heads
}
