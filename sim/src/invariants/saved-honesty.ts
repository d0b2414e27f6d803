/**
 * What an app may tell its user: while a client says of a document that it is saved to a node,
 * everything that its user typed there was on a node's disk. Compared with what was ever durable,
 * as disks may lose it again. An update under a number that its client gave out before, on older
 * storage, may be taken for the first one [N2]; such a client is not asked.
 */
import { assert } from "@causeway/crdt/base"
import type { DocumentId } from "@causeway/crdt/base"
import { decodeUpdate } from "@causeway/crdt/log"
import type { AppendBatch } from "@causeway/crdt/ports"
import type { Attempt } from "../checkers/attempts.ts"
import { Coverage } from "../checkers/coverage.ts"
import { isAtNode } from "../open-document.ts"
import type { HostId } from "../reachability.ts"
import { demand } from "../violation.ts"
import type { Watcher } from "../watcher.ts"
import type { World } from "../world.ts"
import type { SimWriter } from "../writer.ts"
import type { Invariant } from "./invariant.ts"

/** `number`: of all that its writer typed. */
type Typed = { readonly attempt: Attempt; readonly number: number }

export class SavedHonesty implements Watcher {
  readonly #world: World
  /** All that ever was on any node's disk. */
  readonly #logged = new Map<DocumentId, Coverage>()
  /** What was typed and not found in there so far. */
  readonly #typed = new Map<SimWriter, Map<DocumentId, Typed[]>>()
  readonly #counts = new Map<SimWriter, number>()

  #compared = 0

  constructor(world: World) {
    this.#world = world
  }

  /** Updates that a client said are saved, and that were looked for. */
  get compared(): number {
    return this.#compared
  }

  onWrite(writer: SimWriter, document: DocumentId, token: string): void {
    if (writer.kind !== "native") return
    // Not by its bytes: two who delete the same write the same.
    const attempt = this.#world.oracle.attempts.all.at(-1)
    assert(attempt?.token === token, "the oracle hears of a write first")
    const number = (this.#counts.get(writer) ?? 0) + 1
    this.#counts.set(writer, number)
    const typed = this.#typed.get(writer) ?? new Map<DocumentId, Typed[]>()
    this.#typed.set(writer, typed)
    const attempts = typed.get(document)
    if (attempts === undefined) typed.set(document, [{ attempt, number }])
    else attempts.push({ attempt, number })
  }

  onSaved(writer: SimWriter, document: DocumentId, tier: string, writes: number): void {
    const { writers, clientDisks, oracle } = this.#world
    if (tier !== "node" || oracle.mayReuseNumbers(clientDisks[writers.indexOf(writer)]?.client)) {
      return
    }
    const typed = this.#typed.get(writer)?.get(document) ?? []
    const asked = typed.filter(({ number }) => number <= writes)
    this.#check(writer, document, asked)
  }

  /** What is adopted was another node's own before. */
  onDurable(_node: HostId, batch: AppendBatch): void {
    for (const record of batch.own) {
      const update = decodeUpdate(record)
      if (update === undefined) continue
      const { document, body } = update
      this.#loggedOf(document).add(this.#world.oracle.attempts.opsOf(document, body))
    }
  }

  onTick(): void {
    const { writers, clientDisks, oracle } = this.#world
    for (const [index, writer] of writers.entries()) {
      const typed = this.#typed.get(writer)
      // What is typed while a process stands still has not reached its core.
      if (typed === undefined || writer.isPaused) continue
      // Native clients come first, each with its storage.
      if (oracle.mayReuseNumbers(clientDisks[index]?.client)) continue
      for (const [document, attempts] of typed) {
        if (!isAtNode(writer.sessionOf(document))) continue
        this.#check(writer, document, attempts)
        typed.delete(document)
      }
    }
  }

  onRest(): void {
    this.onTick()
  }

  #check({ name }: SimWriter, document: DocumentId, typed: readonly Typed[]): void {
    for (const { attempt } of typed) {
      const { ops, forgotten } = attempt
      if (forgotten) continue
      this.#compared += 1
      const missing = this.#loggedOf(document).missing(ops)
      demand(missing === undefined, INVARIANT, () => {
        return `${name} says that ${document} is saved, and no node ever had ${missing} on its disk`
      })
    }
  }

  #loggedOf(document: DocumentId): Coverage {
    const logged = this.#logged.get(document) ?? new Coverage()
    this.#logged.set(document, logged)
    return logged
  }
}

const INVARIANT = "saved-honesty"

export const savedHonesty: Invariant = {
  name: INVARIANT,
  explain: "what a client says is saved to a node was on a node's disk",
  watch: (world) => new SavedHonesty(world),
}
