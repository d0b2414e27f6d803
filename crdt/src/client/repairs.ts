/**
 * Updates that a node refuses because it lacks what they build on [N14]. A replica that has the
 * predecessors sends them in the update's place; the refused update waits for that, so that the
 * answer to `node-summary` is in time. Each attempt starts a new session, as the node keeps what
 * waits against the old one. What is refused after so many attempts goes onto the shelf [C3]:
 * nothing behind it may wait for ever [N7], and it is tried again when the app opens the document.
 */
import { limits } from "../base/index.ts"
import type { Millis } from "../base/index.ts"
import type { Updates } from "../protocol/index.ts"
import type { Channels } from "./channels.ts"
import { clientLimits } from "./client-limits.ts"
import type { DocumentRecord } from "./document-table.ts"
import type { ClientEffect } from "./effect.ts"
import type { Sender } from "./sender.ts"

const code = "missing-predecessors"
const nobodyHasThem = "neither the node nor this client has what it builds on"

export class Repairs {
  readonly #sender: Sender
  readonly #channels: Channels

  constructor(sender: Sender, channels: Channels) {
    this.#sender = sender
    this.#channels = channels
  }

  /** The node refused `seq`, which the sender has gone back to. */
  refused(record: DocumentRecord, seq: number, nowMs: Millis, effects: ClientEffect[]): void {
    const attempts = record.repair?.seq === seq ? record.repair.attempts + 1 : 1
    if (attempts > clientLimits.repairsMax) {
      this.#sender.refuse(seq, code, nobodyHasThem, effects)
      return this.#sender.resume()
    }
    record.repair = { seq, attempts }
    this.#channels.reopen(record, nowMs, effects)
  }

  /** A driver answers `node-summary`, if it does, before the next deadline. */
  onUpdates({ handle, complete }: Updates, nowMs: Millis): void {
    if (!complete || this.#channels.table.byHandle(handle)?.repair === undefined) return
    this.#sender.pauseUntil(nowMs + clientLimits.resendBackoffMsMin)
  }

  /** False if no refused update of the document waits for what its replica has. */
  answered(record: DocumentRecord, bytes: Uint8Array, effects: ClientEffect[]): boolean {
    const seq = record.repair?.seq
    if (seq === undefined || seq < this.#sender.outbox.cursor) return false
    if (bytes.length > limits.updateBytesMax) {
      // Sent again as it is, it would be refused for ever, and hold up all other documents.
      const message = `what the node lacks is over ${limits.updateBytesMax} bytes`
      this.#sender.refuse(seq, code, message, effects)
    } else this.#sender.outbox.replace(seq, bytes)
    this.#sender.resume()
    return true
  }
}
