/**
 * Looks through the data folder of a LevelDB store and changes nothing, as it looks at a copy:
 * LevelDB's own files, every entry's checksum and place in its chain, what lists entries by their
 * documents, snapshots, the client table, who it belongs to, and the boot record. O(log). Rules
 * [B5] [B6].
 */
import { rmSync } from "node:fs"
import type { DocumentId, NodeId, OriginId } from "@causeway/crdt/base"
import type { RecordFields } from "@causeway/crdt/log"
import { asOpenError, StoreOpenError } from "../store/errors.ts"
import { openFolder } from "../store/level/folder.ts"
import type { OpenedFolder } from "../store/level/folder.ts"
import { newOrigin } from "../store/level/heads.ts"
import type { HeldOrigin } from "../store/level/heads.ts"
import { storedIdentity } from "../store/level/identity.ts"
import type { StoredIdentity } from "../store/level/identity.ts"
import {
  clientBelowKey,
  clientOfKey,
  clusterKey,
  documentKey,
  documentKeys,
  documentOfKnownKey,
  documentOfStateKey,
  dotOfKey,
  entryKey,
  metaRange,
  placeKey,
  placeRange,
  rangeOf,
} from "../store/level/keys.ts"
import { loadLog } from "../store/level/log.ts"
import type { LoadedLog } from "../store/level/log.ts"
import { decodeFolded, decodeShares } from "../store/level/summaries.ts"
import type { Shares } from "../store/level/summaries.ts"
import { decodeNumber, decodeValue, openValue } from "../store/level/values.ts"
import type { Inspection } from "./findings.ts"
import { copyForLook } from "./level-copy.ts"
import { LogInspector } from "./log-inspector.ts"
import type { InspectedOrigin, OnProgress, OriginScan, ToldClient } from "./log-inspector.ts"

const format = 1

/** @throws StoreOpenError if there is no store, or another process has it open */
export async function inspectLevelFolder(
  directory: string,
  onProgress: OnProgress,
): Promise<Inspection> {
  const copy = await copyForLook(directory)
  try {
    return await inspectCopy(copy, directory, onProgress)
  } catch (error) {
    throw asOpenError(error, directory)
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

async function inspectCopy(
  copy: string,
  directory: string,
  onProgress: OnProgress,
): Promise<Inspection> {
  onProgress("looking at the tables of LevelDB")
  const folder = await openFolder(copy, true)
  try {
    const log = await loadLog(folder.database, () => {})
    return await new Inspector(folder, log, directory, onProgress).run(copy)
  } finally {
    await folder.database.close()
  }
}

class Inspector {
  readonly #folder: OpenedFolder
  readonly #held: LoadedLog
  readonly #log: LogInspector

  constructor(folder: OpenedFolder, held: LoadedLog, directory: string, onProgress: OnProgress) {
    this.#folder = folder
    this.#held = held
    this.#log = new LogInspector(directory, onProgress)
  }

  async run(copy: string): Promise<Inspection> {
    this.#checkFiles()
    const { node, origin, boot } = (await this.#identity(copy)) ?? nobody
    await this.#checkEntries()
    await this.#checkListed("d")
    await this.#checkListed("n")
    const documents = await this.#checkDocuments()
    await this.#checkStates()
    await this.#checkDerived()
    this.#log.checkIdentity(node, origin)
    if (origin !== undefined) this.#log.checkBoot(origin, boot)
    this.#log.checkClients(await this.#clients())
    return this.#log.result({ store: "level", node, origin, format, documents })
  }

  #checkFiles(): void {
    if (this.#folder.isRepaired) {
      this.#pages("files of LevelDB are damaged, and what they held is missing below", "")
    } else if (!this.#held.ring.isWhole) {
      this.#pages("batches are gone from LevelDB's log, and what they held is missing below", "")
    }
  }

  #pages(what: string, name: string): void {
    this.#log.findings.add("pages", "repairable", what, name)
  }

  #index(what: string, name: string): void {
    this.#log.findings.add("index", "repairable", what, name)
  }

  async #identity(copy: string): Promise<StoredIdentity | undefined> {
    try {
      return await storedIdentity(this.#held.database, copy)
    } catch (error) {
      if (error instanceof StoreOpenError && error.code === "failed") return undefined
      throw error
    }
  }

  /** One pass over all entries, origin by origin. */
  async #checkEntries(): Promise<void> {
    const { database, origins } = this.#held
    const unseen = new Map(origins.all().map((held) => [held.origin, held]))
    let open: OpenOrigin | undefined
    for await (const page of database.pages(rangeOf("e"))) {
      for (const [key, entry] of page) {
        const dot = dotOfKey(key)
        if (dot === undefined) {
          this.#index("keys are none that this store writes", key.toString("hex").slice(0, 40))
          continue
        }
        if (dot.origin !== open?.held.origin) {
          this.#end(open)
          open = this.#begin(dot.origin, dot.seq)
          unseen.delete(dot.origin)
        }
        this.#take(open, dot.seq, entry)
      }
    }
    this.#end(open)
    for (const held of unseen.values()) this.#end(this.#begin(held.origin, 1))
  }

  /** `firstSeq`: of its first entry, before which nothing is known to be missing. */
  #begin(origin: OriginId, firstSeq: number): OpenOrigin {
    const known = this.#held.origins.get(origin)
    const held = known ?? newOrigin(origin)
    if (known === undefined) {
      const what = "where logs end can't be read, and is taken from their entries"
      this.#log.findings.add("origin", "repairable", what, origin)
    }
    const { salt, floor } = held
    const by =
      known === undefined
        ? { origin, salt, floor: firstSeq - 1, hash: undefined }
        : { origin, salt, floor: floor.seq, hash: floor.hash }
    return { by, held, isKnown: known !== undefined, scan: this.#log.scan(by) }
  }

  #end(open: OpenOrigin | undefined): void {
    open?.scan.end(open.isKnown ? open.held.head.seq : undefined)
  }

  #take({ by, held, isKnown, scan }: OpenOrigin, seq: number, entry: Buffer): void {
    const { origin } = by
    if (isKnown && seq > held.head.seq) {
      const range = { origin, fromSeq: seq, toSeq: seq }
      this.#log.findings.lose("entry", "entries stand behind where their log ends", range)
      return
    }
    const fields = scan.take(seq, entry)
    if (fields !== undefined) this.#checkPlace(origin, seq, fields)
  }

  #checkPlace(origin: OriginId, seq: number, fields: RecordFields): void {
    const document = fields.kind === "update" ? fields.document : undefined
    const key =
      document === undefined
        ? clusterKey(origin, seq)
        : placeKey(documentKey(document), origin, seq)
    if (this.#held.database.getReadable(key) !== undefined) return
    const what = "entries are not listed under their document"
    this.#log.findings.add("document", "repairable", what, `${origin} ${seq}`)
  }

  /** Whether what is listed is there. */
  async #checkListed(letter: "d" | "n"): Promise<void> {
    for await (const page of this.#held.database.keyPages(rangeOf(letter))) {
      for (const dot of page.map(dotOfKey)) {
        if (dot === undefined) this.#index("keys are none that this store writes", letter)
        else if (this.#held.database.getReadable(entryKey(dot.origin, dot.seq)) === undefined) {
          this.#index("entries are listed and not there", `${dot.origin} ${dot.seq}`)
        }
      }
    }
  }

  /** How many there are. */
  async #checkDocuments(): Promise<number> {
    let documents = 0
    let last: DocumentId | undefined
    for await (const page of this.#held.database.pages(rangeOf("t"))) {
      for (const [key, value] of page) {
        const named = documentOfKnownKey(key)
        if (named === undefined) {
          this.#index("keys are none that this store writes", key.toString("hex").slice(0, 40))
          continue
        }
        const { document, which } = named
        if (document !== last) documents += 1
        last = document
        if (which === "e") await this.#checkShares(document, decodeShares(key, value))
        else if (decodeFolded(key, value) === undefined) this.#loseSnapshot(document)
        else this.#checkState(document)
      }
    }
    return documents
  }

  async #checkShares(document: DocumentId, shares: Shares | undefined): Promise<void> {
    const counts = new Map<OriginId, number>()
    for await (const page of this.#held.database.keyPages(placeRange(documentKey(document)))) {
      for (const dot of page.map(dotOfKey)) {
        if (dot !== undefined) counts.set(dot.origin, (counts.get(dot.origin) ?? 0) + 1)
      }
    }
    const isRight =
      shares?.size === counts.size &&
      [...counts].every(([origin, count]) => shares.get(origin)?.count === count)
    if (!isRight) this.#index("documents have other entries than is said of them", document)
  }

  #checkState(document: DocumentId): void {
    const key = documentKeys.state(documentKey(document))
    const state = openValue(key, this.#held.database.getReadable(key))
    if (state === undefined) this.#loseSnapshot(document)
  }

  #loseSnapshot(document: DocumentId): void {
    const what = "snapshots can't be read, and with them what the log has no more"
    this.#log.findings.add("snapshot", "lost", what, document)
  }

  /** States of which nothing says what they hold. */
  async #checkStates(): Promise<void> {
    for await (const page of this.#held.database.keyPages(rangeOf("s"))) {
      for (const key of page) {
        const document = documentOfStateKey(key)
        if (document === undefined) this.#index("keys are none that this store writes", "s")
        else if (this.#foldedOf(document) === undefined) this.#loseSnapshot(document)
      }
    }
  }

  #foldedOf(document: DocumentId): Buffer | undefined {
    return this.#held.database.getReadable(documentKeys.folded(documentKey(document)))
  }

  /** What is made again from the log where it is missing: leaves and notes. */
  async #checkDerived(): Promise<void> {
    for (const range of [rangeOf("l"), metaRange("note ")]) {
      for await (const page of this.#held.database.pages(range)) {
        for (const [key, value] of page) {
          if (openValue(key, value) !== undefined) continue
          this.#index("digests or notes can't be read, and are made again", "")
        }
      }
    }
  }

  async #clients(): Promise<ToldClient[]> {
    const told: ToldClient[] = []
    for await (const page of this.#held.database.pages(rangeOf("c"))) {
      for (const [key, value] of page) {
        const id = clientOfKey(key)
        if (id === undefined) continue
        const belowKey = clientBelowKey(id)
        const below = this.#held.database.getReadable(belowKey)
        told.push({
          id,
          seq: decodeValue(key, value, decodeNumber) ?? 0,
          below: decodeValue(belowKey, below, decodeNumber) ?? 0,
        })
      }
    }
    return told
  }
}

type OpenOrigin = {
  readonly by: InspectedOrigin
  readonly held: HeldOrigin
  /** Whether it is said where it ends. */
  readonly isKnown: boolean
  readonly scan: OriginScan
}

const nobody: {
  readonly node: NodeId | undefined
  readonly origin: OriginId | undefined
  readonly boot: string | undefined
} = { node: undefined, origin: undefined, boot: undefined }
