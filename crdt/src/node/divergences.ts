/**
 * Documents whose content is not the same everywhere though everybody has the same entries. Nothing
 * is repaired by itself: both contents stay where they are, and an operator sees which. Rule [G5].
 */
import { bytesEqual, bytesToHex, limits } from "../base/index.ts"
import type { DocumentId, Millis, NodeId } from "../base/index.ts"
import type { DigestLeaf } from "../log/index.ts"
import type { Turn } from "./turn.ts"

export type Divergence = {
  readonly document: DocumentId
  /** Who holds another content; undefined if this node's own log has two. */
  readonly peer: NodeId | undefined
  readonly sinceMs: Millis
  /** Digests of the contents, in hex. */
  readonly ours: string
  readonly theirs: string | undefined
}

/** `leaf`: what this node says of the document now. */
type Known = { readonly divergence: Divergence; leaf: DigestLeaf }

export class Divergences {
  /** By document and peer. */
  readonly #known = new Map<string, Known>()
  /** All that were ever found, those that are over or not listed for want of room included. */
  found = 0

  list(): readonly Divergence[] {
    return [...this.#known.values()].map(({ divergence }) => divergence)
  }

  /** What this node says now of the documents that `peer` holds another content of. */
  leavesFor(peer: NodeId): DigestLeaf[] {
    const known = [...this.#known.values()].filter(({ divergence }) => divergence.peer === peer)
    return known.map(({ leaf }) => leaf)
  }

  /** This is its leaf from now on; this node's own entries contradict each other, or no longer. */
  judgeOwn(turn: Turn, leaf: DigestLeaf, contradicts: boolean): void {
    for (const known of this.#known.values()) {
      if (known.divergence.document === leaf.document) known.leaf = leaf
    }
    this.#judge(turn, leaf, undefined, contradicts ? { content: undefined } : undefined)
  }

  /** Both hold the same entries of a document. Gives whether that is news to the peer too. */
  judge(turn: Turn, ours: DigestLeaf, peer: NodeId, theirs: DigestLeaf): boolean {
    const isSame = bytesEqual(ours.content, theirs.content)
    return this.#judge(turn, ours, peer, isSame ? undefined : theirs)
  }

  /** This node and `peer` hold the same of everything. Gives whether that is news. */
  end(turn: Turn, peer: NodeId): boolean {
    let wereAny = false
    for (const [key, { divergence }] of this.#known) {
      if (divergence.peer !== peer) continue
      wereAny = true
      this.#known.delete(key)
      turn.emit({ type: "divergence-over", document: divergence.document, peer })
    }
    return wereAny
  }

  /** Nobody else is asked any more: a node that was retired is there no longer to agree. */
  keepOnly(turn: Turn, nodes: ReadonlySet<NodeId>): void {
    for (const { divergence } of this.#known.values()) {
      const { peer } = divergence
      if (peer !== undefined && !nodes.has(peer)) this.end(turn, peer)
    }
  }

  #judge(
    turn: Turn,
    leaf: DigestLeaf,
    peer: NodeId | undefined,
    other: { readonly content: Uint8Array | undefined } | undefined,
  ): boolean {
    const { document, content } = leaf
    const key = `${peer ?? ""} ${document}`
    if (other === undefined) {
      if (!this.#known.delete(key)) return false
      turn.emit({ type: "divergence-over", document, peer })
      return true
    }
    if (this.#known.has(key)) return true
    this.found += 1
    turn.emit({ type: "divergence-found", document, peer })
    if (this.#known.size >= limits.divergencesMax) return true
    const ours = bytesToHex(content)
    const theirs = other.content && bytesToHex(other.content)
    const divergence = { document, peer, sinceMs: turn.nowMs, ours, theirs }
    this.#known.set(key, { divergence, leaf })
    return true
  }
}
