/**
 * What looking through a log comes to, whatever keeps it: checksums, places in the chains, clients'
 * numbers, whose log it is, and the boot record. O(clients) memory. Rules [B5] [B6].
 */
import { bytesEqual, DecodeError, nodeOfOrigin } from "@causeway/crdt/base"
import type { NodeId, OriginId } from "@causeway/crdt/base"
import { decodeRecord } from "@causeway/crdt/log"
import type { RecordFields } from "@causeway/crdt/log"
import { findBootFile } from "../store/boot-record.ts"
import type { StoreKind } from "../store/index.ts"
import { hashOf, isSound, RECORD_OFFSET, seal } from "../store/seal.ts"
import type { SealingOrigin } from "../store/seal.ts"
import { Findings } from "./findings.ts"
import type { Inspection } from "./findings.ts"

/** What was looked at so far. */
export type OnProgress = (message: string) => void

const progressEntries = 100_000

/** An origin and where its log begins: after `floor`, whose entry's hash is `hash`. */
export type InspectedOrigin = SealingOrigin & {
  readonly origin: OriginId
  readonly floor: number
  /** Undefined if it is damaged. */
  readonly hash: Uint8Array | undefined
}

/** What a client is told: its highest number, and that of those of its updates that are gone. */
export type ToldClient = { readonly id: string; readonly seq: number; readonly below: number }

export class LogInspector {
  readonly findings = new Findings()
  /** The highest number of each client among the entries. */
  readonly #clients = new Map<string, number>()
  readonly #vector: Record<string, number> = {}
  readonly #directory: string
  readonly onProgress: OnProgress
  #entries = 0
  #clientCount = 0

  constructor(directory: string, onProgress: OnProgress) {
    this.#directory = directory
    this.onProgress = onProgress
  }

  result(found: {
    readonly store: StoreKind
    readonly node: NodeId | undefined
    readonly origin: OriginId | undefined
    readonly format: number
    readonly documents: number
  }): Inspection {
    const { lost, lostCount } = this.findings
    return {
      ...found,
      entries: this.#entries,
      clients: this.#clientCount,
      vector: this.#vector,
      findings: this.findings.all(),
      lost,
      lostCount,
    }
  }

  /** Its entries follow, in order. */
  scan(by: InspectedOrigin): OriginScan {
    return new OriginScan(this, by)
  }

  readable(by: InspectedOrigin, seq: number, entry: Buffer): RecordFields | undefined {
    const range = { origin: by.origin, fromSeq: seq, toSeq: seq }
    if (!isSound(by, seq, entry)) {
      this.findings.lose("entry", "entries fail their checksums", range)
      return undefined
    }
    try {
      return decodeRecord(entry.subarray(RECORD_OFFSET))
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      this.findings.lose("entry", "entries are no records", range)
      return undefined
    }
  }

  count(fields: RecordFields): void {
    this.#entries += 1
    if (this.#entries % progressEntries === 0) {
      this.onProgress(`looked at ${this.#entries} entries so far`)
    }
    if (fields.kind !== "update" || fields.author === undefined) return
    const { client, seq } = fields.author
    this.#clients.set(client, Math.max(seq, this.#clients.get(client) ?? 0))
  }

  noteEnd(origin: OriginId, seq: number): void {
    this.#vector[origin] = seq
  }

  checkIdentity(node: NodeId | undefined, origin: OriginId | undefined): void {
    const add = (what: string) => this.findings.add("identity", "repairable", what, "")
    if (node === undefined || origin === undefined) {
      add("the folder does not say whose it is any more; it will be a new node's")
    } else if (this.#vector[origin] === undefined) add("the node's own log is not there")
    else if (nodeOfOrigin(origin) !== node) add("the own log is not this node's")
  }

  checkBoot(origin: OriginId, boot: string | undefined): void {
    const file = findBootFile(this.#directory, boot)
    const add = (what: string) => this.findings.add("boot-record", "fresh-epoch", what, "")
    if (file === undefined) {
      add("database and boot record don't belong together (put back, copied, or one is missing)")
    } else if (file.origin !== origin) add("the boot record is of another origin")
    else {
      const seq = this.#vector[origin] ?? 0
      if (seq >= file.openedSeq) return
      const range = { origin, fromSeq: seq + 1, toSeq: file.openedSeq }
      this.findings.lose("tail", "the own log ends before where it was opened last", range)
    }
  }

  checkClients(rows: Iterable<ToldClient>): void {
    const told = new Set<string>()
    for (const { id, seq, below } of rows) {
      told.add(id)
      // What deleted entries told counts as much as what the log has.
      const logged = Math.max(below, this.#clients.get(id) ?? 0)
      if (logged > seq) this.#addClient("are told less than the log has of them", id)
      if (logged < seq) this.#addClient("are told more than the log has of them", id)
    }
    for (const id of this.#clients.keys()) {
      if (!told.has(id)) this.#addClient("are told less than the log has of them", id)
    }
    this.#clientCount = told.size
  }

  #addClient(what: string, id: string): void {
    this.findings.add("client", "repairable", `clients ${what}`, id)
  }
}

/** Takes the entries of one origin that are there, and notices those that are not. */
export class OriginScan {
  readonly #inspector: LogInspector
  readonly #by: InspectedOrigin
  #seq: number
  /** Undefined behind what can't be read: the next entry's own is taken for it. */
  #hash: Uint8Array | undefined

  constructor(inspector: LogInspector, by: InspectedOrigin) {
    this.#inspector = inspector
    this.#by = by
    this.#seq = by.floor
    this.#hash = by.hash
    if (by.hash !== undefined) return
    const what = "where a log begins can't be read; what it has is logged again"
    inspector.findings.add("chain", "fresh-epoch", what, by.origin)
  }

  /** What can be read of an entry. Below the floor, where nothing is, nothing is missing. */
  take(seq: number, entry: Buffer): RecordFields | undefined {
    if (seq > this.#by.floor) this.#follow(seq)
    const fields = this.#inspector.readable(this.#by, seq, entry)
    if (seq > this.#by.floor) this.#chain(seq, entry, fields !== undefined)
    if (fields !== undefined) this.#inspector.count(fields)
    return fields
  }

  #follow(seq: number): void {
    if (seq > this.#seq + 1) {
      this.#lose(this.#seq + 1, seq - 1)
      this.#hash = undefined
    }
    this.#seq = seq
  }

  #lose(fromSeq: number, toSeq: number): void {
    const range = { origin: this.#by.origin, fromSeq, toSeq }
    this.#inspector.findings.lose("gap", "entries are missing", range)
  }

  #chain(seq: number, entry: Buffer, isReadable: boolean): void {
    const previous = this.#hash
    this.#hash = isReadable ? new Uint8Array(hashOf(entry)) : undefined
    if (!isReadable || previous === undefined) return
    const sealed = seal(previous, this.#by, seq, entry.subarray(RECORD_OFFSET))
    if (bytesEqual(sealed.hash, hashOf(entry))) return
    const what = "entries do not follow from those before them, and are logged again"
    this.#inspector.findings.add("chain", "fresh-epoch", what, `${this.#by.origin} ${seq}`)
  }

  /** Something that can't be read stands here. */
  breakOff(): void {
    this.#hash = undefined
  }

  /** All were taken. `head`: where the log is said to end, if anything says so. */
  end(head: number = this.#seq): void {
    if (head > this.#seq) this.#lose(this.#seq + 1, head)
    this.#inspector.noteEnd(this.#by.origin, Math.max(head, this.#seq))
  }
}
