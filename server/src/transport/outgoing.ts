/** What one `send` effect carries, framed on first use and then shared by all its sockets. */
import { frameAll } from "./frames.ts"

export class Outgoing {
  readonly frames: readonly Uint8Array[]
  #framed: Buffer | undefined

  constructor(frames: readonly Uint8Array[]) {
    this.frames = frames
  }

  /** Nobody changes these bytes: sockets hold on to them. */
  get framed(): Buffer {
    this.#framed ??= frameAll(this.frames)
    return this.#framed
  }
}
