/**
 * Owns the only loop around a node's core: turns the world into inputs, carries out effects in
 * their order, and sets one timer. Invariants: `step` is never entered from within `step` or an
 * effect (answers are queued, even those that come at once); all frames for one socket in one
 * pass leave in one write.
 */
import { partsOfDocumentId } from "@causeway/crdt/base"
import type { Millis } from "@causeway/crdt/base"
import type { Command, Effect, Input, NodeCore, NodeEvent, Reply } from "@causeway/crdt/node"
import type { ReopenDoubt, Store } from "@causeway/crdt/ports"
import type { TokenChecks } from "./auth/authenticate.ts"
import type { LazyEngines } from "./engines.ts"
import type { Jobs } from "./jobs/jobs.ts"
import type { Transport } from "./transport/transport.ts"

const driverLimits = {
  /** What arrives in one turn of Node's loop is one pass, unless it is more than this. */
  passInputsMax: 1024,
  passBytesMax: 4 * 1024 * 1024,
} as const

export type DriverOptions = {
  readonly core: Pick<NodeCore, "step" | "nextDeadline">
  readonly store: Store
  readonly transport: Pick<Transport, "send" | "close" | "dial" | "flush">
  readonly jobs: Pick<Jobs, "run">
  /** Undefined: the core does not ask. */
  readonly tokens: TokenChecks | undefined
  readonly engines: LazyEngines
  readonly now: () => Millis
  readonly onEvent: (event: NodeEvent) => void
  /** Follows the input `stop`: everything accepted is durable. */
  readonly onStopped: () => void
  /** The core is over: its log is in doubt. */
  readonly onReopen: (doubt: ReopenDoubt) => void
}

export class Driver {
  readonly #options: DriverOptions
  readonly #effects: Effect[] = []
  readonly #commands = new Map<number, (reply: Reply) => void>()
  #inputs: Input[] = []
  #bytes = 0
  #scheduled = false
  #running = false
  /** Waiting for an engine: inputs stay queued, in order. */
  #held = false
  #ended = false
  #timer: NodeJS.Timeout | undefined
  #timerAtMs = Infinity
  #lastCommand = 0

  constructor(options: DriverOptions) {
    this.#options = options
    this.#arm()
  }

  /** Takes an input; the core sees it in the next pass, after all that were given before. */
  give(input: Input): void {
    if (this.#ended) return
    this.#inputs.push(input)
    if (input.type === "frame") this.#bytes += input.frame.length
    const { passInputsMax, passBytesMax } = driverLimits
    const isFull = this.#inputs.length >= passInputsMax || this.#bytes >= passBytesMax
    if (isFull && !this.#running && !this.#held) this.#pass()
    else this.#schedule()
  }

  /** Asks the core something; answered once. */
  ask(request: Command, answer: (reply: Reply) => void): void {
    if (this.#ended) return answer(endedReply)
    const command = ++this.#lastCommand
    this.#commands.set(command, answer)
    this.give({ type: "command", command, request })
  }

  /** Nothing is given to the core or carried out any more; what was asked fails. */
  end(): void {
    this.#ended = true
    clearTimeout(this.#timer)
    this.#inputs = []
    const answers = [...this.#commands.values()]
    this.#commands.clear()
    for (const answer of answers) answer(endedReply)
  }

  /** A pass runs right after Node has read what all sockets had for it. */
  #schedule(): void {
    if (this.#scheduled || this.#held) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      if (!this.#ended && !this.#held) this.#pass()
    })
  }

  #pass(): void {
    const inputs = this.#inputs
    this.#inputs = []
    this.#bytes = 0
    this.#running = true
    for (const [index, input] of inputs.entries()) {
      if (this.#mustHold(input)) {
        this.#hold(inputs.slice(index))
        break
      }
      this.#step(input)
    }
    this.#options.transport.flush()
    this.#running = false
    if (!this.#ended) this.#arm()
  }

  #step(input: Input): void {
    const effects = this.#effects
    this.#options.core.step(input, this.#options.now(), effects)
    for (const effect of effects) this.#carryOut(effect)
    effects.length = 0
  }

  /** Only these inputs lead to Automerge documents; all later work on those follows them. */
  #mustHold(input: Input): boolean {
    if (this.#options.engines.has("automerge")) return false
    if (input.type === "opened") return input.endpoint.type !== "y-websocket"
    if (input.type !== "command" || input.request.type !== "read-document") return false
    return partsOfDocumentId(input.request.document).engine === "automerge"
  }

  #hold(inputs: Input[]): void {
    this.#held = true
    this.#inputs = [...inputs, ...this.#inputs]
    void this.#options.engines.load().then(() => {
      this.#held = false
      this.#schedule()
    })
  }

  #carryOut(effect: Effect): void {
    const { store, transport, jobs, tokens, onEvent, onStopped, onReopen } = this.#options
    switch (effect.type) {
      case "send":
        return transport.send(effect.to, effect.frames)
      case "close":
        return transport.close(effect.connection, effect.reason)
      case "append": {
        const { batch, entries } = effect
        return store.append(entries, (result) => this.give({ type: "committed", batch, result }))
      }
      case "read": {
        const { read, query } = effect
        return store.read(query, (result) => this.give({ type: "read-done", read, result }))
      }
      case "job": {
        const { job, work } = effect
        return jobs.run(work, (result) => this.give({ type: "job-done", job, result }))
      }
      case "check-token": {
        const { connection, token } = effect
        void tokens?.check(token).then((check) => {
          this.give({ type: "token-checked", connection, check })
        })
        return undefined
      }
      case "dial":
        return transport.dial(effect.address)
      case "reply": {
        const answer = this.#commands.get(effect.command)
        this.#commands.delete(effect.command)
        return answer?.(effect.reply)
      }
      case "emit":
        return onEvent(effect.event)
      case "stopped":
        return onStopped()
      case "reopen":
        return onReopen(effect.doubt)
    }
  }

  /** One timer, for the earliest deadline; one that moved later is looked up when it fires. */
  #arm(): void {
    const deadline = this.#options.core.nextDeadline()
    if (deadline === undefined || deadline.atMs >= this.#timerAtMs) return
    clearTimeout(this.#timer)
    this.#timerAtMs = deadline.atMs
    const waitMs = Math.ceil(deadline.atMs - this.#options.now())
    this.#timer = setTimeout(() => this.#onTimer(), Math.max(waitMs, 0))
  }

  #onTimer(): void {
    this.#timerAtMs = Infinity
    const deadline = this.#options.core.nextDeadline()
    if (deadline !== undefined && deadline.atMs <= this.#options.now()) {
      this.give({ type: "deadline" })
    } else this.#arm()
  }
}

const endedReply: Reply = { type: "failed", code: "read-failed", message: "the node is stopping" }
