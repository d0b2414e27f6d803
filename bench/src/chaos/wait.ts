/**
 * Waiting, always bounded in time and ended by the run's abort signal. A wait that is too long is
 * an error that names what did not happen.
 */
import { setTimeout as delay } from "node:timers/promises"

export type Patience = {
  readonly timeoutMs: number
  /** Time between two looks. */
  readonly everyMs?: number
  readonly signal?: AbortSignal | undefined
}

/** What did not happen in time, told apart from other failures. */
export class TooLate extends Error {}

/** Resolves once `condition` holds. @throws TooLate; the signal's reason */
export async function until(
  what: string | (() => string),
  condition: () => boolean | Promise<boolean>,
  { timeoutMs, everyMs = 20, signal }: Patience,
): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > end) {
      throw new TooLate(`${typeof what === "string" ? what : what()}: not within ${timeoutMs} ms`)
    }
    await pause(everyMs, signal)
  }
}

/** `promise`, or TooLate. The promise goes on. */
export async function within<Value>(
  what: string,
  promise: Promise<Value>,
  { timeoutMs, signal }: Patience,
): Promise<Value> {
  const over = new AbortController()
  const signals = signal === undefined ? [over.signal] : [over.signal, signal]
  const late = pause(timeoutMs, AbortSignal.any(signals)).then((): never => {
    throw new TooLate(`${what}: not within ${timeoutMs} ms`)
  })
  late.catch(() => {})
  try {
    return await Promise.race([promise, late])
  } finally {
    over.abort()
  }
}

/** A span of the schedule, never a wait for something to happen. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted()
  await delay(ms, undefined, signal === undefined ? {} : { signal })
}

/** Runs tasks one at a time per key, in the order of asking. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  async take<Value>(key: string, task: () => Promise<Value>): Promise<Value> {
    const before = this.#last.get(key) ?? Promise.resolve()
    const turn = before.then(task, task)
    this.#last.set(key, turn)
    return turn
  }

  /** Resolves once nothing is left to do. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#last.values())
  }
}
