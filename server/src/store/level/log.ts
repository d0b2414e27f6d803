/** The log of one data folder, open: what the worker serves. */
import type { AppendBatch, Renewed } from "@causeway/crdt/ports"
import type { NodeId, OriginId } from "@causeway/crdt/base"
import { EntryChecker } from "../entry-check.ts"
import type { Appended, LogRequest, Opened, ReadReply } from "../thread/messages.ts"
import type { SideReply, SideRequest } from "../thread/messages.ts"
import type { MakeBackup } from "../thread/backup.ts"
import type { FolderLog } from "../thread/serve.ts"
import { Appender } from "./appender.ts"
import { writeArchive } from "./archive.ts"
import { BatchRing } from "./batches.ts"
import type { LogParts } from "./batch-writer.ts"
import type { LevelDatabase } from "./database.ts"
import { DocumentReader } from "./document-reader.ts"
import { Folds } from "./folds.ts"
import { HeldOrigins } from "./heads.ts"
import { storedCuts } from "./identity.ts"
import { LogReader } from "./reader.ts"
import { SideReader, storedNotes } from "./side.ts"
import { Summaries } from "./summaries.ts"
import { markClosed } from "./unclean.ts"

/** What there is to know about a database before it is used. */
export type LoadedLog = LogParts & {
  readonly ring: BatchRing
  readonly folds: Folds
  readonly documents: DocumentReader
  readonly reader: LogReader
  readonly side: SideReader
}

/** O(origins). */
export async function loadLog(
  database: LevelDatabase,
  onCorrupt: (origin: OriginId, seq: number) => void,
): Promise<LoadedLog> {
  const origins = await HeldOrigins.load(database)
  const parts = { database, origins, summaries: new Summaries(database) }
  const folds = new Folds(parts)
  const checker = new EntryChecker(onCorrupt)
  const documents = new DocumentReader(parts, checker)
  const reader = new LogReader(parts, { folds, documents, checker })
  const side = new SideReader(parts, checker)
  return { ...parts, folds, documents, reader, side, ring: await BatchRing.load(database) }
}

export type Identity = {
  readonly node: NodeId
  readonly origin: OriginId
  readonly renewed: Renewed | undefined
}

export class LevelLog implements FolderLog {
  readonly opened: Opened
  readonly #log: LoadedLog
  readonly #directory: string
  readonly #appender: Appender

  private constructor(log: LoadedLog, opened: Opened, directory: string) {
    this.opened = opened
    this.#directory = directory
    this.#log = log
    this.#appender = new Appender(opened.origin, log, log.folds, log.ring)
  }

  /** `log` is that of `directory`. */
  static async open(log: LoadedLog, directory: string, identity: Identity): Promise<LevelLog> {
    const held = log.origins.all()
    const floors = held.filter(({ floor }) => floor.seq > 0)
    const opened = {
      type: "opened",
      ...identity,
      heads: held.map(({ origin, head }) => [origin, head] as const),
      floors: floors.map(({ origin, floor }) => [origin, floor] as const),
      cuts: await storedCuts(log.database),
      clusterRecords: await log.side.clusterRecords(),
      notes: storedNotes(log.database),
    } as const
    return new LevelLog(log, opened, directory)
  }

  append(batch: AppendBatch): Promise<Appended> {
    return this.#appender.append(batch)
  }

  /** LevelDB compacts by itself, in threads of its own. */
  afterAppend(): void {}

  read(request: LogRequest): Promise<ReadReply> {
    return this.#log.reader.read(request)
  }

  readSide(request: SideRequest): Promise<SideReply> {
    return this.#log.side.read(request)
  }

  /** Of one moment, while everything else goes on. */
  readonly backup: MakeBackup = async (file, goesOn) => {
    await writeArchive(this.#log.database, file, goesOn)
  }

  async close(): Promise<void> {
    await this.#log.database.close()
    markClosed(this.#directory)
  }
}
