/**
 * What is gone for good, and by whose fault. Disks that are wiped, put back or damaged take
 * operations with them. As long as another disk, a living replica or a client's outbox holds such
 * an operation it must come back (rule [N4]: a client sends a node what the node lacks); only what
 * nobody held at one moment is nobody's duty any more. Weaker in one point, as the SDK is: replicas
 * do not bring deletions back, because they do not notice that a node lacks nothing else.
 */
import type { DocumentId } from "@causeway/crdt/base"
import { Coverage } from "./coverage.ts"
import type { Ops } from "./coverage.ts"

/** Who but nodes may hold operations, and bring them back. */
export type Holders = {
  /** Whole documents of living replicas. */
  readonly replicas: () => Iterable<{ readonly document: DocumentId; readonly ops: Ops }>
  /** Updates that clients have in storage and will send. */
  readonly outboxes: () => Iterable<{ readonly document: DocumentId; readonly ops: Ops }>
}

/** What all disks together hold of a document. */
export type OnDisks = (document: DocumentId) => Coverage

export class Losses {
  /** On no disk any more, but held by somebody when that was last looked at. */
  #orphans = new Map<DocumentId, Coverage>()
  readonly #lost = new Map<DocumentId, Coverage>()
  #holders: Holders = { replicas: () => [], outboxes: () => [] }

  setHolders(holders: Holders): void {
    this.#holders = holders
  }

  /** Operations of a document that nobody is bound to have; undefined if there are none. */
  lost(document: DocumentId): Coverage | undefined {
    return this.#lost.get(document)
  }

  /** These were taken off a disk, which may not have been the only one. */
  take(document: DocumentId, ops: Ops): void {
    const orphans = this.#orphans.get(document) ?? new Coverage()
    this.#orphans.set(document, orphans)
    orphans.add(ops)
  }

  /** Looks who holds what is on no disk: whenever somebody may have lost something. */
  settle(onDisks: OnDisks): void {
    if (this.#orphans.size === 0) return
    const orphans = this.#orphans
    this.#orphans = new Map()
    const replicas = unionOf(this.#holders.replicas(), orphans)
    const outboxes = unionOf(this.#holders.outboxes(), orphans)
    for (const [document, coverage] of orphans) {
      const homeless = onDisks(document).lacking(coverage.ops())
      const held = outboxes.get(document) ?? new Coverage()
      const shown = replicas.get(document)?.ops().added ?? []
      held.add({ added: shown, deleted: [] })
      this.#lose(document, held.lacking(homeless))
      const left = new Coverage()
      left.add(this.lost(document)?.lacking(homeless) ?? homeless)
      if (!left.isEmpty) this.#orphans.set(document, left)
    }
  }

  #lose(document: DocumentId, ops: Ops): void {
    if (ops.added.length === 0 && ops.deleted.length === 0) return
    const lost = this.#lost.get(document) ?? new Coverage()
    this.#lost.set(document, lost)
    lost.add(ops)
  }
}

function unionOf(
  holdings: Iterable<{ readonly document: DocumentId; readonly ops: Ops }>,
  wanted: ReadonlyMap<DocumentId, unknown>,
): Map<DocumentId, Coverage> {
  const union = new Map<DocumentId, Coverage>()
  for (const { document, ops } of holdings) {
    if (!wanted.has(document)) continue
    const coverage = union.get(document) ?? new Coverage()
    union.set(document, coverage)
    coverage.add(ops)
  }
  return union
}
