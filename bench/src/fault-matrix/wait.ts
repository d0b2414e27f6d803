/** Bounded waiting: every observation of the matrix has an end, and not happening is an answer. */
import { setTimeout as delay } from "node:timers/promises"

const pollMs = 10

/** Whether `condition` came to hold within `msMax`. */
export async function happens(condition: () => boolean, msMax: number): Promise<boolean> {
  const endMs = performance.now() + msMax
  while (!condition()) {
    if (performance.now() > endMs) return false
    await delay(pollMs)
  }
  return true
}

/** @throws Error when `condition` does not come to hold within `msMax`, with `what` in it. */
export async function need(what: string, condition: () => boolean, msMax: number): Promise<void> {
  if (!(await happens(condition, msMax))) throw new Error(`not within ${msMax} ms: ${what}`)
}
