/** Times and numbers as people read them. */
import type { Millis } from "@causeway/crdt/base"

/** `1.2 s`, `2:05 min`, `1:02:05 h`. */
export function duration(ms: Millis): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 120_000) return `${(ms / 1000).toFixed(1)} s`
  return clock(ms)
}

/** A moment of a run that lasts `totalMs`. */
export function moment(ms: Millis, totalMs: Millis): string {
  return totalMs < 180_000 ? `${(ms / 1000).toFixed(totalMs < 20_000 ? 2 : 1)} s` : clock(ms)
}

function clock(ms: Millis): string {
  const seconds = Math.round(ms / 1000)
  const two = (value: number): string => String(value).padStart(2, "0")
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor(seconds / 60) % 60
  if (hours === 0) return `${minutes}:${two(seconds % 60)} min`
  return `${hours}:${two(minutes)}:${two(seconds % 60)} h`
}

/** `1 node`, `3 nodes`. */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`
}

/** `12 345`: thousands apart, whatever the locale. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, "\u202f")
}

/** Nodes on a side of a split are called by the side's letter. */
export function sideLetter(side: number): string {
  return side < 26 ? String.fromCharCode(65 + side) : "…"
}

/** Sides past these look alike; their letters differ. */
const SIDE_LOOKS = 4

/** How a side of a split looks. */
export function sideLook(side: number): string {
  return side < SIDE_LOOKS ? `side${side}` : "side-more"
}
