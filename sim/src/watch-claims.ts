/**
 * What a client says of its replicas by watching them, and believes of them with the answer: that
 * they hold every entry of their documents up to a vector. Both are checked where they are said,
 * long before a replica that was never woken would differ for good. Rules [N21] [C5].
 */
import { documentHash } from "@causeway/crdt/base"
import type { DocumentId } from "@causeway/crdt/base"
import type { ClientInput } from "@causeway/crdt/client"
import type { VersionVector } from "@causeway/crdt/clock"
import { decodeClientMessage, decodeNodeMessage, nativeTags } from "@causeway/crdt/protocol"
import type { OpenDocument } from "./open-document.ts"

export class WatchClaims {
  readonly #open: ReadonlyMap<DocumentId, OpenDocument>
  #watched: ReadonlySet<number> = new Set()

  constructor(open: ReadonlyMap<DocumentId, OpenDocument>) {
    this.#open = open
  }

  /** What the client is about to send. */
  checked(frame: Uint8Array): Uint8Array {
    const message = frame[0] === nativeTags.watch ? decodeClientMessage(frame) : undefined
    if (message?.type !== "watch") return frame
    this.#watched = new Set(message.hashes)
    this.#check(message.since, () => true)
    return frame
  }

  /** It has done what follows. */
  onTaken(input: ClientInput): void {
    if (input.type !== "frame" || input.bytes[0] !== nativeTags.woken) return
    const message = decodeNodeMessage(input.bytes)
    if (message.type !== "woken" || message.held === undefined) return
    const woken = new Set(message.hashes)
    this.#check(message.held, (open, hash) => {
      return !woken.has(hash) && open.status?.freshness.state === "live"
    })
  }

  #check(vector: VersionVector, isMeant: (open: OpenDocument, hash: number) => boolean): void {
    for (const open of this.#open.values()) {
      const hash = documentHash(open.document)
      if (open.held && this.#watched.has(hash) && isMeant(open, hash)) open.view.onResume(vector)
    }
  }
}
