/**
 * Clients that live through the whole run, as an app that stays open: they write whatever happens
 * to their nodes, and hold all that they wrote and were shown until they close a document. So they
 * give a node what it lacks, and what they hold must be everywhere in the end.
 */
import type { DocumentName, Ledger } from "./ledger.ts"
import type { Random } from "./random.ts"

/** What all clients of a run are given. */
export type ClientWorld = {
  readonly ledger: Ledger
  readonly random: Random
  readonly names: readonly string[]
  /** `ws://HOST:PORT` of a node, by name. */
  readonly entrance: (node: string) => string
  /** What no honest client may meet: a refusal for good, or a frame that makes no sense. */
  readonly onBroken: (rule: "client-refused" | "protocol", why: string) => void
}

export interface Resident {
  readonly name: string
  readonly kind: "native" | "stock"
  open(document: DocumentName): void
  /** False if it cannot write there yet. */
  write(document: DocumentName, token: string): boolean
  /** What it shows; undefined if it does not have the document open. */
  shown(document: DocumentName): Record<string, unknown> | undefined
  /** Why it is not at rest: it has no node, or updates that no node acked. */
  unrest(): string | undefined
  close(document: DocumentName): void
  end(): Promise<void>
}
