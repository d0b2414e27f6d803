/**
 * How long a client tries to open its storage before it lives in memory alone. Storage that does
 * not answer is not waited for: it gets nothing, and is closed if it opens late. Rule [C11].
 */
import type { ClientId } from "@causeway/crdt/base"
import type { ClientStorage, LoadResult, StorageFailure } from "@causeway/crdt/ports"

/** Another tab, or the last life of this one, may just be letting go of it. */
export const openAttempts = 4
export const openPauseMs = 300

/**
 * In steps: a tab that slept through one, however long, has waited for that one alone. Longer than
 * a slow phone takes to read a week's outbox.
 */
export const openStepMs = 5000
export const openStepsMax = 6

const unanswered: StorageFailure = {
  ok: false,
  code: "failed",
  message: "local storage does not answer",
}

export function isWorthRetrying(failure: StorageFailure): boolean {
  const { code } = failure
  return failure !== unanswered && (code === "blocked" || code === "closed" || code === "failed")
}

/** Answers in any case. `isAbandoned`: somebody else sees to it that the storage is closed. */
export function loadInTime(
  storage: ClientStorage,
  fresh: ClientId,
  isAbandoned: () => boolean,
): Promise<LoadResult> {
  return new Promise((resolve) => {
    let steps = 0
    let isLate = false
    const timer = setInterval(() => {
      steps += 1
      if (steps < openStepsMax) return
      clearInterval(timer)
      isLate = !isAbandoned()
      if (isLate) storage.forgo?.()
      resolve(unanswered)
    }, openStepMs)
    storage.load(fresh, (result) => {
      clearInterval(timer)
      resolve(result)
      if (isLate && result.ok) storage.close(() => undefined)
    })
  })
}
