/**
 * Replaying any delivered frame changes no state: frames of live connections that nodes took in,
 * the last of each kind, are given to them once more when all is at rest. Nothing may be logged,
 * nobody disconnected, and what everybody holds stays as it is. While faults go on, repeats come
 * from the network instead. Not replayed is what may not be said twice (hello, proof, open, watch)
 * or means something else later (a token; an update that was refused, and may be withdrawn since),
 * and of stock clients what is logged without being looked at: live updates, which nothing but a
 * reconnect repeats, and a step 2 while another is looked at, so neither a step 1, which asks for
 * one.
 */
import type { ConnectionId } from "@causeway/crdt/base"
import type { Effect, Endpoint, Input } from "@causeway/crdt/node"
import { linkTags, nativeTags } from "@causeway/crdt/protocol"
import type { SimRandom } from "../random.ts"
import type { SimNode } from "../sim-node.ts"
import { demand } from "../violation.ts"
import type { Watcher } from "../watcher.ts"
import type { World } from "../world.ts"
import type { Invariant } from "./invariant.ts"

/** Frames kept per connection and kind. */
const KEPT = 3
/** Added to the tags of stock frames: `STOCK` alone is a step 2. */
const STOCK = 256
/** Replayed at the end of a run, at most. */
const REPLAYS_MAX = 60
/** What follows from a replay has happened by then. */
const SETTLE_MS = 3000
/** What a client says as it closes a connection. */
const LEFT = 1000

type Kept = {
  readonly node: SimNode
  readonly endpoint: Endpoint["type"]
  /** By tag. */
  readonly frames: Map<number, Uint8Array[]>
}

class Idempotence implements Watcher {
  readonly #world: World
  readonly #random: SimRandom
  readonly #connections = new Map<ConnectionId, Kept>()
  /** Those whose client went elsewhere, as it may at any time [C7]. */
  readonly #left = new Set<ConnectionId>()

  constructor(world: World, random: SimRandom) {
    this.#world = world
    this.#random = random
  }

  onNodeEnded(node: SimNode): void {
    for (const [id, kept] of this.#connections) if (kept.node === node) this.#connections.delete(id)
  }

  onNodeInput(node: SimNode, input: Input): void {
    if (input.type === "opened") {
      const { connection, endpoint } = input
      this.#connections.set(connection, { node, endpoint: endpoint.type, frames: new Map() })
    } else if (input.type === "closed") {
      this.#connections.delete(input.connection)
      if (input.code === LEFT) this.#left.add(input.connection)
    } else if (input.type === "frame") this.#keep(input)
  }

  onNodeEffect(_node: SimNode, effect: Effect): void {
    if (effect.type !== "send") return
    for (const connection of effect.to) {
      const kept = this.#connections.get(connection)
      if (kept?.endpoint !== "native") continue
      const isRefusal = effect.frames.some(([tag]) => tag === nativeTags.reject)
      if (isRefusal) kept.frames.delete(nativeTags.update)
    }
  }

  #keep({ connection, frame }: Extract<Input, { type: "frame" }>): void {
    const kept = this.#connections.get(connection)
    if (kept === undefined) return
    const kind = kindOf(kept.endpoint, frame)
    if (kind === undefined) return
    const frames = kept.frames.get(kind)
    if (frames === undefined) kept.frames.set(kind, [frame])
    else if (frames.push(frame) > (kind === STOCK ? 1 : KEPT)) frames.shift()
  }

  onRest(): void {
    const { scheduler } = this.#world
    const all = [...this.#connections].flatMap(([connection, { node, frames }]) =>
      [...frames.values()].flat().map((frame) => ({ connection, node, frame })),
    )
    const before = this.#state()
    const open = new Set(this.#connections.keys())
    for (const { connection, node, frame } of this.#random.shuffled(all).slice(0, REPLAYS_MAX)) {
      if (!this.#connections.has(connection)) continue
      node.input({ type: "frame", connection, frame })
      demand(this.#connections.has(connection), INVARIANT, () => {
        return `${node.node} closed a connection over a repeated frame (${frame[0]})`
      })
    }
    scheduler.runUntil(scheduler.nowMs + SETTLE_MS)
    for (const connection of open) {
      const isFine = this.#connections.has(connection) || this.#left.has(connection)
      demand(isFine, INVARIANT, () => "a connection ended after frames were repeated")
    }
    const after = this.#state()
    for (const [what, value] of before) {
      demand(after.get(what) === value, INVARIANT, () => {
        return `frames were repeated, and ${what} went from ${value} to ${after.get(what)}`
      })
    }
  }

  /** What may not change, in words. */
  #state(): Map<string, string> {
    const state = new Map<string, string>()
    for (const { node, disk, core } of this.#world.nodes) {
      for (const [origin, head] of disk.durable.heads()) {
        state.set(`the head of ${origin} on ${node}`, String(head.seq))
      }
      state.set(`the store of ${node}`, core?.status().store ?? "")
    }
    for (const { name, replicas } of this.#world.writers) {
      for (const replica of replicas) {
        state.set(`${replica.document} of ${name}`, replica.summary().join())
      }
    }
    return state
  }
}

/** Kinds of frames that may be repeated; undefined: it must not be. */
function kindOf(endpoint: Endpoint["type"], frame: Uint8Array): number | undefined {
  const [tag = 0, second = 0] = frame
  if (endpoint === "y-websocket") {
    const isStep2 = tag === 0 && second === 1
    return tag === 0 && !isStep2 ? undefined : STOCK + tag
  }
  if (endpoint !== "native") {
    return tag === linkTags.hello || tag === linkTags.proof ? undefined : tag
  }
  const { hello, open, closeDocument, watch, token } = nativeTags
  return [hello, open, closeDocument, watch, token].some((once) => once === tag) ? undefined : tag
}

const INVARIANT = "idempotence"

export const idempotence: Invariant = {
  name: INVARIANT,
  explain: "a frame that arrives once more changes nothing",
  watch: (world, random) => new Idempotence(world, random),
}
