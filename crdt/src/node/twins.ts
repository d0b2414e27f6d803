/**
 * Other processes that run under this node's id, on a copy of its folder: an operator's mistake
 * that must cost nobody a write. Seen at a link that proves to know the secret and to be this node,
 * with a greeting that this process did not send; or, by a third node, as an origin that greets
 * again, on a link opened since, after another one of its node did. Two that write under one origin
 * are told apart by a fresh epoch for one of them; from then on they are two nodes that share a
 * name. Rule [X8].
 */
import { bytesCompare, bytesToHex, limits, nodeOfOrigin } from "../base/index.ts"
import type { ConnectionId, Millis, NodeId, OriginId } from "../base/index.ts"
import type { Core } from "./core.ts"
import type { Link } from "./link.ts"
import type { Hellos } from "./link-proof.ts"
import type { Turn } from "./turn.ts"

/** Origins of one node that greeted while another of it did. */
export type TwinStatus = {
  readonly node: NodeId
  readonly origins: readonly OriginId[]
  readonly sinceMs: Millis
}

/** Own greetings that are remembered; each link has one, and it comes back at once or never. */
const noncesMax = 2 * limits.linksMax
/** Nodes that are remembered to have greeted. */
const nodesMax = limits.originsMax

type Greeted = {
  readonly origins: Set<OriginId>
  last: OriginId
  /** Links that were open when `last` greeted: those of other origins are of lives that ended. */
  before: WeakSet<Link>
  sinceMs: Millis | undefined
}

export class Twins {
  readonly #core: Core
  readonly #links: ReadonlyMap<ConnectionId, Link>
  readonly #nonces = new Set<string>()
  readonly #greeted = new Map<NodeId, Greeted>()

  constructor(core: Core, links: ReadonlyMap<ConnectionId, Link>) {
    this.#core = core
    this.#links = links
  }

  /** This process greets somebody with `nonce`. */
  noteOwn(nonce: Uint8Array): void {
    this.#nonces.add(bytesToHex(nonce))
    const [oldest] = this.#nonces
    if (this.#nonces.size > noncesMax && oldest !== undefined) this.#nonces.delete(oldest)
  }

  isOwn(nonce: Uint8Array): boolean {
    return this.#nonces.has(bytesToHex(nonce))
  }

  /**
   * A peer proved who it is. An origin that is back after another one is not its node's only. False
   * if it greeted before the present one did, and was under way: its life is over. Rule [L2].
   */
  onGreeted(turn: Turn, link: Link, origin: OriginId): boolean {
    const node = nodeOfOrigin(origin)
    const greeted = this.#greeted.get(node)
    if (greeted === undefined) {
      if (this.#greeted.size < nodesMax) this.#greeted.set(node, this.#greetedBy(origin))
      return true
    }
    if (greeted.last === origin) return true
    if (greeted.before.has(link)) return false
    const isBack = greeted.origins.has(origin)
    greeted.last = origin
    greeted.before = new WeakSet(this.#links.values())
    if (greeted.origins.size < nodesMax) greeted.origins.add(origin)
    if (isBack) this.#report(turn, node, greeted)
    return true
  }

  #greetedBy(origin: OriginId): Greeted {
    const before = new WeakSet(this.#links.values())
    return { origins: new Set([origin]), last: origin, before, sinceMs: undefined }
  }

  /**
   * Somebody else is this node. Gives whether the two may be linked: not while they write under one
   * origin, which the one with the smaller greeting gives up.
   */
  onTwin(turn: Turn, origin: OriginId, hellos: Hellos, isDialler: boolean): boolean {
    const { config, reopen } = this.#core
    const greeted = this.#greeted.get(config.node) ?? this.#greetedBy(config.origin)
    this.#greeted.set(config.node, greeted)
    if (greeted.origins.size < nodesMax) greeted.origins.add(origin)
    this.#report(turn, config.node, greeted)
    if (origin !== config.origin) return true
    const isDiallers = bytesCompare(hellos.dialler, hellos.acceptor) < 0
    if (isDiallers === isDialler) {
      reopen(turn, { why: "overtaken", keepSeq: Number.MAX_SAFE_INTEGER })
    }
    return false
  }

  #report(turn: Turn, node: NodeId, greeted: Greeted): void {
    if (greeted.sinceMs !== undefined) return
    greeted.sinceMs = turn.nowMs
    turn.emit({ type: "twin-detected", node, origins: [...greeted.origins] })
  }

  status(): TwinStatus[] {
    return [...this.#greeted].flatMap(([node, { origins, sinceMs }]) => {
      return sinceMs === undefined ? [] : [{ node, origins: [...origins], sinceMs }]
    })
  }
}
