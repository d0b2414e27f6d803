/**
 * What is covered of one Automerge document: the changes of which all ancestors are known, and
 * their heads. Changes take effect one by one, so an update can be partly covered.
 */
import { assert } from "../../base/assert.ts"
import type { Frontier, UpdateFacts } from "../engine.ts"
import { writeHeads } from "./heads.ts"

type Update = { readonly bytes: number; open: number; counted: boolean }
type Waiting = { readonly hash: string; readonly deps: readonly string[]; missing: number }

export class AutomergeFrontier implements Frontier {
  readonly #covered = new Set<string>()
  /** Actor to sequence number to hash, of all changes seen. */
  readonly #names = new Map<string, Map<number, string>>()
  readonly #heads = new Set<string>()
  readonly #pending = new Map<string, readonly Update[]>()
  /** Missing hash to the changes that need it. */
  readonly #waiting = new Map<string, Waiting[]>()
  #pendingBytes = 0

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  get pending(): boolean {
    return this.#pending.size > 0
  }

  /** O(changes + dependencies), what it completes included. */
  add(facts: UpdateFacts, bytes: number): "covered" | "pending" {
    const update: Update = { bytes, open: 0, counted: false }
    const deps = depsOf(facts)
    this.#name(facts)
    for (const hash of facts.gives) this.#addChange(hash, deps.get(hash) ?? [], update)
    if (update.open === 0) return "covered"
    update.counted = true
    this.#pendingBytes += bytes
    return "pending"
  }

  contradicts(facts: UpdateFacts): boolean {
    return facts.spans.some(({ writer, to }, index) => {
      const known = this.#names.get(writer)?.get(to)
      return known !== undefined && known !== facts.gives[index]
    })
  }

  summary(): Uint8Array {
    return writeHeads(this.#heads)
  }

  /** The first change to use a name keeps it. */
  #name(facts: UpdateFacts): void {
    facts.spans.forEach(({ writer, to }, index) => {
      const hash = facts.gives[index]
      assert(hash !== undefined, "each Automerge span is a change")
      const known = this.#names.get(writer)
      if (known === undefined) this.#names.set(writer, new Map([[to, hash]]))
      else if (!known.has(to)) known.set(to, hash)
    })
  }

  #addChange(hash: string, deps: readonly string[], update: Update): void {
    if (this.#covered.has(hash)) return
    const waitingUpdates = this.#pending.get(hash)
    if (waitingUpdates !== undefined) {
      // Sent again while it waits: this update waits for the same change.
      if (!waitingUpdates.includes(update)) {
        update.open += 1
        this.#pending.set(hash, [...waitingUpdates, update])
      }
      return
    }
    const missing = deps.filter((dep) => !this.#covered.has(dep))
    if (missing.length === 0) {
      this.#cover(hash, deps)
      return
    }
    update.open += 1
    this.#pending.set(hash, [update])
    const waiting: Waiting = { hash, deps, missing: missing.length }
    for (const dep of missing) {
      const known = this.#waiting.get(dep)
      if (known === undefined) this.#waiting.set(dep, [waiting])
      else known.push(waiting)
    }
  }

  #cover(hash: string, deps: readonly string[]): void {
    const ready: { hash: string; deps: readonly string[] }[] = [{ hash, deps }]
    for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
      this.#covered.add(next.hash)
      for (const dep of next.deps) this.#heads.delete(dep)
      this.#heads.add(next.hash)
      this.#close(next.hash)
      for (const waiting of this.#waiting.get(next.hash) ?? []) {
        waiting.missing -= 1
        if (waiting.missing === 0) ready.push(waiting)
      }
      this.#waiting.delete(next.hash)
    }
  }

  #close(hash: string): void {
    for (const update of this.#pending.get(hash) ?? []) {
      update.open -= 1
      // While the update is still being added, its bytes have not been counted.
      if (update.open === 0 && update.counted) this.#pendingBytes -= update.bytes
    }
    this.#pending.delete(hash)
  }
}

function depsOf(facts: UpdateFacts): Map<string, string[]> {
  const deps = new Map<string, string[]>()
  for (const { writer, on } of facts.waits) {
    assert(writer !== undefined, "an Automerge wait names its change")
    const known = deps.get(writer)
    if (known === undefined) deps.set(writer, [on])
    else known.push(on)
  }
  return deps
}
