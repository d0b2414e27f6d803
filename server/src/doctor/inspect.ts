/**
 * Looks through the data folder of an SQLite store and changes nothing: the file's pages, every
 * entry's checksum and place in its chain, the index over documents, the client table, who it
 * belongs to, and the boot record. O(log) time, O(clients) memory. Rules [B5] [B6].
 */
import { bytesToHex, parseDocumentId, parseNodeId, parseOriginId } from "@causeway/crdt/base"
import type { VersionVector } from "@causeway/crdt/clock"
import { genesisHash } from "@causeway/crdt/log"
import type { RecordFields } from "@causeway/crdt/log"
import { saltOf } from "../store/seal.ts"
import { unsealFloor, unsealFolded, unsealState } from "../store/snapshot-seal.ts"
import { entryId, lastEntryId, NO_DOCUMENT_ROW, seqOf } from "../store/sqlite/schema.ts"
import type { Findings, Inspection } from "./findings.ts"
import { LogInspector } from "./log-inspector.ts"
import type { InspectedOrigin, OnProgress, OriginScan, ToldClient } from "./log-inspector.ts"
import { bytesOf, RawDatabase } from "./raw-database.ts"
import type { RawEntry, Unreadable } from "./raw-database.ts"

/** Names of documents kept in memory. Past it they are looked up again. */
const namesMax = 65_536

/** @throws StoreOpenError if there is no store, or another process has it open */
export function inspectFolder(directory: string, onProgress: OnProgress): Inspection {
  const raw = new RawDatabase(directory)
  try {
    return new Inspector(raw, directory, onProgress).run()
  } finally {
    raw.close()
  }
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
  readonly #log: LogInspector
  readonly #findings: Findings
  /** Undefined: there is no such row. */
  readonly #names = new Map<number, string | undefined>()

  constructor(raw: RawDatabase, directory: string, onProgress: OnProgress) {
    this.#raw = raw
    this.#log = new LogInspector(directory, onProgress)
    this.#findings = this.#log.findings
  }

  run(): Inspection {
    this.#checkPages()
    const meta = this.#meta()
    const node = parseNodeId(meta.get("node") ?? "")
    const origin = parseOriginId(meta.get("origin") ?? "")
    const rows = this.#origins()
    for (const [row, held] of rows) this.#checkOrigin(row, held)
    this.#checkNameless(rows)
    this.#log.checkIdentity(node, origin)
    if (origin !== undefined) this.#log.checkBoot(origin, meta.get("boot"))
    this.#log.checkClients(this.#clients())
    const unreadable = () => this.#pages("a table could not be read to its end", "documents")
    const [documents] = this.#raw.rows<{ count: number }>(
      "SELECT count(*) AS count FROM documents",
      unreadable,
    )
    const { format } = this.#raw
    if (format >= 2) this.#checkSnapshots()
    const count = documents?.count ?? 0
    return this.#log.result({ store: "sqlite", node, origin, format, documents: count })
  }

  #pages(what: string, name: string): void {
    this.#findings.add("pages", "repairable", what, name)
  }

  #checkPages(): void {
    this.#log.onProgress("looking at the pages of the file")
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
  #origins(): Map<number, InspectedOrigin> {
    const unreadable = () => this.#pages("a table could not be read to its end", "origins")
    const floors = this.#raw.format >= 2 ? "floor, floor_hash AS hash" : "0 AS floor, NULL AS hash"
    const sql = `SELECT id, origin, ${floors} FROM origins ORDER BY id`
    const held: [number, InspectedOrigin][] = []
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

  #checkOrigin(row: number, by: InspectedOrigin): void {
    const scan = this.#log.scan(by)
    this.#checkLeft(row, by, scan)
    for (const found of this.#raw.entries(entryId(row, by.floor) + 1, lastEntryId(row))) {
      if (!("entry" in found)) {
        scan.breakOff()
        this.#noteUnreadable(row, by, found)
      } else this.#take(scan, by, found)
    }
    scan.end()
  }

  /** Below the floor there is what no snapshot holds. */
  #checkLeft(row: number, by: InspectedOrigin, scan: OriginScan): void {
    if (by.floor === 0) return
    for (const found of this.#raw.entries(entryId(row, 1), entryId(row, by.floor))) {
      if ("entry" in found) this.#take(scan, by, found)
      else this.#pages("pages with entries can't be read", `${by.origin} below ${by.floor}`)
    }
  }

  #take(scan: OriginScan, by: InspectedOrigin, found: RawEntry): void {
    const fields = scan.take(seqOf(found.id), found.entry)
    if (fields !== undefined) this.#checkPlace(by, found, fields)
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

  #noteUnreadable(
    row: number,
    { origin }: InspectedOrigin,
    { afterId, beforeId }: Unreadable,
  ): void {
    // With a readable entry behind them the gap to it counts them.
    if (beforeId <= lastEntryId(row)) {
      this.#pages("pages with entries can't be read", `${origin} behind ${seqOf(afterId)}`)
      return
    }
    const what = "the end of a log can't be read; how many entries it had is unknown"
    const fromSeq = seqOf(afterId) + 1
    this.#findings.lose("pages", what, { origin, fromSeq, toSeq: fromSeq })
  }

  #checkPlace({ origin }: InspectedOrigin, { id, document }: RawEntry, fields: RecordFields): void {
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

  /** Entries whose origin's row is gone. */
  #checkNameless(named: ReadonlyMap<number, InspectedOrigin>): void {
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

  *#clients(): Generator<ToldClient> {
    const unreadable = () => this.#pages("a table could not be read to its end", "clients")
    const below = this.#raw.format >= 2 ? "below" : "0 AS below"
    const sql = `SELECT client, seq, ${below} FROM clients`
    type Row = { client: Buffer; seq: number; below: number }
    for (const { client, seq, below: deleted } of this.#raw.rows<Row>(sql, unreadable)) {
      yield { id: bytesToHex(bytesOf(client)), seq, below: deleted }
    }
  }
}
