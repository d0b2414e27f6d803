/**
 * Every write anybody ever attempted, and how far it was promised to last: in memory (nothing is
 * promised), in the writer's own storage, or acked by a node. Writes are known by what they do
 * (operation names are unique); the token inside makes them findable by eye.
 */
import type { DocumentId } from "@causeway/crdt/base"
import { bytesToHex, partsOfDocumentId } from "@causeway/crdt/base"
import type { Engines } from "@causeway/crdt/node"
import type { HostId } from "../reachability.ts"
import { fnv1a } from "../trace.ts"
import { Coverage, opsOf } from "./coverage.ts"
import type { Ops } from "./coverage.ts"

export type Attempt = {
  readonly token: string
  readonly writer: HostId
  readonly document: DocumentId
  readonly update: Uint8Array
  readonly ops: Ops
  promise: "none" | "stored"
  /** Its writer forgot it before anything was promised. */
  forgotten: boolean
}

export class Attempts {
  readonly all: Attempt[] = []
  readonly #engines: Engines
  readonly #coverage = new Map<DocumentId, Coverage>()
  readonly #byBytes = new Map<string, Attempt>()

  constructor(engines: Engines) {
    this.#engines = engines
  }

  add(writer: HostId, document: DocumentId, token: string, update: Uint8Array): Attempt {
    const ops = opsOf(this.#engines[partsOfDocumentId(document).engine], update)
    const attempt: Attempt = {
      token,
      writer,
      document,
      update,
      ops,
      promise: "none",
      forgotten: false,
    }
    this.all.push(attempt)
    this.#byBytes.set(keyOf(document, update), attempt)
    this.coverage(document).add(ops)
    return attempt
  }

  /** Everything attempted in a document. */
  coverage(document: DocumentId): Coverage {
    let coverage = this.#coverage.get(document)
    if (coverage === undefined) {
      coverage = new Coverage()
      this.#coverage.set(document, coverage)
    }
    return coverage
  }

  /** The attempt whose update this is, byte for byte. */
  find(document: DocumentId, update: Uint8Array): Attempt | undefined {
    return this.#byBytes.get(keyOf(document, update))
  }

  /** `writer` lost its memory; what its storage holds is still promised. */
  forget(writer: HostId, storage: "kept" | "lost"): void {
    for (const attempt of this.all) {
      if (attempt.writer !== writer) continue
      if (attempt.promise === "none" || storage === "lost") attempt.forgotten = true
    }
  }
}

function keyOf(document: DocumentId, update: Uint8Array): string {
  const edge = bytesToHex(update.subarray(0, 24))
  return `${document}/${update.length}/${fnv1a(update)}/${edge}`
}
