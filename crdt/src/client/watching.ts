/**
 * Coming back without opening everything again: a node says now and then up to which vector all
 * that is live here is had, and on the next connection, to whichever node, what is still covered
 * by the last such vector is watched all at once. What the node wakes, and what this client has
 * more of than the node, is opened as ever; the rest is live with the answer. Rules [N20] [N21],
 * ADR 12.
 */
import { documentHash, limits } from "../base/index.ts"
import type { VersionVector } from "../clock/index.ts"
import { encodeWatch } from "../protocol/index.ts"
import type { DocumentRecord } from "./document-table.ts"
import type { Outbox } from "./outbox.ts"

type Records = Iterable<DocumentRecord>

export class Watching {
  /** Not open on this connection: its node says if there is news of them. */
  readonly records = new Set<DocumentRecord>()
  readonly #outbox: Outbox
  readonly #countMin: number
  /** As a node said last: replicas that are `covered` by it have everything up to here. */
  #since: VersionVector | undefined

  constructor(outbox: Outbox, countMin: number) {
    this.#outbox = outbox
    this.#countMin = countMin
  }

  /** Watches what may be; gives the frame, if there is that much of it. */
  begin(version: number, all: Records): Uint8Array | undefined {
    const since = this.#since
    if (version < 4 || since === undefined) return undefined
    const covered = [...all]
      .filter((record) => record.covered === since && this.#isQuiet(record))
      .slice(0, limits.channelsPerConnectionMax)
    if (covered.length < this.#countMin) return undefined
    for (const record of covered) this.records.add(record)
    const hashes = covered.map(({ document }) => documentHash(document))
    return encodeWatch({ type: "watch", since, hashes })
  }

  /** Whether the replica is what nodes have, and they need to be told nothing of it. */
  #isQuiet({ document, held, resume, refused, error, presence }: DocumentRecord): boolean {
    const isSound = held && resume !== undefined && refused.size === 0 && error === undefined
    const isPresent = presence.hasOwn || presence.hasUnsent
    return isSound && !isPresent && this.#outbox.countOf(document) === 0
  }

  /** What is live, or watched and answered, has everything up to `vector`. */
  cover(vector: VersionVector, all: Records): void {
    this.#since = vector
    for (const record of all) {
      const isLive = record.channel.state === "live" || this.records.has(record)
      // Access that is not known, or is none, is not for the next node to give.
      if (isLive && !record.broken && record.access === "write") record.covered = vector
    }
  }

  /** Whether there may be news of a record, or this client has some for the node. */
  isWoken(
    { document, resume }: DocumentRecord,
    held: VersionVector | undefined,
    woken: ReadonlySet<number> | undefined,
  ): boolean {
    const hasMore = resume === undefined || held?.coversAll(resume) === false
    return hasMore || (woken?.has(documentHash(document)) ?? true)
  }
}
