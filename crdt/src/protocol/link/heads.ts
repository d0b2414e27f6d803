/** A version vector with the chain's hash at each head, so that a fork shows at once. */
import { assert, limits } from "../../base/index.ts"
import type { OriginId, Reader, Writer } from "../../base/index.ts"
import { decodeByOrigin } from "../../clock/index.ts"
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
  return decodeByOrigin(reader, countMax, () => {
    return { seq: reader.varUint(), hash: reader.raw(HASH_BYTES).slice() }
  })
}
