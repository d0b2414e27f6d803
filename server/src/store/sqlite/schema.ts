/**
 * The tables. An entry's key packs origin and seq into one integer, so the log of an origin is
 * one contiguous range of the table, appending is appending, and the index over documents
 * carries (document, origin, seq) without storing any of it twice. There is no table of heads:
 * the last row of an origin's range is its head, found in O(log entries).
 */
import { assert } from "@causeway/crdt/base"

/** "Cswy": what `file` and we recognise the database by. */
export const APPLICATION_ID = 0x43737779
export const SCHEMA_VERSION = 1
export const DATABASE_FILE = "causeway.sqlite"

/** What stands for a document with records of no document: rows of documents begin at 1. */
export const NO_DOCUMENT_ROW = 0

export const schemaSql = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE origins (id INTEGER PRIMARY KEY, origin TEXT NOT NULL UNIQUE);
  CREATE TABLE documents (id INTEGER PRIMARY KEY, document TEXT NOT NULL UNIQUE);
  CREATE TABLE entries (
    id INTEGER PRIMARY KEY, -- origins.id * 2^40 + seq
    document INTEGER NOT NULL, -- 0: of no document
    entry BLOB NOT NULL -- checksum, hash, record (seal.ts)
  );
  CREATE INDEX entries_by_document ON entries (document);
  CREATE TABLE clients (client BLOB PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
`

/** 2^40 entries of one origin: over 17 years at 2,000 a second. */
const SEQS_PER_ORIGIN = 2 ** 40
/** Above it an entry's key would not be a safe integer. */
export const ORIGIN_ROWS_MAX = 2 ** 13 - 1

export function entryId(originRow: number, seq: number): number {
  assert(seq >= 0 && seq < SEQS_PER_ORIGIN, "seq out of the store's range")
  assert(originRow > 0 && originRow <= ORIGIN_ROWS_MAX, "origin row out of range")
  return originRow * SEQS_PER_ORIGIN + seq
}

export function seqOf(id: number): number {
  return id % SEQS_PER_ORIGIN
}

/** The last key an entry of this origin can have. */
export function lastEntryId(originRow: number): number {
  return originRow * SEQS_PER_ORIGIN + (SEQS_PER_ORIGIN - 1)
}
