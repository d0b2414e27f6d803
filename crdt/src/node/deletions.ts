/**
 * Deleting documents, and creating them again: an operator asks, the answer comes when the record
 * of it is durable here, and all others learn of it by their links. As a delete becomes durable,
 * whoever logged it, the document's sessions end, and reads show it no more. Rules [R4] [R5].
 */
import { partsOfDocumentId } from "../base/index.ts"
import type { DocumentId } from "../base/index.ts"
import { encodeRecord } from "../log/index.ts"
import type { Core } from "./core.ts"
import type { TaskDone } from "./documents.ts"
import type { Reply } from "./input.ts"
import type { NativeSessions } from "./native-sessions.ts"
import { replyOf } from "./replies.ts"
import type { Turn } from "./turn.ts"

/** `alive`: it would be created again, and was not deleted. `too-many`: past `deletionsMax`. */
export type LifeRefusal = "deleted" | "alive" | "too-many" | "store-failed"

/** Logs that the name's current generation is there no more. Nobody needs to have written it. */
export function deleteDocument(turn: Turn, core: Core, command: number, name: DocumentId): void {
  const document = core.lives.current(name)
  if (document === undefined) return refuse(turn, command, "deleted")
  const record = encodeRecord({ kind: "delete", atMs: turn.nowMs, document })
  return log(turn, core, command, record, (later) => {
    if (core.lives.isDeleted(document)) answer(later, command, "document-deleted", document)
    else refuse(later, command, "store-failed")
  })
}

/** Logs that the name may be used again, from an empty document on. */
export function createDocument(turn: Turn, core: Core, command: number, name: DocumentId): void {
  if (core.lives.current(name) !== undefined) return refuse(turn, command, "alive")
  const document = core.lives.next(name)
  if (document === undefined) return refuse(turn, command, "too-many")
  const record = encodeRecord({ kind: "create", atMs: turn.nowMs, document })
  return log(turn, core, command, record, (later) => {
    const current = core.lives.current(name)
    if (current !== undefined) answer(later, command, "document-created", current)
    // Deleted by somebody else meanwhile, or not written.
    else refuse(later, command, core.lives.isDeleted(document) ? "deleted" : "store-failed")
  })
}

/** Ends the sessions of what was deleted since this was last called, and gives what it was. */
export function endDeleted(
  turn: Turn,
  { lives, documents }: Core,
  native: Pick<NativeSessions, "onDeleted">,
): readonly DocumentId[] {
  const deleted = lives.takeDeleted()
  if (deleted.length === 0) return deleted
  for (const document of documents.all()) {
    if (!lives.isDeleted(document.id)) continue
    for (const session of document.sessions) {
      if (session.protocol === "native") native.onDeleted(turn, session)
      else turn.close(session.connection, "document-deleted")
    }
  }
  return deleted
}

/** Reads the name's current generation. */
export function readDocument(turn: Turn, core: Core, command: number, name: DocumentId): void {
  const { documents, lives } = core
  const document = lives.current(name)
  if (document === undefined) return sayDeleted(turn, command)
  documents.request(turn, documents.use(document), { type: "json", command })
  return documents.forgetIdle()
}

/** It may have been deleted while it was read. */
export function answerRead(
  turn: Turn,
  { lives }: Core,
  command: number,
  document: DocumentId,
  done: TaskDone,
): void {
  if (lives.isDeleted(document)) return sayDeleted(turn, command)
  return turn.push({ type: "reply", command, reply: replyOf(done) })
}

function sayDeleted(turn: Turn, command: number): void {
  turn.push({ type: "reply", command, reply: { type: "deleted" } })
}

function log(
  turn: Turn,
  { commits, lives }: Core,
  command: number,
  record: Uint8Array,
  done: (turn: Turn) => void,
): void {
  if (lives.isFull) return refuse(turn, command, "too-many")
  if (commits.admits(record.length) !== "ok") return refuse(turn, command, "store-failed")
  commits.log(record)
  commits.afterwards(turn, done)
  return undefined
}

function answer(
  turn: Turn,
  command: number,
  type: "document-deleted" | "document-created",
  document: DocumentId,
): void {
  const { generation } = partsOfDocumentId(document)
  turn.emit({ type, document })
  turn.push({ type: "reply", command, reply: { type, generation } })
}

function refuse(turn: Turn, command: number, code: LifeRefusal): void {
  const reply: Reply = { type: "life-unchanged", code }
  turn.push({ type: "reply", command, reply })
}
