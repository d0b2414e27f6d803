/**
 * How people type: runs of words that follow each other at the cursor, slips taken back, now and
 * then a jump elsewhere or a stretch cut out. Any text that can splice can be typed into.
 */
import type { SimRandom } from "../random.ts"
import { codePointBoundary, phrase, randomRange, TEXT_LENGTH_MAX } from "./text.ts"
import type { Memory } from "./workload.ts"

export type Typed = {
  /** As many code units as the text has places. */
  readonly content: string
  readonly remove: (at: number, count: number) => void
  readonly insert: (at: number, text: string) => void
}

export function type(text: Typed, random: SimRandom, token: string, memory: Memory): void {
  const { content } = text
  const full = content.length > TEXT_LENGTH_MAX
  const jumps = !memory.has("cursor") || random.chance(0.1)
  const wanted = jumps ? random.int(0, content.length) : (memory.get("cursor") ?? 0)
  const cursor = codePointBoundary(content, Math.min(wanted, content.length))
  if (full || random.chance(0.08)) {
    const { from, to } = randomRange(content, random, full ? 400 : 60)
    if (to > from) text.remove(from, to - from)
    memory.set("cursor", from)
    if (to > from) return
  }
  // A slip: the last few characters go before the next word comes.
  const slip = codePointBoundary(content, Math.max(0, cursor - random.int(1, 4)))
  const at = random.chance(0.15) ? slip : cursor
  if (at < cursor) text.remove(at, cursor - at)
  const words = phrase(random, token)
  text.insert(at, words)
  memory.set("cursor", at + words.length)
}
