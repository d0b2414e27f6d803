/**
 * Tells what a received frame is and where the Yjs update in it begins, reading only its first
 * bytes: a hundred readers at 2,000 updates a second leave no time for more. Frame layouts:
 * y-websocket and Hocuspocus 4 wire protocols.
 */
import { ByteCursor } from "./byte-cursor.ts"
import type { Wire } from "./wire.ts"

export type FrameKind =
  /** The server asks what we have. */
  | "question"
  /** The answer to our join; an update follows. */
  | "state"
  /** A live update follows. */
  | "update"
  | "ack"
  | "refusal"
  | "denied"
  | "other"

const messageSync = 0
const messageAuth = 2
const messageSyncReply = 4
const messageClose = 7
const messageSyncStatus = 8
const authDenied = 1

export class FrameScanner {
  readonly #cursor = new ByteCursor()
  readonly #addressed: boolean

  constructor(wire: Wire) {
    this.#addressed = wire.addressed
  }

  /** Where the update begins in the frame last scanned as "state" or "update". */
  get updateAt(): number {
    return this.#cursor.at
  }

  /** What `frame` is; @throws RangeError when it ends too early. */
  scan(frame: Uint8Array): FrameKind {
    const cursor = this.#cursor
    cursor.aim(frame, 0)
    if (this.#addressed) cursor.skip(cursor.varUint())
    const type = cursor.varUint()
    if (type === messageSync) return this.#scanSync()
    if (!this.#addressed) return "other"
    if (type === messageSyncReply) return this.#scanSync()
    if (type === messageAuth) return cursor.varUint() === authDenied ? "denied" : "other"
    if (type === messageSyncStatus) return cursor.varUint() === 1 ? "ack" : "refusal"
    return type === messageClose ? "denied" : "other"
  }

  #scanSync(): FrameKind {
    const step = this.#cursor.varUint()
    if (step === 0) return "question"
    this.#cursor.varUint()
    if (step === 1) return "state"
    return step === 2 ? "update" : "other"
  }
}
