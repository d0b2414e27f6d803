/**
 * Opens the log of a data folder: asks whether what is there is what this node wrote last, and
 * renews it before it is used if that is in doubt (ADR 8). Rules [E1] [E2].
 */
import { assert } from "@causeway/crdt/base"
import type { NodeId } from "@causeway/crdt/base"
import { Renewing } from "@causeway/crdt/log"
import type { Cut } from "@causeway/crdt/log"
import type { DoubtReason, Renewed } from "@causeway/crdt/ports"
import { findBootFile, mintBoot, publishBootFile, stageBootFile } from "../boot-record.ts"
import { asOpenError, errorMessage, isFull } from "../errors.ts"
import { checkNode, doubtOf, mintNode, mintOrigin } from "../identity.ts"
import type { FolderLogOptions } from "../thread/serve.ts"
import { BatchWriter } from "./batch-writer.ts"
import { isDamage } from "./failures.ts"
import { openFolder, openRepaired, openReplacement, replace } from "./folder.ts"
import type { OpenedFolder } from "./folder.ts"
import { newOrigin } from "./heads.ts"
import type { HeldOrigin } from "./heads.ts"
import { cutOperation, identityOperations, storedCuts, storedIdentity } from "./identity.ts"
import { LevelLog, loadLog } from "./log.ts"
import type { Identity, LoadedLog } from "./log.ts"
import { LogRebuild } from "./rebuild.ts"
import type { RebuildPlan } from "./rebuild.ts"
import { forgetSide } from "./side.ts"

/** @throws StoreOpenError */
export async function openLevelLog(options: FolderLogOptions): Promise<LevelLog> {
  const { directory } = options
  try {
    const folder = await openFolder(directory, options.doubt?.why === "corrupt")
    try {
      return await openIn(folder, options)
    } catch (error) {
      if (error instanceof DamageError) {
        return await openIn(await openFolder(directory, true), options)
      }
      if (!isDamage(error) || folder.isRepaired) throw error
      return await openIn(await openRepaired(directory), options)
    }
  } catch (error) {
    throw asOpenError(error, directory)
  }
}

/** Something may be damaged: LevelDB's files are to be checked before the log is looked through. */
class DamageError extends Error {
  override readonly name = "DamageError"
}

async function openIn(folder: OpenedFolder, options: FolderLogOptions): Promise<LevelLog> {
  const opening = new Opening(folder, options)
  try {
    return await opening.run()
  } catch (error) {
    await opening.close()
    throw error
  }
}

type Doubt = {
  readonly node: NodeId
  /** The own origin until now. */
  readonly own: HeldOrigin
  readonly why: DoubtReason
  /** Whether nothing but what `why` says is in doubt. */
  readonly isSound: boolean
}

class Opening {
  readonly #options: FolderLogOptions
  readonly #isRepaired: boolean
  readonly #isChecked: boolean
  #database: OpenedFolder["database"]

  constructor({ database, isChecked, isRepaired }: OpenedFolder, options: FolderLogOptions) {
    this.#options = options
    this.#isChecked = isChecked
    this.#isRepaired = isRepaired
    this.#database = database
  }

  close(): Promise<void> {
    return this.#database.close()
  }

  async run(): Promise<LevelLog> {
    const { directory, node: wanted, doubt } = this.#options
    const log = await this.#load()
    const stored = await storedIdentity(this.#database, directory)
    if (stored === undefined) return this.#create(log, wanted ?? mintNode())
    const { node, origin, boot } = stored
    checkNode(directory, node, wanted)
    const own = log.origins.get(origin) ?? newOrigin(origin)
    const file = findBootFile(directory, boot)
    // Every head's hash is the stored one, and told to peers: all ends are looked at, O(origins).
    const badTails = log.origins.all().filter((held) => !log.documents.isTailSound(held))
    const isTailSound = badTails.every((bad) => bad.origin !== origin)
    const isWhole = log.ring.isWhole && log.origins.isWhole && !this.#isRepaired
    const isSound = isWhole && badTails.length === 0
    const why = doubtOf(doubt, file, own, isTailSound) ?? (isSound ? undefined : "corrupt")
    if (why === undefined) return this.#openAsBefore(log, node, own)
    return this.#renew(log, { node, own, why, isSound })
  }

  #load(): Promise<LoadedLog> {
    return loadLog(this.#database, this.#options.onCorrupt)
  }

  async #create(log: LoadedLog, node: NodeId): Promise<LevelLog> {
    const own = newOrigin(mintOrigin(node))
    await this.#settle(log, node, own, async (writer) => writer.setHeld(own))
    return LevelLog.open(log, this.#options.directory, {
      node,
      origin: own.origin,
      renewed: undefined,
    })
  }

  /** On a full disk the boot record of the last opening stays: reads go on, and nothing is lost. */
  async #openAsBefore(log: LoadedLog, node: NodeId, own: HeldOrigin): Promise<LevelLog> {
    try {
      await this.#settle(log, node, own)
    } catch (error) {
      if (!isFull(error)) throw error
      this.#options.onTrouble(`no boot record of this opening: ${errorMessage(error)}`)
    }
    return LevelLog.open(log, this.#options.directory, {
      node,
      origin: own.origin,
      renewed: undefined,
    })
  }

  /** Puts a new boot record in both its places, with what else is to be written, or nothing. */
  async #settle(
    log: LoadedLog,
    node: NodeId,
    own: HeldOrigin,
    write?: (writer: BatchWriter) => Promise<void>,
  ): Promise<void> {
    const { directory } = this.#options
    const writer = new BatchWriter(log)
    await write?.(writer)
    const boot = mintBoot()
    for (const operation of identityOperations(node, own.origin, boot)) writer.put(...operation)
    writer.put(...log.ring.next)
    stageBootFile(directory, { boot, origin: own.origin, openedSeq: own.head.seq })
    await writer.write()
    log.ring.advance()
    publishBootFile(directory)
  }

  async #renew(log: LoadedLog, found: Doubt): Promise<LevelLog> {
    const { doubt } = this.#options
    const { node, own, why, isSound } = found
    const before = own.origin
    if (why === "fork" && doubt?.why === "fork") return this.#giveWay(log, found, doubt)
    const keepSeq =
      doubt?.why === "overtaken" || doubt?.why === "retired" ? doubt.keepSeq : Infinity
    const mayBeDamaged = doubt?.why === "corrupt" || why === "tail" || !isSound
    if (mayBeDamaged && !this.#isChecked) throw new DamageError(why)
    if (mayBeDamaged || keepSeq < Infinity) return this.#rebuildWhole(log, found, keepSeq)
    const fresh = mintOrigin(node)
    const renewed = { ...new Renewing().finish(0), why, before }
    await this.#settle(log, node, newOrigin(fresh), async (writer) => {
      await forgetSide(writer, this.#database)
      if (own.head.seq === 0 && !(await log.reader.isFoldedAnywhere(before))) writer.removeHeld(own)
      writer.setHeld(newOrigin(fresh))
    })
    return LevelLog.open(log, this.#options.directory, { node, origin: fresh, renewed })
  }

  /** What can't be moved whole calls for a fresh epoch; the fork is found once more. */
  async #giveWay(log: LoadedLog, found: Doubt, { origin, keepSeq }: Cut): Promise<LevelLog> {
    const before = found.own.origin
    const plan = { before, own: before, cut: { origin, keepSeq } }
    const repaired = await this.#rebuild(log, found, plan)
    if (repaired === undefined && !this.#isChecked) throw new DamageError("corrupt")
    return repaired ?? this.#rebuildWhole(log, { ...found, why: "corrupt" }, Infinity)
  }

  /** With a fresh epoch, whatever is damaged. */
  async #rebuildWhole(log: LoadedLog, found: Doubt, keepSeq: number): Promise<LevelLog> {
    const before = found.own.origin
    const plan = { before, own: mintOrigin(found.node), cut: { origin: before, keepSeq } }
    const rebuilt = await this.#rebuild(log, found, plan)
    assert(rebuilt !== undefined, "with a fresh epoch a log is renewed whatever is lost")
    return rebuilt
  }

  /** Undefined if the own origin is to go on and something is lost: then nothing was done. */
  async #rebuild(
    log: LoadedLog,
    { node, why }: Doubt,
    plan: RebuildPlan,
  ): Promise<LevelLog | undefined> {
    const { directory, onCorrupt, onTrouble } = this.#options
    const replacement = await openReplacement(directory)
    let renewed: Renewed
    try {
      const to = await loadLog(replacement, onCorrupt)
      const rebuilt = await new LogRebuild(log, to, plan, onTrouble).run()
      const { lostCount, lostDocumentCount, cut } = rebuilt.renewal
      if (plan.own === plan.before && lostCount + lostDocumentCount > 0) return undefined
      renewed = { ...rebuilt.renewal, why, before: plan.before }
      const boot = mintBoot()
      const cuts = new Map(await storedCuts(log.database))
      if (cut !== undefined) cuts.set(cut.origin, cut.keepSeq)
      await replacement.write([
        ...identityOperations(node, plan.own, boot),
        ...[...cuts].map(([origin, seq]) => cutOperation(origin, seq)),
      ])
      const openedSeq = rebuilt.own.head.seq
      stageBootFile(directory, { boot, origin: plan.own, openedSeq })
    } finally {
      await replacement.close()
    }
    await this.#database.close()
    this.#database = await replace(directory)
    publishBootFile(directory)
    const identity: Identity = { node, origin: plan.own, renewed }
    return LevelLog.open(await this.#load(), directory, identity)
  }
}
