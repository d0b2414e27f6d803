/** Appends: one batch of the port, one batch of LevelDB, one fsync. */
import { assert } from "@causeway/crdt/base"
import type { OriginId } from "@causeway/crdt/base"
import type { AppendBatch } from "@causeway/crdt/ports"
import { RefusedError } from "../errors.ts"
import { checkFollows } from "../gap.ts"
import { touchedOrigins } from "../planned-heads.ts"
import type { Appended } from "../thread/messages.ts"
import type { BatchRing } from "./batches.ts"
import { BatchWriter } from "./batch-writer.ts"
import type { LogParts } from "./batch-writer.ts"
import type { Folds } from "./folds.ts"
import { newOrigin } from "./heads.ts"
import { collectSide } from "./side.ts"

export class Appender {
  readonly #own: OriginId
  readonly #parts: LogParts
  readonly #folds: Folds
  readonly #ring: BatchRing

  constructor(own: OriginId, parts: LogParts, folds: Folds, ring: BatchRing) {
    this.#own = own
    this.#parts = parts
    this.#folds = folds
    this.#ring = ring
  }

  /** Durable when it is done; when it throws, nothing of the batch is there. O(batch). */
  async append(batch: AppendBatch): Promise<Appended> {
    const { database, origins } = this.#parts
    // Before anything is read: what a failed batch left behind is taken back.
    await database.mend()
    const refusal = await this.#folds.refusal(batch)
    if (refusal !== undefined) throw new RefusedError(refusal)
    const before = origins.get(this.#own)
    assert(before !== undefined, "the own origin has a head")
    const writer = new BatchWriter(this.#parts)
    await this.#collect(writer, batch)
    writer.put(...this.#ring.next)
    try {
      await writer.write()
    } catch (error) {
      this.#folds.forgetReads()
      throw error
    }
    this.#ring.advance()
    const touched = touchedOrigins(this.#own, batch)
    const heads = touched.map((origin) => (origins.get(origin) ?? newOrigin(origin)).head)
    return { firstSeq: before.head.seq + 1, heads }
  }

  async #collect(writer: BatchWriter, batch: AppendBatch): Promise<void> {
    for (const [origin, head] of batch.raise ?? []) await this.#folds.raise(writer, origin, head)
    let own = writer.held(this.#own) ?? newOrigin(this.#own)
    for (const record of batch.own) own = writer.append(own, record)
    for (const run of batch.adopted) {
      let held = writer.held(run.origin) ?? newOrigin(run.origin)
      checkFollows(held, run)
      for (const record of run.records) held = writer.append(held, record)
    }
    for (const snapshot of batch.snapshots ?? []) await this.#folds.putSnapshot(writer, snapshot)
    for (const [origin, seq] of batch.floors ?? []) await this.#folds.truncate(writer, origin, seq)
    collectSide(writer, this.#parts, batch)
  }
}
