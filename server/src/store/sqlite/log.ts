/**
 * The log of one data folder, open: what the worker serves, synchronous and blocking. It ties
 * database, heads, appends, reads and checkpoints together.
 */
import type { Database } from "better-sqlite3"
import type { AppendBatch } from "@causeway/crdt/ports"
import { asOpenError } from "../errors.ts"
import { Appender } from "./appender.ts"
import { backupDatabase } from "./backup.ts"
import { Checkpoints } from "./checkpoints.ts"
import { DocumentRows } from "./documents.ts"
import { FloorCheck } from "./floor-check.ts"
import { HeldOrigins } from "./heads.ts"
import { identify, storedCuts } from "./identity.ts"
import type { Appended, Opened, ReadReply, LogRequest } from "../thread/messages.ts"
import type { SideReply, SideRequest } from "../thread/messages.ts"
import type { MakeBackup } from "../thread/backup.ts"
import type { FolderLog, FolderLogOptions } from "../thread/serve.ts"
import { openDatabase } from "./open.ts"
import { LogReader } from "./reader.ts"
import { Side } from "./side.ts"
import { Snapshots } from "./snapshots.ts"
import { Vacuum } from "./vacuum.ts"

export class SqliteLog implements FolderLog {
  readonly opened: Opened
  readonly #database: Database
  readonly #appender: Appender
  readonly #reader: LogReader
  readonly #side: Side
  readonly #checkpoints: Checkpoints
  readonly #vacuum: Vacuum

  /** @throws StoreOpenError */
  constructor(options: FolderLogOptions) {
    const { directory, onCorrupt, onTrouble } = options
    this.#database = openDatabase(directory)
    try {
      const origins = new HeldOrigins(this.#database)
      const documents = new DocumentRows(this.#database)
      const snapshots = new Snapshots(this.#database)
      const tables = { origins, documents, snapshots }
      const floorCheck = new FloorCheck(this.#database, tables)
      this.#reader = new LogReader(this.#database, { ...tables, floorCheck }, onCorrupt)
      this.#side = new Side(this.#database)
      const parts = { ...tables, floorCheck, reader: this.#reader, side: this.#side }
      const identity = identify(this.#database, options, parts)
      this.#appender = new Appender(this.#database, identity.origin, parts)
      this.#checkpoints = new Checkpoints(this.#database, onTrouble)
      this.#vacuum = new Vacuum(this.#database, onTrouble)
      const heads = origins.all().map(({ origin, head }) => [origin, head] as const)
      const floors = origins.all().flatMap(({ origin, floor }) => {
        return floor.seq > 0 ? [[origin, floor] as const] : []
      })
      const cuts = storedCuts(this.#database)
      const clusterRecords = this.#reader.clusterRecords()
      const notes = this.#side.notes()
      this.opened = { type: "opened", ...identity, heads, floors, cuts, clusterRecords, notes }
    } catch (error) {
      this.#database.close()
      throw asOpenError(error, directory)
    }
  }

  /** Durable when it returns; when it throws, nothing of the batch is there. */
  append(batch: AppendBatch): Appended {
    this.#checkpoints.makeRoom()
    try {
      return this.#appender.append(batch)
    } catch (error) {
      this.#reader.forgetSearches()
      throw error
    }
  }

  /** What may happen after an append's result is out. */
  afterAppend(): void {
    this.#vacuum.runIfDue()
    this.#checkpoints.runIfDue()
  }

  read(request: LogRequest): ReadReply {
    return this.#reader.read(request)
  }

  readSide(request: SideRequest): SideReply {
    return this.#side.read(request, this.#reader)
  }

  /** A copy in another file, made while everything else goes on. */
  readonly backup: MakeBackup = async (file, goesOn) => {
    await backupDatabase(this.#database, file, goesOn)
  }

  /** Moves the WAL into the database and releases the lock. */
  close(): void {
    this.#database.close()
  }
}
