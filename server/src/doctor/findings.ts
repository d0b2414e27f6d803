/**
 * What is wrong with a data folder, in words and as data. A finding says whether anything is lost
 * for good; what is lost is named, up to a bound. Rules [B5] [B6].
 */
import type { NodeId, OriginId } from "@causeway/crdt/base"
import type { StoreKind } from "../store/index.ts"

export type FindingKind =
  /** The file itself: pages that don't read, or contradict each other. */
  | "pages"
  /** An index that does not agree with its table. */
  | "index"
  /** Entries whose checksum fails, or that are no record. */
  | "entry"
  /** Entries that are not there though later ones are. */
  | "gap"
  /** The own log ends before where it was when it was opened last. */
  | "tail"
  /** Entries that don't follow from the one before. */
  | "chain"
  /** Entries of an origin that has no name. */
  | "origin"
  /** Entries that stand under another document than their own. */
  | "document"
  /** What clients are told about how far they are saved does not agree with the log. */
  | "client"
  /** Snapshots that don't read, and what only they held. */
  | "snapshot"
  /** Who the folder belongs to. */
  | "identity"
  /** The record of the last opening, beside the database. */
  | "boot-record"

export type Finding = {
  readonly kind: FindingKind
  /** What it leads to: nothing, a fresh epoch at the next start, a repair, or a loss. */
  readonly means: "fresh-epoch" | "repairable" | "lost"
  readonly count: number
  /** One sentence, with the first few cases. */
  readonly message: string
}

/** Entries of one origin that can't be read any more, both ends included. */
export type LostRange = {
  readonly origin: OriginId
  readonly fromSeq: number
  readonly toSeq: number
}

export type Inspection = {
  readonly store: StoreKind
  readonly node: NodeId | undefined
  readonly origin: OriginId | undefined
  readonly format: number
  readonly entries: number
  readonly documents: number
  readonly clients: number
  /** Where each origin's log ends. */
  readonly vector: Readonly<Record<string, number>>
  readonly findings: readonly Finding[]
  /** The first `lostRangesMax`. */
  readonly lost: readonly LostRange[]
  readonly lostCount: number
}

/** Ranges of lost entries that are named. Past it they are only counted. */
export const lostRangesMax = 1000
/** Cases that a finding's sentence names. */
const casesMax = 3

type Open = { means: Finding["means"]; count: number; readonly cases: string[]; what: string }

/** Gathers findings, one per kind and meaning. */
export class Findings {
  readonly #open = new Map<string, Open & { readonly kind: FindingKind }>()
  readonly lost: LostRange[] = []
  lostCount = 0

  /** `what`: the sentence's beginning, the same for all of its cases. */
  add(kind: FindingKind, means: Finding["means"], what: string, name: string, count = 1): void {
    const key = `${kind} ${means} ${what}`
    const open = this.#open.get(key) ?? { kind, means, count: 0, cases: [], what }
    this.#open.set(key, open)
    open.count += count
    if (open.cases.length < casesMax && name !== "") open.cases.push(name)
  }

  /** Entries that are gone: named as far as there is room. */
  lose(kind: FindingKind, what: string, { origin, fromSeq, toSeq }: LostRange): void {
    const count = toSeq - fromSeq + 1
    const name = count === 1 ? `${origin} ${fromSeq}` : `${origin} ${fromSeq}–${toSeq}`
    this.add(kind, "lost", what, name, count)
    this.lostCount += count
    const last = this.lost.at(-1)
    if (last?.origin === origin && last.toSeq === fromSeq - 1) {
      this.lost[this.lost.length - 1] = { ...last, toSeq }
    } else if (this.lost.length < lostRangesMax) this.lost.push({ origin, fromSeq, toSeq })
  }

  all(): Finding[] {
    return [...this.#open.values()].map(({ kind, means, count, cases, what }) => {
      const more = count > cases.length && cases.length === casesMax ? ", …" : ""
      const named = cases.length === 0 ? "" : ` (${cases.join(", ")}${more})`
      return { kind, means, count, message: `${what}: ${count}${named}` }
    })
  }
}
