/** What a store holds of each origin, and the check that a batch goes on from there. */
import type { OriginId } from "@causeway/crdt/base"
import type { Head, LogRun } from "@causeway/crdt/log"

/** A run does not follow what is held, because the append that led up to it failed. */
class GapError extends Error {
  override readonly name = "GapError"
}

/** @throws GapError */
export function checkFollows(held: { readonly head: Head }, run: LogRun & { origin: OriginId }) {
  if (run.firstSeq === held.head.seq + 1) return
  throw new GapError(`${run.origin} is held to ${held.head.seq}, not to ${run.firstSeq - 1}`)
}
