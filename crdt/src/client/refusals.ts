/**
 * What a node does not take: updates that it rejects, and documents that it closes. What is refused
 * for good goes onto the shelf [C3]; what is not is sent again [N7], or repaired first [N14].
 */
import { rejectCodes } from "../protocol/index.ts"
import type { DocumentClosed, Reject } from "../protocol/index.ts"
import type { Millis } from "../base/index.ts"
import type { Channels } from "./channels.ts"
import type { Copies } from "./copies.ts"
import type { DocumentRecord } from "./document-table.ts"
import type { ClientEffect } from "./effect.ts"
import { refusalOf } from "./rejections.ts"
import type { Repairs } from "./repairs.ts"
import type { Sender } from "./sender.ts"

export class Refusals {
  readonly #sender: Sender
  readonly #channels: Channels
  readonly #repairs: Repairs
  readonly #copies: Copies

  constructor(sender: Sender, channels: Channels, repairs: Repairs, copies: Copies) {
    this.#sender = sender
    this.#channels = channels
    this.#repairs = repairs
    this.#copies = copies
  }

  /** False if the node may not say this; so is `onDocumentClosed`. */
  onReject(message: Reject, nowMs: Millis, effects: ClientEffect[]): boolean {
    const { seq, code } = message
    if (seq >= this.#sender.outbox.cursor) return false
    const update = this.#sender.outbox.get(seq)
    if (!rejectCodes[code].retry) {
      this.#sender.refuse(seq, code, message.message, effects)
      return true
    }
    this.#sender.retry(seq, code, nowMs, effects)
    const record = update && this.#channels.table.get(update.document)
    if (record === undefined) return true
    if (this.refuseClosed(record, seq, effects)) {
      this.#sender.resume()
    } else if (code === "document-not-open" && record.channel.state !== "closed") {
      this.#channels.reopen(record, nowMs, effects)
    } else if (code === "missing-predecessors") {
      this.#repairs.refused(record, seq, nowMs, effects)
    }
    return true
  }

  onDocumentClosed(message: DocumentClosed, nowMs: Millis, effects: ClientEffect[]): boolean {
    const record = this.#channels.onClosed(message, nowMs, effects)
    if (record === undefined) return this.#channels.table.wasChannel(message.channel)
    // What is under way gets its own ack or reject.
    this.refuseClosed(record, this.#sender.outbox.cursor, effects)
    const isDeleted = record.error?.code === "document-deleted"
    if (isDeleted && !this.#sender.isOwed(record.document)) this.#copies.remove(record)
    return true
  }

  /**
   * Whether an update is of an earlier generation than what is there now, and so is nobody's; one
   * of which nothing is known yet is of the update's. [R7]
   */
  refuseOver(
    record: DocumentRecord,
    generation: number,
    bytes: Uint8Array,
    effects: ClientEffect[],
  ): boolean {
    record.generation ||= generation
    if (generation === 0 || generation >= record.generation) return false
    const { document } = record
    const { seq } = this.#sender.add({ document, generation }, bytes, effects)
    this.#sender.refuse(seq, "document-deleted", "typed in what was deleted since", effects)
    // The replica of what is there never had it.
    record.refused.delete(seq)
    return true
  }

  /** Refuses a document's updates from `fromSeq` on, if a node closed the document for good. */
  refuseClosed(record: DocumentRecord, fromSeq: number, effects: ClientEffect[]): boolean {
    if (record.error === undefined || record.channel.state !== "closed") return false
    const { code: closeCode, message } = record.error
    const code = refusalOf(closeCode)
    if (code === undefined) return false
    for (const seq of this.#sender.outbox.seqsOf(record.document)) {
      if (seq >= fromSeq) this.#sender.refuse(seq, code, message, effects)
    }
    return true
  }
}
