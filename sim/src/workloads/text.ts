/** Words for text edits, some of them outside the basic plane, and where text may be cut. */
import type { SimRandom } from "../random.ts"

/** Past it a text edit deletes, so documents of long runs stay small. */
export const TEXT_LENGTH_MAX = 1500

/** Big writes make long tokens; text takes only their beginning. */
const TOKEN_LENGTH_MAX = 24

const words = ["rain", "grün", "中文", "😀", "👩🏽‍🚀", "und", "x", "\n", "the quick brown fox"]

/** The token as text takes it. */
export function shortToken(token: string): string {
  return token.slice(0, TOKEN_LENGTH_MAX)
}

/** The token with a word or two around it. */
export function phrase(random: SimRandom, token: string): string {
  const name = shortToken(token)
  return random.chance(0.5) ? `${name} ` : `${random.pick(words)} ${name} `
}

/** `index`, or one less where it would cut a surrogate pair in two. */
export function codePointBoundary(text: string, index: number): number {
  const before = text.charCodeAt(index - 1)
  const after = text.charCodeAt(index)
  const splits = before >= 0xd800 && before <= 0xdbff && after >= 0xdc00 && after <= 0xdfff
  return splits ? index - 1 : index
}

/** A stretch of up to `lengthMax` code units between code points; may be empty. */
export function randomRange(
  text: string,
  random: SimRandom,
  lengthMax: number,
): { readonly from: number; readonly to: number } {
  const from = codePointBoundary(text, random.int(0, Math.max(0, text.length - 1)))
  const end = Math.min(text.length, from + random.int(1, lengthMax))
  return { from, to: codePointBoundary(text, end) }
}
