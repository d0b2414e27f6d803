/**
 * What tabs that share a client promise each other: what one typed another shows once it is in
 * storage, and not before; what a tab says is saved locally is in storage; and whoever leads hands
 * an update in once, however often it is sent again. Rules [H2]–[H4].
 */
import { assert } from "@causeway/crdt/base"
import type { DocumentId } from "@causeway/crdt/base"
import type { Effect } from "@causeway/crdt/node"
import { checksum } from "../checksum.ts"
import type { ClientDisk } from "../client-disk.ts"
import type { Attempt } from "../checkers/attempts.ts"
import { Coverage } from "../checkers/coverage.ts"
import type { SimNode } from "../sim-node.ts"
import type { SimTab } from "../tabs/sim-tab.ts"
import { demand } from "../violation.ts"
import type { Watcher } from "../watcher.ts"
import type { World } from "../world.ts"
import type { SimWriter } from "../writer.ts"
import type { Invariant } from "./invariant.ts"

/** Storage that fails or is lost leaves whoever leads in doubt: then twice does no harm. */
const DOUBTS: ReadonlySet<string> = new Set([
  "client-storage",
  "client-restored",
  "client-rot",
  "client-wipe",
])

type Typed = {
  readonly attempt: Attempt
  readonly tab: SimTab
  /** Of all that the tab typed. */
  readonly number: number
  isStored: boolean
}

export class TabHonesty implements Watcher {
  readonly #world: World
  /** Not known to be in storage. */
  #typed: Typed[] = []
  /** How often an update was typed, less how often it was stored there, by `keyOf`. */
  readonly #owed = new Map<ClientDisk, Map<string, number>>()
  readonly #counts = new Map<SimTab, number>()
  #inDoubt = false
  readonly compared = { shown: 0, said: 0, stored: 0, answered: 0 }

  constructor(world: World) {
    this.#world = world
  }

  onWrite(writer: SimWriter, document: DocumentId, token: string, update: Uint8Array): void {
    const tab = this.#world.tabs.find((one) => one === writer)
    if (tab === undefined) return
    const attempt = this.#world.oracle.attempts.all.at(-1)
    assert(attempt?.token === token, "the oracle hears of a write first")
    const number = (this.#counts.get(tab) ?? 0) + 1
    this.#counts.set(tab, number)
    this.#typed.push({ attempt, tab, number, isStored: false })
    this.#owe(tab, document, update)
  }

  onDifference(writer: SimWriter, document: DocumentId, update: Uint8Array): void {
    const tab = this.#world.tabs.find((one) => one === writer)
    if (tab !== undefined) this.#owe(tab, document, update)
  }

  #owe({ disk }: SimTab, document: DocumentId, update: Uint8Array): void {
    const key = keyOf(document, update)
    const owed = this.#owed.get(disk) ?? new Map<string, number>()
    this.#owed.set(disk, owed.set(key, (owed.get(key) ?? 0) + 1))
  }

  onStored(document: DocumentId, update: Uint8Array, disk: ClientDisk): void {
    const key = keyOf(document, update)
    const owed = this.#owed.get(disk)?.get(key)
    const typed = this.#typed.find(({ attempt, isStored, tab }) => {
      return !isStored && tab.disk === disk && keyOf(attempt.document, attempt.update) === key
    })
    if (typed !== undefined) typed.isStored = true
    if (owed === undefined) return
    this.#owed.get(disk)?.set(key, owed - 1)
    this.compared.stored += 1
    demand(owed > 0 || this.#inDoubt, INVARIANT, () => {
      return `an update of ${document} was handed in and stored twice`
    })
  }

  onSaved(writer: SimWriter, document: DocumentId, tier: string, writes: number): void {
    this.compared.answered += 1
    const missing = this.#typed.find((one) => {
      const { attempt, tab, number } = one
      const isAsked = tab === writer && attempt.document === document && number <= writes
      return isAsked && !this.#isSafe(one)
    })
    demand(missing === undefined, INVARIANT, () => {
      const token = missing?.attempt.token
      return `${writer.name} was told that ${document} is saved (${tier}), and ${token} is not`
    })
  }

  onFault(fault: string): void {
    if (DOUBTS.has(fault)) this.#inDoubt = true
  }

  /** What was refused is handed in again. */
  onNodeEffect(_node: SimNode, effect: Effect): void {
    if (effect.type === "emit" && effect.event.type === "update-rejected") this.#inDoubt = true
  }

  onTick(): void {
    this.#typed = this.#typed.filter((one) => !one.isStored && !one.attempt.forgotten)
    for (const one of this.#typed) {
      const { attempt, tab } = one
      this.#checkSaid(one)
      for (const other of this.#world.tabs) {
        // Also who leads and has it in its outbox: that is gone once another leads.
        if (other !== tab && other.disk === tab.disk) this.#checkShown(attempt, other)
      }
    }
  }

  #checkSaid(one: Typed): void {
    const { tab, attempt } = one
    const { document, token } = attempt
    const status = tab.sessionOf(document)?.status
    if (tab.isPaused || status === undefined) return
    this.compared.said += 1
    demand(status.savedTo === "memory" || this.#isSafe(one), INVARIANT, () => {
      return `${tab.name} says that ${document} is saved, and ${token} is not in storage`
    })
  }

  /**
   * It may have got to a node within all that the node lacked of the document, not by itself. And
   * another tab may have deleted the same: then it is not handed in again ([H4]).
   */
  #isSafe({ attempt, tab, isStored }: Typed): boolean {
    if (isStored || attempt.forgotten) return true
    const { document, ops } = attempt
    return this.#world.oracle.ledger.holdsSomewhere(document, ops) || this.#inStorage(tab, attempt)
  }

  #inStorage({ disk }: SimTab, { document, ops }: Attempt): boolean {
    const { attempts } = this.#world.oracle
    const coverage = new Coverage()
    for (const update of [...disk.outbox, ...disk.shelf]) {
      if (update.document === document) coverage.add(attempts.opsOf(document, update.bytes))
    }
    const copy = disk.documents.get(document)?.updates ?? []
    for (const update of copy) coverage.add(attempts.opsOf(document, update))
    return coverage.has(ops)
  }

  #checkShown({ document, token, ops }: Attempt, other: SimTab): void {
    const session = other.sessionOf(document)
    // What is only deleted others may have deleted too.
    if (session === undefined || ops.added.length === 0) return
    // Another's leader may have been the way to a node.
    if (this.#world.oracle.ledger.holdsSomewhere(document, ops)) return
    this.compared.shown += 1
    demand(session.view.missing(ops) !== undefined, INVARIANT, () => {
      return `${other.name} shows ${token} of ${document}, which is in no storage`
    })
  }
}

function keyOf(document: DocumentId, update: Uint8Array): string {
  return `${checksum(update)} ${update.length} ${document}`
}

const INVARIANT = "tab-honesty"

export const tabHonesty: Invariant = {
  name: INVARIANT,
  explain: "tabs show what others typed once it is stored, and it is stored once",
  watch: (world) => (world.tabs.length === 0 ? {} : new TabHonesty(world)),
}
