/**
 * Where tokens are checked, a node says nothing to a client whose token was not found valid, and
 * takes nothing from one whose token is over by the node's own clock. Reckoned from what the node
 * is told and what it sends; what its core keeps is not asked. Rules [N22] [N23].
 */
import type { ConnectionId, Millis } from "@causeway/crdt/base"
import type { Effect, Input } from "@causeway/crdt/node"
import type { SimNode } from "../sim-node.ts"
import { demand } from "../violation.ts"
import type { Watcher } from "../watcher.ts"
import type { World } from "../world.ts"
import type { Invariant } from "./invariant.ts"

type Guest = {
  readonly node: SimNode
  readonly isNative: boolean
  user: string | undefined
  /** By the node's clock. */
  untilMs: Millis
}

export class TokenFirst implements Watcher {
  readonly #world: World
  readonly #guests = new Map<ConnectionId, Guest>()
  /** Its token was over before its frame came: it is to be closed in this step. */
  #late: ConnectionId | undefined
  readonly counts = { admitted: 0, renewed: 0, refused: 0, late: 0, over: 0 }

  constructor(world: World) {
    this.#world = world
  }

  onNodeEnded(node: SimNode): void {
    for (const [id, guest] of this.#guests) if (guest.node === node) this.#guests.delete(id)
  }

  onNodeInput(node: SimNode, input: Input): void {
    if (!this.#world.checksTokens) return
    if (input.type === "opened") {
      const { type } = input.endpoint
      if (type !== "native" && type !== "y-websocket") return
      const guest = { node, isNative: type === "native", user: undefined, untilMs: -Infinity }
      this.#guests.set(input.connection, guest)
      if (type === "y-websocket" && input.endpoint.check !== undefined) {
        this.#onCheck(node, input.connection, input.endpoint.check)
      }
    } else if (input.type === "closed") this.#guests.delete(input.connection)
    else if (input.type === "token-checked") this.#onCheck(node, input.connection, input.check)
    else if (input.type === "frame") this.#onFrame(node, input.connection)
  }

  #onCheck(
    { clock }: SimNode,
    connection: ConnectionId,
    check: Extract<Input, { readonly type: "token-checked" }>["check"],
  ): void {
    const guest = this.#guests.get(connection)
    if (guest === undefined) return
    if (check.type !== "valid") {
      this.counts.refused += 1
      return
    }
    if (guest.user === undefined) this.counts.admitted += 1
    else if (guest.user === check.user) this.counts.renewed += 1
    guest.user ??= check.user
    if (guest.user === check.user) guest.untilMs = clock.nowMs + check.forMs
  }

  #onFrame({ clock }: SimNode, connection: ConnectionId): void {
    const guest = this.#guests.get(connection)
    if (guest?.user === undefined || clock.nowMs < guest.untilMs) return
    this.counts.late += 1
    this.#late = connection
  }

  onNodeEffect({ node }: SimNode, effect: Effect): void {
    if (effect.type === "close") {
      if (effect.reason === "token-expired") this.counts.over += 1
      if (effect.connection === this.#late) this.#late = undefined
      this.#guests.delete(effect.connection)
    }
    if (effect.type !== "send") return
    for (const connection of effect.to) {
      const guest = this.#guests.get(connection)
      demand(guest === undefined || guest.user !== undefined, INVARIANT, () => {
        return `${node} speaks to a client whose token was not found valid`
      })
      demand(connection !== this.#late, INVARIANT, () => {
        return `${node} answers a client whose token is over`
      })
    }
  }

  onNodeStepped({ node, core }: SimNode): void {
    const isLate = this.#late !== undefined
    this.#late = undefined
    // One that is ending reads nothing, and closes all.
    demand(!isLate || core?.status().ready !== true, INVARIANT, () => {
      return `${node} takes what comes from a client whose token is over`
    })
  }
}

const INVARIANT = "token-first"

export const tokenFirst: Invariant = {
  name: INVARIANT,
  explain: "where tokens are checked, who has no valid one is told nothing and not heard",
  watch: (world) => new TokenFirst(world),
}
