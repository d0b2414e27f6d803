/**
 * Updates as a writer sends them, with text that compresses badly: links may be compressed, and
 * repeated words would make any figure of bytes look better than it is.
 */
import { randomBytes } from "node:crypto"
import { unitsPerUpdate, textName, writerOf } from "../load/recording.ts"
import * as Y from "yjs"

/** `count` updates of one writer, one insert of 20 characters each at the end of the text. */
export function write(writer: number, count: number): Uint8Array[] {
  const document = new Y.Doc()
  document.clientID = writerOf(writer)
  const updates: Uint8Array[] = []
  document.on("update", (update: Uint8Array) => updates.push(update))
  const text = document.getText(textName)
  for (let index = 0; index < count; index += 1) {
    text.insert(
      text.length,
      randomBytes(unitsPerUpdate).toString("base64").slice(0, unitsPerUpdate),
    )
  }
  document.destroy()
  return updates
}
