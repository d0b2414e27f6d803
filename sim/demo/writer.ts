/**
 * One of the two people: types their transactions of the trace, each as soon as their own replica
 * has received through the network all that it was typed on. The replica is a stock client's; the
 * editor behind it gets the other person's transactions only as far as the next own one needs
 * them, because the replica may be ahead of what was seen when the transaction was typed.
 */
import * as Y from "yjs"
import { Editor, holds } from "./editor.ts"
import type { Typed } from "./editor.ts"
import type { Agent, Transaction } from "./trace.ts"
import { otherAgent } from "./trace.ts"

/** Typed in one go, so that what arrives in between is seen. */
const batchMax = 32

/** What both have typed. A writer looks only at what its replica is found to hold. */
export type Typescript = readonly [Typed[], Typed[]]

export type WriterOptions = {
  readonly agent: Agent
  /** The document of a client on the network. */
  readonly replica: Y.Doc
  readonly transactions: readonly Transaction[]
  readonly typescript: Typescript
  /** Only transactions before this place in the trace may be typed for now. */
  readonly limit: () => number
}

export class Writer {
  readonly #replica: Y.Doc
  readonly #agent: Agent
  readonly #script: readonly Transaction[]
  readonly #typescript: Typescript
  readonly #limit: () => number
  readonly #editor: Editor
  /** The other's transactions that the replica holds, and how many of them the editor got. */
  #held = 0
  #learned = 0
  #scheduled = false
  #stopped = false

  constructor({ agent, replica, transactions, typescript, limit }: WriterOptions) {
    this.#replica = replica
    this.#agent = agent
    this.#script = transactions.filter((transaction) => transaction.agent === agent)
    this.#typescript = typescript
    this.#limit = limit
    this.#editor = new Editor(agent)
    replica.on("update", this.wake)
  }

  get written(): number {
    return this.#typescript[this.#agent].length
  }

  /** In a sentence, for when nothing moves. */
  get state(): string {
    const next = this.#script[this.written]
    if (next === undefined) return "has typed everything"
    const { index, needs } = next
    if (needs > this.#held) return `#${index} needs ${needs} of the other's, holds ${this.#held}`
    return index < this.#limit() ? `can type #${index}` : `#${index} is not due yet`
  }

  /** Types what it can, soon. */
  readonly wake = (): void => {
    if (this.#scheduled || this.#stopped) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      if (!this.#stopped) this.#typeSome()
    })
  }

  stop(): void {
    this.#stopped = true
    this.#replica.off("update", this.wake)
    this.#editor.destroy()
  }

  #typeSome(): void {
    this.#lookAtReplica()
    for (let count = 0; count < batchMax; count++) {
      const next = this.#script[this.written]
      if (next === undefined || next.needs > this.#held || next.index >= this.#limit()) return
      this.#type(next)
    }
    this.wake()
  }

  #lookAtReplica(): void {
    for (const each of this.#typescript[otherAgent(this.#agent)].slice(this.#held)) {
      if (!holds(this.#replica, each)) return
      this.#held++
    }
  }

  #type(transaction: Transaction): void {
    const others = this.#typescript[otherAgent(this.#agent)]
    for (const each of others.slice(this.#learned, transaction.needs)) {
      this.#editor.learn(each)
      this.#learned++
    }
    const typed = this.#editor.type(transaction)
    this.#typescript[this.#agent].push(typed)
    Y.applyUpdate(this.#replica, typed.update, this)
  }
}
