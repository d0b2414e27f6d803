/**
 * Up to which seq a peer's log of an origin is known to be this node's log of it. A seq alone says
 * nothing: a disk that was put back gives out the same numbers again, and a peer may hold what
 * stood there before. So the chain's hash at the peer's head is compared with ours at that seq,
 * which may have to be read. Knowledge of a peer dies with its link. Rules [T3] [T4].
 */
import { bytesEqual } from "../base/index.ts"
import type { OriginId } from "../base/index.ts"
import { genesisHash } from "../log/index.ts"
import type { Head } from "../log/index.ts"
import type { Core } from "./core.ts"
import type { Link } from "./link.ts"
import type { Turn } from "./turn.ts"

/** Hashes that are remembered. Past it: the oldest is read again when it is asked for. */
const hashesMax = 4096
/** Reads of hashes at a time. Past it: asked again with the next vector. */
const readsMax = 16

/** `unknown`: it is being read, or this node does not hold that much. */
type Hash = Uint8Array | "unknown" | "truncated"

export class Agreements {
  readonly #core: Core
  /** Called when a hash that was unknown may be known. */
  readonly #onRead: (turn: Turn) => void
  readonly #agreed = new WeakMap<Link, Map<OriginId, number>>()
  readonly #hashes = new Map<string, Hash>()
  readonly #reading = new Set<string>()

  constructor(core: Core, onRead: (turn: Turn) => void) {
    this.#core = core
    this.#onRead = onRead
  }

  /** This node's log of its own origin reached `head`: where peers' heads will be. */
  noteOwn(head: Head): void {
    this.#remember(keyOf(this.#core.config.origin, head.seq), head.hash)
  }

  /**
   * Whether this node holds `origin` up to `head`, and nothing else in its place. `folded`: it
   * holds that much, and has no hash to compare; floors pass what everybody has, or has as a state.
   */
  isHeld(turn: Turn, origin: OriginId, head: Head): "yes" | "no" | "unknown" | "folded" {
    if (this.#core.holdings.head(origin).seq < head.seq) return "no"
    const hash = this.#hashAt(turn, origin, head.seq)
    if (hash === "unknown") return "unknown"
    if (hash === "truncated") return "folded"
    return bytesEqual(hash, head.hash) ? "yes" : "no"
  }

  /** Whether the peer holds this node's log of `origin` up to `seq`, which this node does hold. */
  isCovered(turn: Turn, link: Link, origin: OriginId, seq: number): boolean {
    const agreed = this.#agreed.get(link)?.get(origin) ?? 0
    if (agreed >= seq) return true
    const theirs = link.heads.get(origin)
    // Of a log that is longer than ours nothing can be said yet.
    if (theirs === undefined || theirs.seq < seq) return false
    if (theirs.seq > this.#core.holdings.head(origin).seq) return false
    const hash = this.#hashAt(turn, origin, theirs.seq)
    if (hash === "unknown") return false
    if (hash !== "truncated" && !bytesEqual(hash, theirs.hash)) return false
    const known = this.#agreed.get(link) ?? new Map<OriginId, number>()
    this.#agreed.set(link, known.set(origin, theirs.seq))
    return true
  }

  #hashAt(turn: Turn, origin: OriginId, seq: number): Hash {
    const { holdings, reads } = this.#core
    const ours = holdings.head(origin)
    if (seq === ours.seq) return ours.hash
    if (seq > ours.seq) return "unknown"
    if (seq === 0) return genesisHash
    const key = keyOf(origin, seq)
    const known = this.#hashes.get(key)
    if (known !== undefined) return known
    if (this.#reading.has(key) || this.#reading.size >= readsMax) return "unknown"
    this.#reading.add(key)
    const query = { type: "origin", origin, fromSeq: seq + 1, bytesMax: 0 } as const
    reads.start(turn, query, (later, result) => {
      this.#reading.delete(key)
      if (result.type === "failed") return
      this.#remember(key, result.type === "origin" ? result.previousHash : "truncated")
      this.#onRead(later)
    })
    return "unknown"
  }

  #remember(key: string, hash: Hash): void {
    this.#hashes.delete(key)
    this.#hashes.set(key, hash)
    if (this.#hashes.size <= hashesMax) return
    for (const oldest of this.#hashes.keys()) {
      this.#hashes.delete(oldest)
      return
    }
  }
}

function keyOf(origin: OriginId, seq: number): string {
  return `${origin} ${seq}`
}
