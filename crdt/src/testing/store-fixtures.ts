/** Records, batches and awaited calls for the store contract and for stores' own tests. */
import { documentIdOf, generationOf, originOf, parseClientId, parseNodeId } from "../base/index.ts"
import type { ClientId, DocumentId, EngineName, NodeId, OriginId } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import { encodeRecord } from "../log/index.ts"
import type { LogEntry, LogRun } from "../log/index.ts"
import type { AppendBatch, AppendResult, ReadQuery, ReadResult, Store } from "../ports/index.ts"

function known<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new TypeError("malformed test value")
  return value
}

export function testNode(text: string): NodeId {
  return known(parseNodeId(text))
}

export function testOrigin(node: string, epoch = 1): OriginId {
  return known(originOf(testNode(node), epoch.toString(16).padStart(16, "0")))
}

export function testDocument(name: string, engine: EngineName = "yjs", generation = 1): DocumentId {
  return generationOf(known(documentIdOf(engine, name)), generation)
}

export function testClient(index: number): ClientId {
  return known(parseClientId(index.toString(16).padStart(32, "0")))
}

export type TestRecord = {
  readonly document: DocumentId
  /** Client index and update number; no author if left out. */
  readonly author?: readonly [client: number, seq: number]
  readonly body?: Uint8Array
}

export function testRecord({ document, author, body = Uint8Array.of(1, 2, 3) }: TestRecord) {
  const authorship =
    author === undefined ? undefined : { client: testClient(author[0]), seq: author[1] }
  const atMs = 1_700_000_000_000
  return encodeRecord({ kind: "update", document, author: authorship, atMs, body })
}

export function append(store: Store, batch: Partial<AppendBatch>): Promise<AppendResult> {
  return new Promise((resolve) => store.append({ own: [], adopted: [], ...batch }, resolve))
}

/** The result of an append that must succeed. */
export async function appended(store: Store, batch: Partial<AppendBatch>) {
  const result = await append(store, batch)
  if (!result.ok) throw new Error(`${result.code}: ${result.message}`)
  return result
}

export function read(store: Store, query: ReadQuery): Promise<ReadResult> {
  return new Promise((resolve) => store.read(query, resolve))
}

export async function readDocument(
  store: Store,
  document: DocumentId,
  since = new VersionVector(),
): Promise<readonly LogEntry[]> {
  const result = await read(store, { type: "document", document, since })
  if (result.type !== "document") throw new Error(JSON.stringify(result))
  return result.entries
}

export async function readOrigin(
  store: Store,
  origin: OriginId,
  fromSeq = 1,
  bytesMax = 64 * 1024 * 1024,
): Promise<{ readonly run: LogRun; readonly previousHash: Uint8Array }> {
  const result = await read(store, { type: "origin", origin, fromSeq, bytesMax })
  if (result.type !== "origin") throw new Error(JSON.stringify(result))
  return result
}

export async function readClient(store: Store, client: ClientId): Promise<number> {
  const result = await read(store, { type: "client", client })
  if (result.type !== "client") throw new Error(JSON.stringify(result))
  return result.seq
}

export function close(store: Store): Promise<void> {
  return new Promise((resolve) => store.close(resolve))
}

/** Entries by origin, each origin's in the order given: the only order a store promises. */
export function byOrigin(entries: readonly LogEntry[]): Record<string, readonly LogEntry[]> {
  const sorted = [...new Set(entries.map((entry) => entry.origin))].sort()
  return Object.fromEntries(
    sorted.map((origin) => [origin, entries.filter((entry) => entry.origin === origin)]),
  )
}

/**
 * The batch that a crash test appends when both heads stand at `seq`: 1 to 8 own records, and
 * as many adopted from `crashOrigin`, so a torn batch shows as heads that differ.
 */
export function crashBatch(seq: number): AppendBatch {
  const records = Array.from({ length: 1 + (seq % 8) }, (_, index) => crashRecord(seq + 1 + index))
  return { own: records, adopted: [{ origin: crashOrigin, firstSeq: seq + 1, records }] }
}

export const crashOrigin: OriginId = testOrigin("crash")

/** The record that a crash test has at `seq`, in both origins. */
export function crashRecord(seq: number): Uint8Array {
  const body = new Uint8Array((seq * 7919) % 300).fill(seq % 256)
  return testRecord({ document: testDocument(`crash-${seq % 7}`), author: [1, seq], body })
}
