/**
 * Looks through a whole data folder and changes nothing: the file's pages, every entry's checksum
 * and place in its chain, the index over documents, the client table, who it belongs to, and the
 * boot record. O(log) time, O(clients) memory. Rules [B5] [B6].
 */
import {
  bytesEqual,
  bytesToHex,
  DecodeError,
  nodeOfOrigin,
  parseNodeId,
  parseOriginId,
  parseDocumentId,
} from "@causeway/crdt/base"
import type { OriginId } from "@causeway/crdt/base"
import type { VersionVector } from "@causeway/crdt/clock"
import { decodeRecord, genesisHash } from "@causeway/crdt/log"
import type { RecordFields } from "@causeway/crdt/log"
import { findBootFile } from "../store/boot-record.ts"
import { hashOf, isSound, RECORD_OFFSET, saltOf, seal } from "../store/seal.ts"
import type { SealingOrigin } from "../store/seal.ts"
import { unsealFloor, unsealFolded, unsealState } from "../store/snapshot-seal.ts"
import { entryId, lastEntryId, NO_DOCUMENT_ROW, seqOf } from "../store/sqlite/schema.ts"
import { Findings } from "./findings.ts"
import type { Inspection } from "./findings.ts"
import { bytesOf, RawDatabase } from "./raw-database.ts"
import type { RawEntry, Unreadable } from "./raw-database.ts"

/** What was looked at so far. */
export type OnProgress = (message: string) => void

/** Names of documents kept in memory. Past it they are looked up again. */
const namesMax = 65_536
const progressEntries = 100_000

/** @throws StoreOpenError if there is no store, or another process has it open */
export function inspectFolder(directory: string, onProgress: OnProgress): Inspection {
  const raw = new RawDatabase(directory)
  try {
    return new Inspector(raw, directory, onProgress).run()
  } finally {
    raw.close()
  }
}

/** An origin and where its log begins: after `floor`, whose entry's hash is `hash`. */
type Held = SealingOrigin & {
  readonly origin: OriginId
  readonly floor: number
  /** Undefined if it is damaged. */
  readonly hash: Uint8Array | undefined
}

type OriginRow = {
  readonly id: number
  /** A text, where the row is not damaged. */
  readonly origin: unknown
  readonly floor: number
  readonly hash: Buffer | null
}
type SnapshotRow = { readonly document: number; readonly folded: Buffer; readonly state: Buffer }

class Inspector {
  readonly #raw: RawDatabase
  readonly #directory: string
  readonly #onProgress: OnProgress
  readonly #findings = new Findings()
  /** Undefined: there is no such row. */
  readonly #names = new Map<number, string | undefined>()
  /** The highest number of each client among the entries. */
  readonly #clients = new Map<string, number>()
  readonly #vector: Record<string, number> = {}
  #entries = 0

  constructor(raw: RawDatabase, directory: string, onProgress: OnProgress) {
    this.#raw = raw
    this.#directory = directory
    this.#onProgress = onProgress
  }

  run(): Inspection {
    this.#checkPages()
    const meta = this.#meta()
    const node = parseNodeId(meta.get("node") ?? "")
    const origin = parseOriginId(meta.get("origin") ?? "")
    const rows = this.#origins()
    for (const [row, held] of rows) this.#checkOrigin(row, held)
    this.#checkNameless(rows)
    this.#checkIdentity(node, origin, new Set([...rows.values()].map((held) => held.origin)))
    if (origin !== undefined) this.#checkBoot(origin, meta.get("boot"))
    const clients = this.#checkClients()
    const unreadable = () => this.#pages("a table could not be read to its end", "documents")
    const [documents] = this.#raw.rows<{ count: number }>(
      "SELECT count(*) AS count FROM documents",
      unreadable,
    )
    if (this.#raw.format >= 2) this.#checkSnapshots()
    const { lost, lostCount } = this.#findings
    return {
      node,
      origin,
      format: this.#raw.format,
      entries: this.#entries,
      documents: documents?.count ?? 0,
      clients,
      vector: this.#vector,
      findings: this.#findings.all(),
      lost,
      lostCount,
    }
  }

  #pages(what: string, name: string): void {
    this.#findings.add("pages", "repairable", what, name)
  }

  #checkPages(): void {
    this.#onProgress("looking at the pages of the file")
    for (const line of this.#raw.integrity()) {
      if (/\bindex\b/i.test(line)) {
        this.#findings.add("index", "repairable", "an index does not agree with its table", line)
      } else this.#pages("the file contradicts itself", line.replaceAll("\n", " "))
    }
  }

  #meta(): Map<string, string> {
    const unreadable = () => this.#pages("a table could not be read to its end", "meta")
    const rows = this.#raw.rows<{ key: string; value: unknown }>("SELECT * FROM meta", unreadable)
    return new Map([...rows].map(({ key, value }) => [key, String(value)]))
  }

  /** By row, in order of their names. */
  #origins(): Map<number, Held> {
    const unreadable = () => this.#pages("a table could not be read to its end", "origins")
    const floors = this.#raw.format >= 2 ? "floor, floor_hash AS hash" : "0 AS floor, NULL AS hash"
    const sql = `SELECT id, origin, ${floors} FROM origins ORDER BY id`
    const held: [number, Held][] = []
    for (const { id, origin, floor, hash } of this.#raw.rows<OriginRow>(sql, unreadable)) {
      const parsed = parseOriginId(String(origin))
      if (parsed === undefined) {
        this.#findings.add("origin", "lost", "origins whose names are none", `row ${id}`)
        continue
      }
      const by = { origin: parsed, salt: saltOf(parsed) }
      const before = hash === null ? undefined : unsealFloor(by, floor, bytesOf(hash))
      held.push([id, { ...by, floor, hash: floor === 0 ? genesisHash : before }])
    }
    return new Map(held.toSorted(([, left], [, right]) => (left.origin < right.origin ? -1 : 1)))
  }

  #checkOrigin(row: number, by: Held): void {
    const { origin, floor } = by
    let seq = floor
    /** Undefined behind what can't be read: the next entry's own is taken for it. */
    let hash = by.hash
    if (hash === undefined) {
      const what = "where a log begins can't be read; what it has is logged again"
      this.#findings.add("chain", "fresh-epoch", what, origin)
    }
    this.#checkLeft(row, by)
    for (const found of this.#raw.entries(entryId(row, seq) + 1, lastEntryId(row))) {
      if (!("entry" in found)) {
        hash = undefined
        this.#noteUnreadable(row, origin, found)
        continue
      }
      const at = seqOf(found.id)
      if (at > seq + 1) {
        const range = { origin, fromSeq: seq + 1, toSeq: at - 1 }
        this.#findings.lose("gap", "entries are missing", range)
        hash = undefined
      }
      seq = at
      const fields = this.#readable(by, found)
      if (fields === undefined) {
        hash = undefined
        continue
      }
      if (hash !== undefined) this.#checkChain(by, hash, found)
      hash = new Uint8Array(hashOf(found.entry))
      this.#checkPlace(origin, found, fields)
      this.#count(fields)
    }
    this.#vector[origin] = seq
  }

  #checkChain(by: Held, hash: Uint8Array, { id, entry }: RawEntry): void {
    const sealed = seal(hash, by, seqOf(id), entry.subarray(RECORD_OFFSET))
    if (bytesEqual(sealed.hash, hashOf(entry))) return
    const what = "entries do not follow from those before them, and are logged again"
    this.#findings.add("chain", "fresh-epoch", what, `${by.origin} ${seqOf(id)}`)
  }

  /** Below the floor there is what no snapshot holds; where nothing is, nothing is missing. */
  #checkLeft(row: number, by: Held): void {
    if (by.floor === 0) return
    for (const found of this.#raw.entries(entryId(row, 1), entryId(row, by.floor))) {
      if (!("entry" in found)) {
        this.#pages("pages with entries can't be read", `${by.origin} below ${by.floor}`)
        continue
      }
      const fields = this.#readable(by, found)
      if (fields === undefined) continue
      this.#checkPlace(by.origin, found, fields)
      this.#count(fields)
    }
  }

  #checkSnapshots(): void {
    const unreadable = () => this.#pages("a table could not be read to its end", "snapshots")
    const sql = "SELECT document, folded, state FROM snapshots"
    for (const { document, folded, state } of this.#raw.rows<SnapshotRow>(sql, unreadable)) {
      const name = parseDocumentId(this.#nameOf(document) ?? "")
      const sealed = name === undefined ? undefined : unsealFolded(name, bytesOf(folded))
      const isWhole = name !== undefined && unsealState(name, bytesOf(state)) !== undefined
      if (sealed === undefined || !isWhole) {
        const what = "snapshots can't be read, and with them what the log has no more"
        this.#findings.add("snapshot", "lost", what, name ?? `row ${document}`)
      } else if (!this.#isIndexed(document, sealed)) {
        const what = "snapshots are listed as holding something else than they do"
        this.#findings.add("snapshot", "repairable", what, name ?? "")
      }
    }
    const missing =
      "SELECT DISTINCT document FROM folded WHERE seq > 0 " +
      "AND document NOT IN (SELECT document FROM snapshots)"
    for (const { document } of this.#raw.rows<{ document: number }>(missing, unreadable)) {
      const what = "snapshots are not there, and with them what the log has no more"
      this.#findings.add("snapshot", "lost", what, this.#nameOf(document) ?? `row ${document}`)
    }
  }

  /** Whether the rows that searches go by are what the snapshot says. */
  #isIndexed(document: number, sealed: VersionVector): boolean {
    const unreadable = () => this.#pages("a table could not be read to its end", "folded")
    const sql =
      "SELECT origins.origin, seq FROM folded JOIN origins ON origins.id = folded.origin " +
      `WHERE folded.document = ${document}`
    const rows = [...this.#raw.rows<{ origin: string; seq: number }>(sql, unreadable)]
    const listed = new Map(rows.map(({ origin, seq }) => [origin, seq]))
    const said = sealed.entries().filter(([, seq]) => seq > 0)
    return said.length === listed.size && said.every(([origin, seq]) => listed.get(origin) === seq)
  }

  #noteUnreadable(row: number, origin: OriginId, { afterId, beforeId }: Unreadable): void {
    // With a readable entry behind them the gap to it counts them.
    if (beforeId <= lastEntryId(row)) {
      this.#pages("pages with entries can't be read", `${origin} behind ${seqOf(afterId)}`)
      return
    }
    const what = "the end of a log can't be read; how many entries it had is unknown"
    const fromSeq = seqOf(afterId) + 1
    this.#findings.lose("pages", what, { origin, fromSeq, toSeq: fromSeq })
  }

  #readable(by: Held, { id, entry }: RawEntry): RecordFields | undefined {
    const seq = seqOf(id)
    const range = { origin: by.origin, fromSeq: seq, toSeq: seq }
    if (!isSound(by, seq, entry)) {
      this.#findings.lose("entry", "entries fail their checksums", range)
      return undefined
    }
    try {
      return decodeRecord(entry.subarray(RECORD_OFFSET))
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      this.#findings.lose("entry", "entries are no records", range)
      return undefined
    }
  }

  #checkPlace(origin: OriginId, { id, document }: RawEntry, fields: RecordFields): void {
    const name = fields.kind === "update" ? fields.document : undefined
    const isRight =
      name === undefined ? document === NO_DOCUMENT_ROW : this.#nameOf(document) === name
    if (isRight) return
    const what = "entries stand under another document than their own"
    this.#findings.add("document", "repairable", what, `${origin} ${seqOf(id)}`)
  }

  #nameOf(row: number): string | undefined {
    if (this.#names.has(row)) return this.#names.get(row)
    const sql = `SELECT document FROM documents WHERE id = ${row}`
    const unreadable = () => this.#pages("a table could not be read to its end", "documents")
    const [found] = this.#raw.rows<{ document: unknown }>(sql, unreadable)
    const name = typeof found?.document === "string" ? found.document : undefined
    if (this.#names.size >= namesMax) this.#names.clear()
    this.#names.set(row, name)
    return name
  }

  #count(fields: RecordFields): void {
    this.#entries += 1
    if (this.#entries % progressEntries === 0) {
      this.#onProgress(`looked at ${this.#entries} entries so far`)
    }
    if (fields.kind !== "update" || fields.author === undefined) return
    const { client, seq } = fields.author
    this.#clients.set(client, Math.max(seq, this.#clients.get(client) ?? 0))
  }

  /** Entries whose origin's row is gone. */
  #checkNameless(named: ReadonlyMap<number, Held>): void {
    const unreadable = () => {}
    // From the table itself: the index may be at fault.
    const sql =
      "SELECT id / 1099511627776 AS row, count(*) AS count FROM entries NOT INDEXED GROUP BY 1"
    for (const { row, count } of this.#raw.rows<{ row: number; count: number }>(sql, unreadable)) {
      const id = Math.floor(row)
      if (named.has(id)) continue
      const what = "entries belong to an origin whose name is gone"
      this.#findings.add("origin", "lost", what, `row ${id}`, count)
      this.#findings.lostCount += count
    }
  }

  #checkIdentity(
    node: string | undefined,
    origin: OriginId | undefined,
    held: ReadonlySet<OriginId>,
  ): void {
    const add = (what: string) => this.#findings.add("identity", "repairable", what, "")
    if (node === undefined || origin === undefined) {
      add("the folder does not say whose it is any more; it will be a new node's")
    } else if (!held.has(origin)) add("the node's own log is not there")
    else if (nodeOfOrigin(origin) !== node) add("the own log is not this node's")
  }

  #checkBoot(origin: OriginId, boot: string | undefined): void {
    const file = findBootFile(this.#directory, boot)
    const add = (what: string) => this.#findings.add("boot-record", "fresh-epoch", what, "")
    if (file === undefined) {
      add("database and boot record don't belong together (put back, copied, or one is missing)")
    } else if (file.origin !== origin) add("the boot record is of another origin")
    else {
      const seq = this.#vector[origin] ?? 0
      if (seq >= file.openedSeq) return
      const range = { origin, fromSeq: seq + 1, toSeq: file.openedSeq }
      this.#findings.lose("tail", "the own log ends before where it was opened last", range)
    }
  }

  /** How many there are. */
  #checkClients(): number {
    const unreadable = () => this.#pages("a table could not be read to its end", "clients")
    const told = new Set<string>()
    const below = this.#raw.format >= 2 ? "below" : "0 AS below"
    const rows = this.#raw.rows<{ client: Buffer; seq: number; below: number }>(
      `SELECT client, seq, ${below} FROM clients`,
      unreadable,
    )
    for (const { client, seq, below: deleted } of rows) {
      const id = bytesToHex(bytesOf(client))
      told.add(id)
      // What deleted entries told counts as much as what the log has.
      const logged = Math.max(deleted, this.#clients.get(id) ?? 0)
      if (logged > seq) this.#addClient("are told less than the log has of them", id)
      if (logged < seq) this.#addClient("are told more than the log has of them", id)
    }
    for (const id of this.#clients.keys()) {
      if (!told.has(id)) this.#addClient("are told less than the log has of them", id)
    }
    return told.size
  }

  #addClient(what: string, id: string): void {
    this.#findings.add("client", "repairable", `clients ${what}`, id)
  }
}
