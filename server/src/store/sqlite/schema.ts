/**
 * The tables. An entry's key packs origin and seq into one integer, so the log of an origin is
 * one contiguous range of the table, appending is appending, and the index over documents
 * carries (document, origin, seq) without storing any of it twice. There is no table of heads:
 * the last row of an origin's range is its head, found in O(log entries). Only floors are kept:
 * what lies at and below them is in snapshots, and what a snapshot holds stands in `folded` too.
 */
import { assert } from "@causeway/crdt/base"

/** "Cswy": what `file` and we recognise the database by. */
export const APPLICATION_ID = 0x43737779
export const SCHEMA_VERSION = 2
export const DATABASE_FILE = "causeway.sqlite"

/** What stands for a document with records of no document: rows of documents begin at 1. */
export const NO_DOCUMENT_ROW = 0

const snapshotsSql = `
  CREATE TABLE snapshots (
    document INTEGER PRIMARY KEY,
    folded BLOB NOT NULL, -- a version vector, sealed (snapshot-seal.ts)
    state BLOB NOT NULL -- sealed too
  );
  CREATE TABLE folded (
    document INTEGER NOT NULL,
    origin INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (document, origin)
  ) WITHOUT ROWID;
  CREATE INDEX folded_by_origin ON folded (origin, seq);
  CREATE TABLE leaves (
    bucket INTEGER NOT NULL,
    document TEXT NOT NULL,
    leaf BLOB NOT NULL, -- digests of vector and content, sealed (snapshot-seal.ts)
    PRIMARY KEY (bucket, document)
  ) WITHOUT ROWID;
  CREATE TABLE notes (name TEXT PRIMARY KEY, note BLOB NOT NULL) WITHOUT ROWID; -- sealed too
`

export const schemaSql: string = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE origins (
    id INTEGER PRIMARY KEY,
    origin TEXT NOT NULL UNIQUE,
    floor INTEGER NOT NULL DEFAULT 0,
    floor_hash BLOB -- sealed (snapshot-seal.ts)
  );
  CREATE TABLE documents (id INTEGER PRIMARY KEY, document TEXT NOT NULL UNIQUE);
  CREATE TABLE entries (
    id INTEGER PRIMARY KEY, -- origins.id * 2^40 + seq
    document INTEGER NOT NULL, -- 0: of no document
    entry BLOB NOT NULL -- checksum, hash, record (seal.ts)
  );
  CREATE INDEX entries_by_document ON entries (document);
  CREATE TABLE clients (
    client BLOB PRIMARY KEY,
    seq INTEGER NOT NULL,
    below INTEGER NOT NULL DEFAULT 0 -- the highest that a deleted entry told
  ) WITHOUT ROWID;
  ${snapshotsSql}
`

/** From what version 1 made to what version 2 makes; O(1). */
export const migrationSql: string = `
  ALTER TABLE origins ADD COLUMN floor INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE origins ADD COLUMN floor_hash BLOB;
  ALTER TABLE clients ADD COLUMN below INTEGER NOT NULL DEFAULT 0;
  ${snapshotsSql}
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
