/**
 * The one gate to the log for clients' updates, native and stock: size, room in the batch,
 * complete validation, pending predecessors; then a record in the open batch. Rules [D3] [N14].
 */
import { limits } from "../base/index.ts"
import { EngineError } from "../engines/index.ts"
import type { UpdateFacts } from "../engines/index.ts"
import { encodeRecord } from "../log/index.ts"
import type { Authorship } from "../log/index.ts"
import type { RejectCode } from "../protocol/index.ts"
import type { Commits } from "./commits.ts"
import type { OpenDocument } from "./open-document.ts"
import type { Session } from "./sessions.ts"
import type { Turn } from "./turn.ts"

export type Write = {
  readonly session: Session
  readonly author: Authorship | undefined
  /** A view on the frame; copied into the record. */
  readonly update: Uint8Array
}

export type Verdict =
  | { readonly accepted: true }
  | { readonly accepted: false; readonly code: RejectCode; readonly message: string }

const accepted: Verdict = { accepted: true }

export function admitWrite(turn: Turn, commits: Commits, write: Write): Verdict {
  const { session, update } = write
  const { document } = session
  if (update.length > limits.updateBytesMax) {
    return refused("too-large", `an update may have ${limits.updateBytesMax} bytes`)
  }
  if (document.logBytes > limits.documentLogBytesMax) {
    return refused("too-large", "the document has become too large to be written to")
  }
  const validation = validate(document, update)
  if (typeof validation === "string") return refused("invalid-update", validation)
  if (document.frontier?.contradicts(validation) === true) {
    return refused("invalid-update", "another change has this one's actor and seq already")
  }
  const pendingBytes = document.frontier?.pendingBytes ?? 0
  if (pendingBytes === 0) session.hasPending = false
  // Others go on: what they send takes effect, and may be what is missing.
  if (session.hasPending && pendingBytes > limits.pendingBytesMax) {
    return refused("missing-predecessors", "too many updates wait for missing predecessors")
  }
  const fields = {
    kind: "update" as const,
    document: document.id,
    author: write.author,
    atMs: turn.nowMs,
    body: update,
  }
  const record = encodeRecord(fields)
  const admits = commits.admits(record.length)
  if (admits === "store-failed") return refused(admits, "the node can't write to its disk now")
  if (admits === "overloaded") return refused(admits, "the node has too much unsaved work")
  commits.add({
    connection: session.connection,
    channel: session.channel,
    clientSeq: write.author?.seq,
    document: document.id,
    record,
    body: record.subarray(record.length - update.length),
    facts: validation,
  })
  return accepted
}

function refused(code: RejectCode, message: string): Verdict {
  return { accepted: false, code, message }
}

function validate(document: OpenDocument, update: Uint8Array): UpdateFacts | string {
  try {
    return document.engine.validate(update)
  } catch (error) {
    if (error instanceof EngineError) return error.message
    throw error
  }
}
