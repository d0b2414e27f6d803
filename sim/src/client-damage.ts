/**
 * A client's storage of which records can't be read any more, as the storages that ship find it:
 * each other record is as it was, and what was lost is named. Rule [C10].
 */
import { assert, documentIdOf } from "@causeway/crdt/base"
import type { DocumentId } from "@causeway/crdt/base"
import { StoredImage } from "@causeway/crdt/client"
import type { StoredDocument, StoredUpdate } from "@causeway/crdt/ports"
import type { SimRandom } from "./random.ts"

/** How many records are damaged of those that may be. */
const DAMAGED = 0.2
const IDENTITY_DAMAGED = 0.15

/** Nobody opens it. */
const nowhere = nowhereId()

export type ClientDamage = {
  readonly image: StoredImage
  /** What was typed, and is gone. */
  readonly lost: readonly StoredUpdate[]
}

export function damaged(image: StoredImage, random: SimRandom): ClientDamage {
  const left = new StoredImage()
  const lost: StoredUpdate[] = []
  for (const update of image.outbox.values()) {
    if (random.chance(DAMAGED)) lost.push(update)
    else left.apply({ type: "outbox-add", update })
  }
  for (const update of image.rejected.values()) {
    if (random.chance(DAMAGED)) lost.push(update)
    else left.apply({ type: "rejected-add", update })
  }
  for (const [document, copy] of image.documents) keep(left, document, copy, random)
  for (const { seq } of lost) reserve(left, seq)
  if (random.chance(IDENTITY_DAMAGED)) {
    // Numbers begin anew, or go on: the next client is another one.
    if (random.chance(0.5)) reserve(left, image.nextSeq - 1)
    return { image: left, lost }
  }
  left.client = image.client
  reserve(left, image.nextSeq - 1)
  const { tiers } = image
  if (tiers !== undefined && !random.chance(DAMAGED)) left.apply({ type: "tiers", state: tiers })
  return { image: left, lost }
}

/** A copy that lost a record has no resume point. */
function keep(
  left: StoredImage,
  document: DocumentId,
  { generation, updates, resume }: StoredDocument,
  random: SimRandom,
): void {
  const found = updates.filter(() => !random.chance(DAMAGED))
  const isWhole = found.length === updates.length && !random.chance(DAMAGED)
  const known = isWhole ? resume : undefined
  left.apply({ type: "document-append", document, generation, updates: found, resume: known })
}

/** Numbers up to `seq` are given. */
function reserve(image: StoredImage, seq: number): void {
  if (seq < image.nextSeq) return
  const update = { seq, document: nowhere, generation: 0, bytes: new Uint8Array(0) }
  image.apply({ type: "outbox-add", update })
  image.apply({ type: "document-remove", document: nowhere, generation: 0, discarded: [seq] })
}

function nowhereId(): DocumentId {
  const id = documentIdOf("yjs", "nowhere")
  assert(id !== undefined, "a well-formed name")
  return id
}
