/**
 * What record storage needs of a database: ordered keys of bytes, and batches that are there as a
 * whole or not at all. Each method is called when the one before has settled.
 */
import type { StorageFailureCode } from "@causeway/crdt/ports"

/** A key that is given a value, or without one loses it. */
export type Operation = readonly [key: Uint8Array, value: Uint8Array | undefined]

export interface RecordDatabase {
  /** Also after `close`, and after a batch that failed. @throws DatabaseError */
  open(): Promise<void>
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  /** In the order of keys, `from` included. */
  range(from: Uint8Array, to: Uint8Array): AsyncIterable<readonly [Uint8Array, Uint8Array]>
  /** Durable, as far as the host promises it, when it is done. @throws DatabaseError */
  batch(operations: readonly Operation[]): Promise<void>
  close(): Promise<void>
  /** Whoever has it open does nothing with it any more: the next `open` takes it from them. */
  takeOver?(): void
  /** In the middle of an `open` or what follows it: that fails, and nothing stays open. */
  forgo?(): void
}

export class DatabaseError extends Error {
  override readonly name = "DatabaseError"
  readonly code: StorageFailureCode

  constructor(code: StorageFailureCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
