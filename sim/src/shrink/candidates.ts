/**
 * Makes a failing run smaller: fewer faults, fewer writes, fewer clients and nodes, less time.
 * It only proposes; whoever runs the proposals answers each with whether it still fails. Faults
 * are removed by delta debugging (Zeller and Hildebrandt 2002: halves, quarters, … single ones),
 * numbers by bisection, in rounds until nothing gets smaller.
 */
import type { FaultEvent } from "../faults/index.ts"
import type { SimOptions } from "../options.ts"

/** Yields smaller runs, is told of each whether it fails, and returns the smallest that did. */
type Shrinking<Value> = Generator<SimOptions, Value, boolean>

/** A failing run: its faults are listed, not drawn. */
export type Failing = SimOptions & { readonly schedule: readonly FaultEvent[] }

export function* smaller(failing: Failing): Shrinking<Failing> {
  let best = failing
  for (;;) {
    const before = JSON.stringify(best)
    best = yield* fewerFaults(best)
    best = yield* lowerNumber(best, "writesMax", 0)
    best = yield* lowerNumber(best, "stockClients", 0)
    best = yield* lowerNumber(best, "clients", 0)
    best = yield* lowerNumber(best, "browsers", 0)
    best = yield* withoutTokens(best)
    best = yield* lowerNumber(best, "nodes", 1)
    best = yield* lowerNumber(best, "seconds", 1)
    best = yield* shorterFaults(best)
    if (JSON.stringify(best) === before) return best
  }
}

function* withoutTokens(failing: Failing): Shrinking<Failing> {
  const candidate = { ...failing, tokens: false }
  return failing.tokens === true && (yield candidate) ? candidate : failing
}

function* fewerFaults(failing: Failing): Shrinking<Failing> {
  let best = failing
  for (let size = best.schedule.length; size > 0;) {
    let removed = false
    for (let start = 0; start < best.schedule.length;) {
      const end = start + size
      const schedule = best.schedule.filter((_, index) => index < start || index >= end)
      const candidate = { ...best, schedule }
      if (yield candidate) {
        best = candidate
        removed = true
      } else start = end
    }
    if (size === 1 && !removed) break
    size = Math.max(1, Math.floor(size / 2))
  }
  return best
}

type Count = "writesMax" | "stockClients" | "clients" | "browsers" | "nodes" | "seconds"

/** The lowest value that still fails, if lower ones fail less. */
function* lowerNumber(failing: Failing, name: Count, least: number): Shrinking<Failing> {
  let best = failing
  let low = least
  for (;;) {
    const high = best[name] ?? 0
    if (low >= high) return best
    const middle = Math.floor((low + high) / 2)
    const candidate = { ...best, [name]: middle }
    if (yield candidate) best = candidate
    else low = middle + 1
  }
}

/** Each fault over at once, or in half the time. */
function* shorterFaults(failing: Failing): Shrinking<Failing> {
  let best = failing
  for (let index = 0; index < best.schedule.length; index++) {
    for (const factor of [0, 0.5]) {
      const schedule = best.schedule.map((event, place) => {
        return place === index ? { ...event, lastsMs: Math.round(event.lastsMs * factor) } : event
      })
      const candidate = { ...best, schedule }
      if (best.schedule[index]?.lastsMs === schedule[index]?.lastsMs) continue
      if (yield candidate) {
        best = candidate
        break
      }
    }
  }
  return best
}
