/**
 * The rarer part of what the store's two threads say to each other: snapshots, floors and raised
 * heads of a batch, which follow its entries in the same buffer, and vectors as plain lists.
 */
import { assert, parseDocumentId, Reader, Writer } from "@causeway/crdt/base"
import type { OriginId } from "@causeway/crdt/base"
import { decodeOrigin, VersionVector } from "@causeway/crdt/clock"
import { HASH_BYTES } from "@causeway/crdt/log"
import type { DocumentSnapshot, Head, Snapshot } from "@causeway/crdt/log"
import type { AppendBatch } from "@causeway/crdt/ports"
import { isEmptySide, readSide, sideOf, writeSide } from "./side-messages.ts"
import type { Side } from "./side-messages.ts"

/** A version vector on its way between threads. */
export type Seqs = readonly (readonly [OriginId, number])[]

/** What a batch has besides entries. */
export type Rare = Required<Pick<AppendBatch, "snapshots" | "floors" | "raise">> & Side

export type SnapshotMessage = { readonly state: Uint8Array<ArrayBuffer>; readonly folded: Seqs }

export function snapshotOf({ state, folded }: SnapshotMessage): Snapshot {
  return { state, folded: new VersionVector(folded) }
}

/** Empty if the batch has nothing of the kind: then it costs nothing. */
export function encodeRare(batch: AppendBatch): Uint8Array {
  const { snapshots = [], floors = [], raise = [] } = batch
  const side = sideOf(batch)
  const count = snapshots.length + floors.length + raise.length
  if (count === 0 && isEmptySide(side)) return new Uint8Array()
  const writer = new Writer(snapshots.reduce((sum, { state }) => sum + state.length + 512, 256))
  writer.varUint(snapshots.length)
  for (const { document, folded, state } of snapshots) {
    writer.string(document)
    folded.encode(writer)
    writer.bytes(state)
  }
  writer.varUint(floors.length)
  for (const [origin, seq] of floors) writer.string(origin).varUint(seq)
  writer.varUint(raise.length)
  for (const [origin, { seq, hash }] of raise) writer.string(origin).varUint(seq).raw(hash)
  writeSide(writer, side)
  return writer.finish()
}

/** States are views on `bytes`. */
export function decodeRare(bytes: Uint8Array): Partial<Rare> {
  if (bytes.length === 0) return {}
  const reader = new Reader(bytes)
  const snapshots: DocumentSnapshot[] = []
  for (let count = reader.varUint(); count > 0; count--) {
    const document = parseDocumentId(reader.string(bytes.length))
    assert(document !== undefined, "a batch names well-formed documents")
    const folded = VersionVector.decode(reader)
    snapshots.push({ document, folded, state: reader.bytes(bytes.length) })
  }
  const floors: [OriginId, number][] = []
  for (let count = reader.varUint(); count > 0; count--) {
    floors.push([decodeOrigin(reader), reader.varUint()])
  }
  const raise: [OriginId, Head][] = []
  for (let count = reader.varUint(); count > 0; count--) {
    const origin = decodeOrigin(reader)
    raise.push([origin, { seq: reader.varUint(), hash: reader.raw(HASH_BYTES).slice() }])
  }
  const side = readSide(reader, bytes.length, parseDocumentId)
  reader.end()
  return { snapshots, floors, raise, ...side }
}
