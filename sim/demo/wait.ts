/**
 * Waiting, always bounded in time and ended by the demo's abort signal. A wait that is too long
 * is an error that names what did not happen.
 */
import { setTimeout as delay } from "node:timers/promises"

export type Patience = {
  readonly timeoutMs?: number
  /** Time between two looks. */
  readonly everyMs?: number
  readonly signal?: AbortSignal
}

const defaultTimeoutMs = 20_000

/** Resolves once `condition` holds. @throws Error when the time is over or the signal fires */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  { timeoutMs = defaultTimeoutMs, everyMs = 5, signal }: Patience = {},
): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`did not happen in ${timeoutMs} ms: ${what}`)
    await pause(everyMs, signal)
  }
}

/** `promise`, or an error that names it. @throws Error when the time is over or the signal fires */
export async function within<T>(
  what: string,
  promise: Promise<T>,
  { timeoutMs = defaultTimeoutMs, signal }: Patience = {},
): Promise<T> {
  const over = new AbortController()
  const signals = signal === undefined ? [over.signal] : [over.signal, signal]
  const late = pause(timeoutMs, AbortSignal.any(signals)).then(() => {
    throw new Error(`did not happen in ${timeoutMs} ms: ${what}`)
  })
  late.catch(() => {})
  try {
    return await Promise.race([promise, late])
  } finally {
    over.abort()
  }
}

/** A span of the schedule: how long a cut lasts, never a wait for something to happen. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted()
  await delay(ms, undefined, signal === undefined ? {} : { signal })
}
