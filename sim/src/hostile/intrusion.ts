/** A connection of an attacker: says what it was given at random moments, and hangs up. */
import type { ConnectionId, Millis } from "@causeway/crdt/base"
import type { Endpoint } from "@causeway/crdt/node"
import type { SocketOwner } from "../network.ts"
import type { SimRandom } from "../random.ts"
import type { HostId } from "../reachability.ts"
import type { World } from "../world.ts"

export type Target = { readonly from: HostId; readonly to: HostId; readonly door: Endpoint }

export class Intrusion {
  readonly #world: World
  #connection: ConnectionId | undefined
  #isOver = false

  constructor(world: World) {
    this.#world = world
  }

  get isOver(): boolean {
    return this.#isOver
  }

  open(target: Target, opened: () => void, onFrame?: (frame: Uint8Array) => void): void {
    const owner: SocketOwner = {
      onFrame: (_, frame) => {
        if (!this.#isOver) onFrame?.(frame)
      },
      onClosed: () => this.#end(),
    }
    const { from, to, door } = target
    const onOpened = (connection: ConnectionId): void => {
      if (this.#isOver) return this.#world.network.close(connection, 1000)
      this.#connection = connection
      opened()
    }
    this.#world.hostile.connect(from, to, door, onOpened, owner)
  }

  say(frame: Uint8Array): void {
    if (this.#connection !== undefined) this.#world.network.send(this.#connection, frame)
  }

  /** What no transport takes: too long, or text. */
  sayBad(why: "too-large" | "malformed"): void {
    if (this.#connection !== undefined) this.#world.network.sendBad(this.#connection, why)
  }

  /** One after the other, `meanMs` apart on average; gives when all are said. */
  sayAll(frames: readonly Uint8Array[], random: SimRandom, meanMs: Millis): Millis {
    let delayMs = 0
    for (const frame of frames) {
      delayMs += random.exponential(meanMs)
      this.#world.scheduler.after(delayMs, () => this.say(frame))
    }
    return delayMs
  }

  hangUp(): void {
    const connection = this.#connection
    this.#end()
    if (connection !== undefined) this.#world.network.close(connection, 1000)
  }

  #end(): void {
    this.#isOver = true
    this.#connection = undefined
  }
}
