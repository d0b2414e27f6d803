/**
 * The rarest part of a batch on its way to the store's thread: what a log keeps beside entries and
 * snapshots, and what a state transfer brings of entries that never come.
 */
import { assert, bytesFromHex, bytesToHex, parseClientId } from "@causeway/crdt/base"
import type { ClientId, DocumentId, Reader, Writer } from "@causeway/crdt/base"
import { decodeOrigin } from "@causeway/crdt/clock"
import { DIGEST_BYTES, noteNames } from "@causeway/crdt/log"
import type { AppendBatch } from "@causeway/crdt/ports"

export type Side = Required<Pick<AppendBatch, "below" | "clients" | "leaves" | "notes">>

const CLIENT_BYTES = 16

export function sideOf({ below = [], clients = [], leaves = [], notes = [] }: AppendBatch): Side {
  return { below, clients, leaves, notes }
}

export function isEmptySide({ below, clients, leaves, notes }: Side): boolean {
  return below.length + clients.length + leaves.length + notes.length === 0
}

export function writeSide(writer: Writer, { below, clients, leaves, notes }: Side): void {
  writer.varUint(below.length)
  for (const { origin, seq, record } of below) writer.string(origin).varUint(seq).bytes(record)
  writer.varUint(clients.length)
  for (const [client, seq] of clients) {
    const bytes = bytesFromHex(client)
    assert(bytes !== undefined, "a client id is hex")
    writer.raw(bytes).varUint(seq)
  }
  writer.varUint(leaves.length)
  for (const { document, vector, content } of leaves) {
    writer.string(document).raw(vector).raw(content)
  }
  writer.varUint(notes.length)
  for (const [name, value] of notes) {
    writer.u8(noteNames.indexOf(name)).u8(value === undefined ? 0 : 1)
    if (value !== undefined) writer.bytes(value)
  }
}

/** Records and values are views. `documentOf`: of a document as it is named in a store. */
export function readSide(
  reader: Reader,
  bytesMax: number,
  documentOf: (text: string) => DocumentId | undefined,
): Side {
  const below = list(reader, () => {
    return { origin: decodeOrigin(reader), seq: reader.varUint(), record: reader.bytes(bytesMax) }
  })
  const clients = list(reader, () => [readClient(reader), reader.varUint()] as const)
  const leaves = list(reader, () => {
    const document = documentOf(reader.string(bytesMax))
    assert(document !== undefined, "a batch names well-formed documents")
    const [vector, content] = [reader.raw(DIGEST_BYTES), reader.raw(DIGEST_BYTES)]
    return { document, vector, content }
  })
  const notes = list(reader, () => {
    const name = noteNames[reader.u8()]
    assert(name !== undefined, "a batch names known notes")
    return [name, reader.u8() === 0 ? undefined : reader.bytes(bytesMax)] as const
  })
  return { below, clients, leaves, notes }
}

function readClient(reader: Reader): ClientId {
  const client = parseClientId(bytesToHex(reader.raw(CLIENT_BYTES)))
  assert(client !== undefined, "a batch names well-formed clients")
  return client
}

function list<Value>(reader: Reader, read: () => Value): Value[] {
  const values: Value[] = []
  for (let left = reader.varUint(); left > 0; left--) values.push(read())
  return values
}
