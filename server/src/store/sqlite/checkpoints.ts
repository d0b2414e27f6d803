/**
 * Moves the WAL into the database, off the ack path: a checkpoint starts after the reply of the
 * commit that made it due, and is small, so that a commit that comes meanwhile waits little.
 * While checkpoints fail (no space for the database to grow) the WAL grows, to a bound.
 */
import type { Database, Statement } from "better-sqlite3"
import { errorMessage } from "../errors.ts"

/** Frames (one 4 KiB page each) waiting in the WAL that make a checkpoint due. */
const framesDue = 1000
/** Past it appends are refused until a checkpoint succeeds: the WAL stays under 256 MiB. */
const framesMax = 65_000

type Progress = { readonly busy: number; readonly log: number; readonly checkpointed: number }
export type CheckpointLimits = { readonly framesDue: number; readonly framesMax: number }

export class WalOverflowError extends Error {
  override readonly name = "WalOverflowError"
}

export class Checkpoints {
  readonly #look: Statement<[], Progress>
  readonly #run: Statement<[], Progress>
  readonly #onTrouble: (message: string) => void
  readonly #limits: CheckpointLimits
  #dueAt: number

  constructor(
    database: Database,
    onTrouble: (message: string) => void,
    limits: CheckpointLimits = { framesDue, framesMax },
  ) {
    this.#look = database.prepare("PRAGMA wal_checkpoint(NOOP)")
    this.#run = database.prepare("PRAGMA wal_checkpoint(PASSIVE)")
    this.#onTrouble = onTrouble
    this.#limits = limits
    this.#dueAt = limits.framesDue
  }

  /** To be asked before a commit. @throws WalOverflowError if the WAL must not grow further. */
  makeRoom(): void {
    if (this.#dueAt <= this.#limits.framesMax || this.waiting() <= this.#limits.framesMax) return
    this.#checkpoint()
    if (this.waiting() <= this.#limits.framesMax) return
    throw new WalOverflowError("the write-ahead log is full, because checkpoints keep failing")
  }

  /** To be called after a commit's reply. Failing is reported, and tried again later. */
  runIfDue(): void {
    if (this.waiting() >= this.#dueAt) this.#checkpoint()
  }

  /** Frames not yet in the database. */
  waiting(): number {
    const progress = this.#look.get()
    return progress === undefined ? 0 : Math.max(0, progress.log - progress.checkpointed)
  }

  #checkpoint(): void {
    try {
      this.#run.get()
    } catch (error) {
      this.#onTrouble(`checkpoint failed: ${errorMessage(error)}`)
    }
    // Where it did not get through, the next try comes after as many frames again.
    this.#dueAt = this.waiting() + this.#limits.framesDue
  }
}
