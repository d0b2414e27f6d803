/**
 * Every write anybody ever attempted, and how far it was promised to last: in memory (nothing is
 * promised), in the writer's own storage, or acked by a node. Writes are known by what they do
 * (operation names are unique); the token inside makes them findable by eye.
 */
import type { DocumentId } from "@causeway/crdt/base"
import { bytesEqual, partsOfDocumentId } from "@causeway/crdt/base"
import type { Engines } from "@causeway/crdt/node"
import { checksum } from "../checksum.ts"
import type { HostId } from "../reachability.ts"
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
  /** By a hash of the update's bytes; nearly always one. */
  readonly #byHash = new Map<number, Attempt[]>()

  constructor(engines: Engines) {
    this.#engines = engines
  }

  add(writer: HostId, document: DocumentId, token: string, update: Uint8Array): Attempt {
    const ops = this.#read(document, update)
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
    const hash = checksum(update)
    const same = this.#byHash.get(hash)
    if (same === undefined) this.#byHash.set(hash, [attempt])
    else same.push(attempt)
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
    return this.#byHash
      .get(checksum(update))
      ?.find((attempt) => attempt.document === document && bytesEqual(attempt.update, update))
  }

  /** What an update does; one that was attempted as it is was read before. */
  opsOf(document: DocumentId, update: Uint8Array): Ops {
    return this.find(document, update)?.ops ?? this.#read(document, update)
  }

  #read(document: DocumentId, update: Uint8Array): Ops {
    return opsOf(this.#engines[partsOfDocumentId(document).engine], update)
  }

  /** A writer's storage lost this update. */
  forgetOne(document: DocumentId, update: Uint8Array): void {
    const attempt = this.find(document, update)
    if (attempt !== undefined) attempt.forgotten = true
  }

  /** `writer` lost its memory; what its storage holds is still promised. */
  forget(writer: HostId, storage: "kept" | "lost"): void {
    for (const attempt of this.all) {
      if (attempt.writer !== writer) continue
      if (attempt.promise === "none" || storage === "lost") attempt.forgotten = true
    }
  }
}
