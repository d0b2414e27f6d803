/**
 * Whether an update finds its predecessors in a Y.Doc, told from its facts without reading it.
 * Exact: an update is only called early if Yjs would keep all of it for later.
 */
import type { UpdateFacts } from "@causeway/crdt/engines"
import * as Y from "yjs"
import { engines } from "../engine-cache.ts"

/** Longer ones are not remembered by the engine, and few. */
const BYTES_MAX = 2048

/** An update none of which takes effect so far: its first operation waits. */
export type Early = {
  readonly update: Uint8Array
  readonly client: number
  readonly from: number
  /** What the first operation stands on: the client and the clock of each. */
  readonly on: readonly (readonly [client: number, clock: number])[]
}

/** Undefined if Yjs may make something of the update now. */
export function isEarly(doc: Y.Doc, update: Uint8Array): Early | undefined {
  // Deletions end with a length, which is never 0; without any there is a 0.
  if (update.length > BYTES_MAX || update.at(-1) !== 0) return undefined
  const { spans, waits } = engines.yjs.validate(update)
  const [span, ...others] = spans
  if (span === undefined || others.length > 0) return undefined
  const { writer, from } = span
  const early = { update, client: Number(writer), from, on: firstWaits(waits, writer, from) }
  return isReady(doc, early) ? undefined : early
}

function firstWaits(
  waits: UpdateFacts["waits"],
  writer: string,
  from: number,
): (readonly [number, number])[] {
  const first = waits.filter((wait) => wait.writer === writer && wait.at === from)
  return first.map(({ on, clock }) => [Number(on), clock])
}

/** Whether the first operation of the update has all that it stands on. */
export function isReady({ store }: Y.Doc, { client, from, on }: Early): boolean {
  if (Y.getState(store, client) < from) return false
  return on.every(([other, clock]) => Y.getState(store, other) > clock)
}
