/** What one `send` effect carries, framed on first use and then shared by all its sockets. */
import { pack } from "./compression.ts"
import { frameAll } from "./frames.ts"

export class Outgoing {
  readonly frames: readonly Uint8Array[]
  #framed: Buffer | undefined
  #packed: Outgoing | undefined

  constructor(frames: readonly Uint8Array[]) {
    this.frames = frames
  }

  /** Nobody changes these bytes: sockets hold on to them. */
  get framed(): Buffer {
    this.#framed ??= frameAll(this.frames)
    return this.#framed
  }

  /** The same for links that agreed on compression. */
  get packed(): Outgoing {
    this.#packed ??= new Outgoing(this.frames.map(pack))
    return this.#packed
  }
}
