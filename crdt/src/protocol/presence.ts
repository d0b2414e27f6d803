/**
 * Presence states as all three protocols carry them: y-protocols' awareness entries. A state is
 * UTF-8 JSON that nodes relay without parsing; the four bytes `null` say that the client left.
 * Rule: a higher clock wins; an equal one only if it says `null`.
 */
import { DecodeError, isUtf8, limits } from "../base/index.ts"
import type { Reader, Writer } from "../base/index.ts"

export type PresenceEntry = {
  /** The Yjs client id, or any number unique among the document's clients. */
  readonly client: number
  readonly clock: number
  readonly state: Uint8Array
}

/** The state that says a client left: `null`. */
export const presenceGone: Uint8Array = Uint8Array.of(0x6e, 0x75, 0x6c, 0x6c)

export function isPresenceGone(state: Uint8Array): boolean {
  return state.length === 4 && presenceGone.every((byte, index) => byte === state[index])
}

export function encodePresence(writer: Writer, entries: readonly PresenceEntry[]): void {
  writer.varUint(entries.length)
  for (const { client, clock, state } of entries) {
    writer.varUint(client).varUint(clock).bytes(state)
  }
}

/**
 * States are copies: they outlive their frame; their size is the node's to judge. They are strict
 * UTF-8, because a stock client throws at anything else and loses the rest of the frame.
 * @throws DecodeError
 */
export function decodePresence(reader: Reader): PresenceEntry[] {
  return reader.list(limits.presenceEntriesPerFrameMax, () => {
    const client = reader.varUint()
    const clock = reader.varUint()
    const at = reader.offset
    const state = reader.bytes(reader.remaining).slice()
    if (!isUtf8(state)) throw new DecodeError("not-utf8", at)
    return { client, clock, state }
  })
}
