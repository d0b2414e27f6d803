/** Both writers on their nodes, and how far they have come together. */
import type { Trace } from "./trace.ts"
import type * as Y from "yjs"
import { until } from "./wait.ts"
import { Writer } from "./writer.ts"
import type { Typescript } from "./writer.ts"

export class Replay {
  readonly total: number
  readonly writers: readonly Writer[]
  #limit = 0

  constructor({ transactions }: Trace, replicas: readonly [Y.Doc, Y.Doc]) {
    const typescript: Typescript = [[], []]
    const limit = () => this.#limit
    this.total = transactions.length
    this.writers = ([0, 1] as const).map((agent) => {
      return new Writer({ agent, replica: replicas[agent], transactions, typescript, limit })
    })
  }

  get written(): number {
    return this.writers.reduce((sum, writer) => sum + writer.written, 0)
  }

  /** Lets them type the trace up to this transaction. */
  allow(limit: number): void {
    this.#limit = limit
    for (const writer of this.writers) writer.wake()
  }

  /** Resolves once so many are typed. @throws Error that says what each writer waits for */
  async reaches(count: number, timeoutMs: number, signal: AbortSignal): Promise<void> {
    try {
      const what = `${count} transactions are typed`
      await until(what, () => this.written >= count, { timeoutMs, everyMs: 2, signal })
    } catch (error) {
      signal.throwIfAborted()
      const [first, second] = this.writers.map(({ state }) => state)
      throw new Error(`the writers stand still: first ${first}; second ${second}`, { cause: error })
    }
  }

  stop(): void {
    for (const writer of this.writers) writer.stop()
  }
}
