/**
 * The Engine interface: everything the rest of Causeway knows about a CRDT. All functions are
 * pure and synchronous; bytes in, bytes out. No engine keeps a document between calls, so the
 * hot path (validate, log, relay) never builds one. Laws: `engines/laws.ts`, run by each engine.
 *
 * Words: an *update* is what a client sends (Yjs update V1; one or more Automerge change chunks).
 * *State* is bytes that hold a whole document (a merge of updates). A *summary* says what somebody
 * already has: a Yjs state vector, or Automerge heads (count, then 32 bytes each, sorted).
 */
import type { EngineName } from "../base/ids.ts"

export type EngineErrorCode =
  | "invalid-update"
  | "invalid-summary"
  /** A digest or JSON was asked of a document of which a predecessor is missing. */
  | "pending"

/** Bytes that are not what they claim to be. Nothing was changed. */
export class EngineError extends Error {
  override readonly name = "EngineError"
  readonly code: EngineErrorCode

  constructor(code: EngineErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json }

/** Where one writer's operations in an update start and end: `[from, to)` on its clock. */
export type Span = { readonly writer: string; readonly from: number; readonly to: number }

/**
 * A dependency inside an update. Yjs: operation `at` of `writer`, and what follows it, waits until
 * operation `clock` of `on` is known; `writer` is undefined for the update's deletions, which
 * follow no operation of their own (`at` is 0 then). Automerge: the change with hash `writer`
 * waits for the one with hash `on`, inside the update or not (`at` and `clock` are 0).
 */
export type Wait = {
  readonly writer: string | undefined
  readonly at: number
  readonly on: string
  readonly clock: number
}

/**
 * What a complete validation learns on the way.
 * - `spans`: Yjs: one per client (writer = client id in decimal, Skip structs left out, so a client
 *   can appear more than once). Automerge: one per change (writer = actor hex, from = seq − 1,
 *   to = seq).
 * - `waits`: Yjs: what spans do not say, as an item waits for its origins, its parent and what it
 *   deletes, whoever wrote those; ordered as the spans are, and only where it asks for more than an
 *   earlier one of the same writer. Automerge: each change's dependencies.
 * - `needs`: Automerge: hashes (hex) of dependencies outside this update. Yjs: none.
 * - `gives`: Automerge: hashes (hex) of the changes inside, in the order of `spans`. Yjs: none.
 */
export type UpdateFacts = {
  readonly spans: readonly Span[]
  readonly waits: readonly Wait[]
  readonly needs: readonly string[]
  readonly gives: readonly string[]
}

/**
 * What is known of one document's history, kept beside an open document so that an update whose
 * predecessors are missing is noticed without building the document. Mutable; owned by one core.
 */
export interface Frontier {
  /**
   * Records an update. "covered": all predecessors are known, so it takes effect now (and so do
   * pending ones it completes). "pending": it must wait; its `bytes` count as pending.
   */
  add(facts: UpdateFacts, bytes: number): "covered" | "pending"
  /**
   * True if the update uses an id again that stands for something else (Automerge: a second change
   * of one actor under one number; stock clients fail on it for good). Yjs: false, as spans do not
   * tell; the digest does.
   */
  contradicts(facts: UpdateFacts): boolean
  /** Bytes of updates that still wait for a predecessor. */
  readonly pendingBytes: number
  /** What is covered, as a summary for the wire (Yjs: state vector; Automerge: heads). */
  summary(): Uint8Array
}

export interface Engine {
  readonly name: EngineName

  /**
   * Decodes an update to its last byte. Cost O(bytes), no document is built.
   * Never allocates by an unchecked length. @throws EngineError `invalid-update`, nothing else.
   */
  validate(update: Uint8Array): UpdateFacts

  /** Decodes a summary completely. @throws EngineError `invalid-summary`. */
  validateSummary(summary: Uint8Array): void

  /** The update, or state, that has no effect. */
  readonly empty: Uint8Array

  /**
   * Merges updates and states into one state, in any order, with any duplicates. Keeps updates
   * whose predecessors are missing. Near-linear (merges as a tree). Collects no garbage.
   * @throws EngineError `invalid-update`.
   */
  merge(updates: readonly Uint8Array[]): Uint8Array

  /** What `state` has and the holder of `summary` lacks: an update (`empty` if nothing). */
  difference(state: Uint8Array, summary: Uint8Array): Uint8Array

  /** True if merging `update` into `state` would change nothing (deletions count as changes). */
  includes(state: Uint8Array, update: Uint8Array): boolean

  /** The summary of a state: covers only what has all its predecessors. */
  summaryOf(state: Uint8Array): Uint8Array

  /** A summary that has nothing. */
  readonly emptySummary: Uint8Array

  /**
   * 32 bytes, equal for equal content whatever the order of arrival, batching or garbage
   * collection; different for different content even where summaries are equal.
   * @throws EngineError `pending` while a predecessor is missing.
   */
  digest(state: Uint8Array): Uint8Array

  /** The same document in fewer bytes (Yjs: deleted content collected). Keeps what is pending. */
  compact(state: Uint8Array): Uint8Array

  /** The document as plain JSON, keys sorted. Parts that are pending are left out. */
  toJson(state: Uint8Array): Json

  /** A frontier that covers `state`. */
  frontier(state: Uint8Array): Frontier
}
