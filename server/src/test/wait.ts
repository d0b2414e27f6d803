/** Waiting for conditions, always bounded in time. */
import { setTimeout as sleep } from "node:timers/promises"

/** Resolves once `condition` holds. @throws Error after `timeoutMs`, naming what did not happen */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 10_000,
): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`did not happen in ${timeoutMs} ms: ${what}`)
    await sleep(5)
  }
}

/** `promise`, or an error after `timeoutMs` that names it. */
export async function soon<T>(what: string, promise: Promise<T>, timeoutMs = 10_000): Promise<T> {
  const over = new AbortController()
  const late = sleep(timeoutMs, undefined, { signal: over.signal }).then(() => {
    throw new Error(`did not happen in ${timeoutMs} ms: ${what}`)
  })
  late.catch(() => {})
  try {
    return await Promise.race([promise, late])
  } finally {
    over.abort()
  }
}
