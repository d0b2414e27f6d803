/**
 * What the store's two threads say to each other. An append travels as one transferred buffer
 * each way, so the cost on the main thread is one copy of its bytes; reads ask with a small
 * object and are answered with one transferred buffer. Both ends are this process and this
 * version: nothing here is kept, and nothing here is hostile.
 */
import { assert, parseOriginId } from "@causeway/crdt/base"
import type { ClientId, DocumentId, NodeId, OriginId } from "@causeway/crdt/base"
import type { Dot } from "@causeway/crdt/clock"
import { HASH_BYTES } from "@causeway/crdt/log"
import type {
  FloorsToCheck,
  Foldable,
  Head,
  LogEntry,
  LogRun,
  Notes,
  PageBounds,
  SoundFloors,
} from "@causeway/crdt/log"
import type {
  AppendBatch,
  AppendResult,
  ReadResult,
  Renewed,
  StoreFailure,
} from "@causeway/crdt/ports"
import type { StoreOpenErrorCode } from "../errors.ts"
import type { BackupRequest } from "./backup.ts"
import { decodeRare, encodeRare } from "./snapshot-messages.ts"
import type { Seqs, SnapshotMessage } from "./snapshot-messages.ts"

/** Of entries and snapshots. */
export type LogRequest =
  | {
      readonly type: "document"
      readonly document: DocumentId
      readonly since: Seqs
    }
  | {
      readonly type: "origin"
      readonly origin: OriginId
      readonly fromSeq: number
      readonly bytesMax: number
    }
  | { readonly type: "client"; readonly client: ClientId }
  | {
      readonly type: "changed"
      readonly since: Seqs
      readonly after: DocumentId | undefined
      readonly limit: number
    }
  | { readonly type: "foldable"; readonly upTo: Seqs; readonly limit: number }
  | ({ readonly type: "sound-floors" } & FloorsToCheck)

export type UndocumentedRequest = PageBounds & {
  readonly type: "undocumented"
  readonly since: Seqs
  readonly after: Dot | undefined
}

/** Of what a log keeps beside entries and snapshots. */
export type SideRequest =
  | UndocumentedRequest
  | { readonly type: "clients"; readonly after: ClientId | undefined; readonly limit: number }
  | { readonly type: "leaves"; readonly bucket: number }
  | { readonly type: "bucket-sums"; readonly from: number; readonly count: number }

export type ReadRequest = LogRequest | SideRequest

/** An ArrayBuffer is an append (`encodeAppend`). */
export type ToWorker = ArrayBuffer | ReadRequest | BackupRequest | { readonly type: "close" }

export type Opened = {
  readonly type: "opened"
  readonly node: NodeId
  readonly origin: OriginId
  readonly heads: readonly (readonly [OriginId, Head])[]
  readonly floors: readonly (readonly [OriginId, Head])[]
  readonly cuts: readonly (readonly [OriginId, number])[]
  readonly clusterRecords: readonly LogEntry[]
  readonly notes: Notes
  readonly renewed: Renewed | undefined
}

export type ReadReply =
  | {
      readonly type: "document"
      readonly origins: readonly OriginId[]
      readonly bytes: ArrayBuffer
      readonly snapshot: SnapshotMessage | undefined
    }
  | { readonly type: "origin"; readonly previousHash: Uint8Array; readonly bytes: ArrayBuffer }
  | { readonly type: "truncated"; readonly floor: Head }
  | { readonly type: "client"; readonly seq: number }
  | {
      readonly type: "changed"
      readonly documents: readonly (readonly [DocumentId, Seqs])[]
      readonly next: DocumentId | undefined
    }
  | ({ readonly type: "foldable" } & Foldable)
  | ({ readonly type: "sound-floors" } & SoundFloors)
  | SideReply

export type ReadFailed = Extract<ReadResult, { readonly type: "failed" }>
export type SideReply = Extract<ReadResult, { readonly type: SideRequest["type"] }> | ReadFailed

export type WorkerEvent =
  | Opened
  | { readonly type: "open-failed"; readonly code: StoreOpenErrorCode; readonly message: string }
  | { readonly type: "corrupt"; readonly origin: OriginId; readonly seq: number }
  | { readonly type: "trouble"; readonly message: string }
  /** The caller broke the port's rules: the main thread throws. */
  | { readonly type: "invariant"; readonly message: string }

/** An ArrayBuffer is an append's result (`encodeAppended`, `encodeAppendFailure`). */
export type FromWorker = ArrayBuffer | ReadReply | WorkerEvent

const LENGTH_BYTES = 4

export function encodeAppend(batch: AppendBatch): ArrayBuffer {
  const rare = encodeRare(batch)
  let size = 2 * LENGTH_BYTES + sizeOfRecords(batch.own) + rare.length
  for (const run of batch.adopted) {
    size += 1 + run.origin.length + 8 + LENGTH_BYTES + sizeOfRecords(run.records)
  }
  const bytes = Buffer.from(new ArrayBuffer(size))
  let offset = bytes.writeUInt32LE(batch.own.length, 0)
  offset = bytes.writeUInt32LE(batch.adopted.length, offset)
  offset = writeRecords(bytes, offset, batch.own)
  for (const run of batch.adopted) {
    offset = bytes.writeUInt8(run.origin.length, offset)
    offset += bytes.write(run.origin, offset, "latin1")
    offset = bytes.writeDoubleLE(run.firstSeq, offset)
    offset = bytes.writeUInt32LE(run.records.length, offset)
    offset = writeRecords(bytes, offset, run.records)
  }
  bytes.set(rare, offset)
  assert(offset + rare.length === size, "append size")
  return bytes.buffer
}

/** The batch, its records as views on `buffer`. */
export function decodeAppend(buffer: ArrayBuffer): AppendBatch {
  const bytes = Buffer.from(buffer)
  const runCount = bytes.readUInt32LE(LENGTH_BYTES)
  let { records: own, offset } = readRecords(bytes, 2 * LENGTH_BYTES, bytes.readUInt32LE(0))
  const adopted: LogRun[] = []
  for (let index = 0; index < runCount; index++) {
    const nameEnd = offset + 1 + bytes.readUInt8(offset)
    const origin = parseOriginId(bytes.toString("latin1", offset + 1, nameEnd))
    assert(origin !== undefined, "a batch names well-formed origins")
    const firstSeq = bytes.readDoubleLE(nameEnd)
    const count = bytes.readUInt32LE(nameEnd + 8)
    const read = readRecords(bytes, nameEnd + 8 + LENGTH_BYTES, count)
    adopted.push({ origin, firstSeq, records: read.records })
    offset = read.offset
  }
  return { own, adopted, ...decodeRare(bytes.subarray(offset)) }
}

function sizeOfRecords(records: readonly Uint8Array[]): number {
  let size = LENGTH_BYTES * records.length
  for (const record of records) size += record.length
  return size
}

function writeRecords(bytes: Buffer, start: number, records: readonly Uint8Array[]): number {
  let offset = start
  for (const record of records) {
    offset = bytes.writeUInt32LE(record.length, offset)
    bytes.set(record, offset)
    offset += record.length
  }
  return offset
}

function readRecords(
  bytes: Buffer,
  start: number,
  count: number,
): { records: Buffer[]; offset: number } {
  const records: Buffer[] = []
  let offset = start
  for (let index = 0; index < count; index++) {
    const at = offset + LENGTH_BYTES
    offset = at + bytes.readUInt32LE(offset)
    records.push(bytes.subarray(at, offset))
  }
  return { records, offset }
}

/** An append's result as the worker has it: heads in the order of `touchedOrigins`. */
export type Appended = { readonly firstSeq: number; readonly heads: readonly Head[] }

const appendStatus = {
  ok: 0,
  "store-full": 1,
  "store-failed": 2,
  refused: 3,
  unreadable: 4,
} as const
const failureCodes = ["store-full", "store-failed", "refused", "unreadable"] as const
const HEAD_BYTES = 8 + HASH_BYTES
const APPENDED_BYTES = 1 + 8

export function encodeAppended({ firstSeq, heads }: Appended): ArrayBuffer {
  const bytes = Buffer.from(new ArrayBuffer(APPENDED_BYTES + heads.length * HEAD_BYTES))
  let offset = bytes.writeUInt8(appendStatus.ok, 0)
  offset = bytes.writeDoubleLE(firstSeq, offset)
  for (const { seq, hash } of heads) {
    offset = bytes.writeDoubleLE(seq, offset)
    bytes.set(hash, offset)
    offset += HASH_BYTES
  }
  return bytes.buffer
}

export function encodeAppendFailure({ code, message }: StoreFailure): ArrayBuffer {
  const bytes = Buffer.from(new ArrayBuffer(1 + Buffer.byteLength(message)))
  bytes.write(message, bytes.writeUInt8(appendStatus[code], 0))
  return bytes.buffer
}

export function decodeAppendResult(
  buffer: ArrayBuffer,
  touched: readonly OriginId[],
): AppendResult {
  const bytes = Buffer.from(buffer)
  const status = bytes.readUInt8(0)
  if (status !== appendStatus.ok) {
    const code = failureCodes.find((one) => appendStatus[one] === status) ?? "store-failed"
    return { ok: false, code, message: bytes.toString("utf8", 1) }
  }
  const heads = touched.map((origin, index) => {
    const at = APPENDED_BYTES + index * HEAD_BYTES
    // A copy: heads are kept for long, the buffer is not worth keeping for them.
    const hash = new Uint8Array(bytes.subarray(at + 8, at + HEAD_BYTES))
    return [origin, { seq: bytes.readDoubleLE(at), hash }] as const
  })
  return { ok: true, firstSeq: bytes.readDoubleLE(1), heads }
}

/** Entries as they come out of a read, packed into one buffer that grows by doubling. */
export class EntryPacker {
  #bytes = Buffer.from(new ArrayBuffer(4096))
  #length = 0
  /** Record bytes so far. */
  recordBytes = 0
  count = 0

  /** `origin` is an index into a list that goes along. */
  push(origin: number, seq: number, record: Uint8Array): void {
    this.#reserve(PACKED_BYTES + record.length)
    let offset = this.#bytes.writeUInt32LE(origin, this.#length)
    offset = this.#bytes.writeDoubleLE(seq, offset)
    offset = this.#bytes.writeUInt32LE(record.length, offset)
    this.#bytes.set(record, offset)
    this.#length = offset + record.length
    this.recordBytes += record.length
    this.count += 1
  }

  #reserve(count: number): void {
    const needed = this.#length + count
    if (needed <= this.#bytes.length) return
    const grown = Buffer.from(new ArrayBuffer(Math.max(needed, this.#bytes.length * 2)))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }

  /** The packed bytes, cut to what is used; the packer is empty of use after it. */
  finish(): ArrayBuffer {
    return this.#bytes.buffer.transfer(this.#length)
  }
}

const PACKED_BYTES = LENGTH_BYTES + 8 + LENGTH_BYTES

/** Entries packed by `EntryPacker`, records as views on `buffer`. */
export function unpackEntries(buffer: ArrayBuffer, origins: readonly OriginId[]): LogEntry[] {
  const view = new DataView(buffer)
  const entries: LogEntry[] = []
  let offset = 0
  while (offset < buffer.byteLength) {
    const origin = origins[view.getUint32(offset, true)]
    assert(origin !== undefined, "packed origin index")
    const seq = view.getFloat64(offset + LENGTH_BYTES, true)
    const length = view.getUint32(offset + LENGTH_BYTES + 8, true)
    offset += PACKED_BYTES
    entries.push({ origin, seq, record: new Uint8Array(buffer, offset, length) })
    offset += length
  }
  return entries
}
