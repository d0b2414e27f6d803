/**
 * Every write anybody ever attempted, by its token, and where it was proved to be: a node proves
 * it by an ack, or by showing it to somebody else (a node shows only what is on its disk). A lost
 * disk takes its proofs along. What is still proved by one disk, or held by a client that lives
 * on, must be on every node in the end; so must what a quorum acked, as no round takes two disks.
 */
import type { EngineName } from "@causeway/crdt/base"
import { tokensIn } from "./content.ts"

export type AckTier = "node" | "quorum" | "all"

export type DocumentName = { readonly engine: EngineName; readonly name: string }

export type WriteRecord = {
  readonly token: string
  readonly document: DocumentName
  readonly writer: string
  readonly atMs: number
  acked: AckTier | undefined
  /** Somebody but the writer was shown it. */
  seen: boolean
  /** Nodes whose disk has it. */
  readonly proved: Set<string>
  /** Clients that hold it and live on: they give a node what it lacks. */
  readonly holders: Set<string>
}

export type Duty = "acked" | "seen" | "held"

export class Ledger {
  readonly #writes = new Map<string, WriteRecord>()
  readonly #byDocument = new Map<string, WriteRecord[]>()
  /** Tokens that somebody was shown and nobody wrote. */
  readonly phantoms = new Set<string>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  attempt(token: string, document: DocumentName, writer: string): void {
    const write: WriteRecord = {
      token,
      document,
      writer,
      atMs: this.#now(),
      acked: undefined,
      seen: false,
      proved: new Set(),
      holders: new Set(),
    }
    this.#writes.set(token, write)
    const key = keyOf(document)
    const same = this.#byDocument.get(key)
    if (same === undefined) this.#byDocument.set(key, [write])
    else same.push(write)
  }

  acked(token: string, tier: AckTier, node: string | undefined): void {
    const write = this.#writes.get(token)
    if (write === undefined) return
    write.acked = strongest(write.acked, tier)
    if (node !== undefined) write.proved.add(node)
  }

  /** A client was shown it by a node. */
  seen(token: string, node: string | undefined): void {
    const write = this.#writes.get(token)
    if (write === undefined) {
      this.phantoms.add(token)
      return
    }
    write.seen = true
    if (node !== undefined) write.proved.add(node)
  }

  holds(token: string, client: string): void {
    this.#writes.get(token)?.holders.add(client)
  }

  /** The client let go of a document, or of all that it has. */
  letGo(client: string, document?: DocumentName): void {
    const writes = document === undefined ? this.#writes.values() : this.of(document)
    for (const write of writes) write.holders.delete(client)
  }

  /** What a node's disk is known to have, to be kept with a copy of its folder. */
  copyOf(node: string): ReadonlySet<string> {
    const tokens = new Set<string>()
    for (const { token, proved } of this.#writes.values()) if (proved.has(node)) tokens.add(token)
    return tokens
  }

  /** The node's disk has nothing any more but what it had in an older copy. */
  diskLost(node: string, kept: ReadonlySet<string> = new Set()): void {
    for (const { token, proved } of this.#writes.values()) {
      if (!kept.has(token)) proved.delete(node)
    }
  }

  /** What nodes show is on their disks. */
  onShown(nodes: ReadonlyMap<string, object>): void {
    for (const [node, content] of nodes) {
      for (const token of tokensIn(content)) this.#writes.get(token)?.proved.add(node)
    }
  }

  of(document: DocumentName): readonly WriteRecord[] {
    return this.#byDocument.get(keyOf(document)) ?? []
  }

  documents(): DocumentName[] {
    return [...this.#byDocument.values()].flatMap(([first]) => (first ? [first.document] : []))
  }

  has(token: string): boolean {
    return this.#writes.has(token)
  }

  get counts(): Record<"writes" | "seen" | AckTier, number> {
    const counts = { writes: 0, seen: 0, node: 0, quorum: 0, all: 0 }
    for (const { acked, seen } of this.#writes.values()) {
      counts.writes += 1
      if (seen) counts.seen += 1
      if (acked !== undefined) counts[acked] += 1
    }
    return counts
  }
}

/** Why a write must be on every node; undefined if a lost disk excuses it, or nobody promised. */
export function dutyOf({ acked, proved, holders }: WriteRecord): Duty | undefined {
  if (acked === "quorum" || acked === "all") return "acked"
  // A node that proved it without an ack has shown it.
  if (proved.size > 0) return acked === undefined ? "seen" : "acked"
  return holders.size > 0 ? "held" : undefined
}

export function keyOf({ engine, name }: DocumentName): string {
  return `${engine}/${name}`
}

const strength: readonly AckTier[] = ["node", "quorum", "all"]

function strongest(before: AckTier | undefined, tier: AckTier): AckTier {
  return before !== undefined && strength.indexOf(before) > strength.indexOf(tier) ? before : tier
}
