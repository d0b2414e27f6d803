/**
 * Moves the WAL into the database, off the ack path: a checkpoint starts after the reply of the
 * commit that made it due, and is small, so that a commit that comes meanwhile waits little.
 */
import type { Database, Statement } from "better-sqlite3"
import { errorMessage } from "../errors.ts"

/** Frames (of a 4 KiB page each) in the WAL that make a checkpoint due. */
export const checkpointFrames = 1000
/** Past it appends fail until a checkpoint succeeds: the WAL holds at most about 256 MiB. */
export const walFramesMax = 65_536
/** After a failed checkpoint this many more frames before the next try. */
const retryFrames = 1000

type Progress = { readonly busy: number; readonly log: number; readonly checkpointed: number }

export class Checkpoints {
  readonly #look: Statement<[], Progress>
  readonly #run: Statement<[], Progress>
  readonly #onTrouble: (message: string) => void
  #dueAtFrames = checkpointFrames

  constructor(database: Database, onTrouble: (message: string) => void) {
    this.#look = database.prepare("PRAGMA wal_checkpoint(NOOP)")
    this.#run = database.prepare("PRAGMA wal_checkpoint(PASSIVE)")
    this.#onTrouble = onTrouble
  }

  #frames(): number {
    return this.#look.get()?.log ?? 0
  }

  /** Checkpoints if one is due. Failing is reported, and tried again later. */
  runIfDue(): void {
    const frames = this.#frames()
    if (frames < this.#dueAtFrames) return
    try {
      this.#run.get()
      this.#dueAtFrames = checkpointFrames
    } catch (error) {
      this.#dueAtFrames = frames + retryFrames
      this.#onTrouble(`checkpoint failed: ${errorMessage(error)}`)
    }
  }
}
