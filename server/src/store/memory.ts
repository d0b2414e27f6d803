/**
 * The store that forgets: a MemoryLog behind the store port, for tests and for nodes that keep
 * nothing. Work is done within the call, in order; results come in that order, on a later turn.
 */
import { nodeOfOrigin } from "@causeway/crdt/base"
import { MemoryLog, readLog } from "@causeway/crdt/log"
import type {
  AppendBatch,
  AppendResult,
  ReadQuery,
  ReadResult,
  Renewed,
  ReopenDoubt,
  Store,
} from "@causeway/crdt/ports"
import { mintNode, mintOrigin } from "./identity.ts"
import { PlannedHeads, touchedOrigins } from "./planned-heads.ts"

export type MemoryStoreOptions = {
  /** Whose log this is from now on; its contents are gone with the process. */
  readonly log: MemoryLog
  /** What a core found out about the log since it was opened last. */
  readonly doubt?: ReopenDoubt | undefined
}

/** An empty log for `openMemoryStore`. */
export function newMemoryLog(node = mintNode()): MemoryLog {
  return new MemoryLog(mintOrigin(node))
}

/** Only one store at a time may have the log open. In doubt O(log). */
export function openMemoryStore({ log, doubt }: MemoryStoreOptions): Store {
  return new MemoryStore(log, doubt === undefined ? undefined : renew(log, doubt))
}

function renew(log: MemoryLog, doubt: ReopenDoubt): Renewed {
  const before = log.origin
  const { why } = doubt
  if (why === "fork") return { ...log.giveWay(doubt), why, before }
  const fresh = mintOrigin(nodeOfOrigin(before))
  const isCut = doubt.why === "overtaken" || doubt.why === "retired"
  const options = isCut ? { keepSeq: doubt.keepSeq } : {}
  return { ...log.renew(fresh, options), why, before }
}

class MemoryStore implements Store {
  readonly opened: Store["opened"]
  readonly #log: MemoryLog
  readonly #heads: PlannedHeads
  #results: (() => void)[] = []
  #closed = false

  constructor(log: MemoryLog, renewed: Renewed | undefined) {
    const { origin } = log
    const heads = log.heads()
    this.#log = log
    this.#heads = new PlannedHeads(
      origin,
      heads.map(([held, { seq }]) => [held, seq]),
    )
    const node = nodeOfOrigin(origin)
    const clusterRecords = log.clusterRecords()
    const floors = log.floors()
    const notes = log.side.notes()
    this.opened = { node, origin, heads, floors, cuts: log.cuts(), clusterRecords, notes, renewed }
  }

  append(batch: AppendBatch, done: (result: AppendResult) => void): void {
    if (this.#closed) return this.#later(() => done(closedFailure))
    const message = this.#log.refusal(batch)
    if (message !== undefined) {
      return this.#later(() => done({ ok: false, code: "refused", message }))
    }
    this.#heads.add(batch)
    const firstSeq = this.#log.append(batch)
    const heads = touchedOrigins(this.#log.origin, batch).map(
      (origin) => [origin, this.#log.head(origin)] as const,
    )
    this.#later(() => done({ ok: true, firstSeq, heads }))
  }

  read(query: ReadQuery, done: (result: ReadResult) => void): void {
    const result = this.#closed ? closedRead : readLog(this.#log, query)
    this.#later(() => done(result))
  }

  close(done: () => void): void {
    this.#closed = true
    this.#later(done)
  }

  #later(result: () => void): void {
    this.#results.push(result)
    if (this.#results.length > 1) return
    setImmediate(() => {
      const results = this.#results
      this.#results = []
      for (const deliver of results) deliver()
    })
  }
}

const closedMessage = "the store is closed"
const closedFailure = { ok: false, code: "store-failed", message: closedMessage } as const
const closedRead = { type: "failed", code: "store-failed", message: closedMessage } as const
