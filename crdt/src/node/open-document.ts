/**
 * What a node keeps of a document in use: its sessions, its presence, and (within a byte budget)
 * its log as parts that an engine can merge. `parts` is always complete and current when it is
 * there: a read's result covers every commit reported before it, and each commit after that
 * adds its bodies. The frontier appears with the first merge and stays.
 */
import type { DocumentId, Millis } from "../base/index.ts"
import type { VersionVector } from "../clock/index.ts"
import type { Engine, Frontier } from "../engines/index.ts"
import type { Presence } from "./presence.ts"
import type { Session } from "./sessions.ts"

/** Work that needs the whole document; done one after the other, per document. */
export type Task =
  /** A session wants what `summary` lacks, and then to be live. */
  | { readonly type: "join"; readonly session: Session; readonly summary: Uint8Array }
  /** A stock client's answer to our step 1: log it if it brings anything. */
  | { readonly type: "step2"; readonly session: Session; readonly update: Uint8Array }
  /** A session resumes by vector, and its client holds what this node lacks. */
  | { readonly type: "resume"; readonly session: Session; readonly vector: VersionVector }
  /** Only the frontier is wanted. */
  | { readonly type: "frontier" }
  | { readonly type: "json"; readonly command: number }

export type OpenDocument = {
  readonly id: DocumentId
  /** The node's number for it in native frames. */
  readonly handle: number
  readonly engine: Engine
  readonly sessions: Set<Session>
  readonly presence: Presence
  frontier: Frontier | undefined
  parts: Uint8Array[] | undefined
  partsBytes: number
  /** What its log takes, as far as it was read; Infinity if that is too much to be read. */
  logBytes: number
  /** In the order of asking. */
  readonly tasks: Set<Task>
  /** When its log could not be read last; then its frontier has to wait. */
  unreadableMs: Millis
  /** A read or job for the first tasks is under way. */
  busy: boolean
}

/** What a part costs in memory beyond its bytes. */
export const partOverheadBytes = 200
