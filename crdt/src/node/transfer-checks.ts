/**
 * What a peer may say in a state transfer. What it brings is written, and claimed to be held, so
 * all of it is looked at before: nothing that no log could have, nothing of this node's own log
 * that it has not written, nothing of a log that the two hold otherwise, and no more origins than
 * a vector may name. Rules [K8] [L11].
 */
import { DecodeError, limits } from "../base/index.ts"
import type { OriginId } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import { decodeRecord, isBehind } from "../log/index.ts"
import type { Head, LogEntry } from "../log/index.ts"
import type { TransferPage, TransferPlace } from "../protocol/index.ts"
import type { Core } from "./core.ts"
import type { Link } from "./link.ts"

/** Whether a page may end like this that starts at `place`. */
export function isSoundPage(page: TransferPage, place: TransferPlace): boolean {
  const areHeads = [...page.heads.values()].every(({ seq }) => seq <= limits.seqMax)
  const areRecords = page.records.every(({ seq, record }) => {
    return seq >= 1 && seq <= limits.seqMax && isOfNoDocument(record)
  })
  return areHeads && areRecords && isInOrder(page, place)
}

/** Entries of no document come in order. */
function isInOrder({ records, next }: TransferPage, place: TransferPlace): boolean {
  const isLater = next?.phase === "records" && next.after !== undefined
  if (place.phase !== "records") return records.length === 0 && !isLater
  let last = place.after
  for (const entry of records) {
    if (!isBehind(entry, last)) return false
    last = entry
  }
  if (next === undefined) return true
  if (!isLater || records.length === 0) return false
  return next.after.origin === last?.origin && next.after.seq === last.seq
}

function isOfNoDocument(record: Uint8Array): boolean {
  try {
    return decodeRecord(record).kind !== "update"
  } catch (error) {
    if (error instanceof DecodeError) return false
    throw error
  }
}

/** What has come of no document, until all is here. */
export class WaitingRecords {
  #entries: LogEntry[] = []
  #weight = 0

  all(): readonly LogEntry[] {
    return this.#entries
  }

  /** False if they are more than a log may have. */
  add(records: readonly LogEntry[]): boolean {
    for (const { record } of records) this.#weight += record.length + 256
    this.#entries.push(...records)
    return this.#weight <= limits.transferRecordsWeightMax
  }

  clear(): void {
    this.#entries = []
    this.#weight = 0
  }
}

type Holder = Pick<Core, "config" | "holdings">

/** Of a document's vector what counts here. */
export function claimsOf(
  { config, holdings }: Holder,
  { forked }: Pick<Link, "forked">,
  vector: VersionVector,
): VersionVector {
  const claims = new VersionVector()
  for (const [origin, seq] of vector.entries()) {
    if (forked.has(origin)) continue
    const isOwn = origin === config.origin
    claims.raise(origin, isOwn ? Math.min(seq, holdings.head(origin).seq) : seq)
  }
  return claims
}

/** Heads that may be raised: those of origins that are new only while a vector has room. */
export function withRoom(
  { holdings }: Holder,
  heads: readonly (readonly [OriginId, Head])[],
): (readonly [OriginId, Head])[] {
  const held = holdings.heads()
  let room = limits.originsMax - 1 - held.size
  return heads.filter(([origin]) => held.has(origin) || room-- > 0)
}

/** Origins that documents named and of which nothing is held: a store keeps their names too. */
export class NamedOrigins {
  readonly #named = new Set<OriginId>()

  /** False if these would be too many. */
  admit({ holdings }: Holder, vector: VersionVector): boolean {
    const held = holdings.heads()
    for (const origin of this.#named) if (held.has(origin)) this.#named.delete(origin)
    for (const [origin, seq] of vector.entries()) {
      if (seq > limits.seqMax) return false
      if (held.has(origin)) continue
      if (held.size + this.#named.size >= limits.originsMax - 1) return this.#named.has(origin)
      this.#named.add(origin)
    }
    return true
  }
}
