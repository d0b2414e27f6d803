/**
 * Whose log this is: node and own origin, minted when the folder is new. Each opening asks whether
 * what the disk holds is what this node, and nobody else, wrote last; if that is in doubt the log
 * is renewed before it is used (ADR 8). Rules [E1] [E2].
 */
import type { Database } from "better-sqlite3"
import { parseNodeId, parseOriginId } from "@causeway/crdt/base"
import type { NodeId, OriginId } from "@causeway/crdt/base"
import type { Cut } from "@causeway/crdt/log"
import type { DoubtReason, Renewed } from "@causeway/crdt/ports"
import { errorMessage, isFull, StoreOpenError } from "../errors.ts"
import { checkNode, doubtOf, mintNode, mintOrigin } from "../identity.ts"
import { findBootFile, mintBoot, publishBootFile, stageBootFile } from "../boot-record.ts"
import type { FolderLogOptions } from "../thread/serve.ts"
import type { DocumentRows } from "./documents.ts"
import type { HeldOrigin, HeldOrigins } from "./heads.ts"
import type { LogReader } from "./reader.ts"
import { LogRenewal } from "./renewal.ts"
import type { RenewalPlan } from "./renewal.ts"
import type { Snapshots } from "./snapshots.ts"

export type Identity = {
  readonly node: NodeId
  readonly origin: OriginId
  readonly renewed: Renewed | undefined
}

export type Opening = Omit<FolderLogOptions, "onCorrupt">

type Parts = {
  readonly origins: HeldOrigins
  readonly documents: DocumentRows
  readonly snapshots: Snapshots
  readonly reader: LogReader
}

/** @throws StoreOpenError `other-node` if the folder belongs to another than the wanted node. */
export function identify(database: Database, opening: Opening, parts: Parts): Identity {
  const { directory, node: wanted } = opening
  const node = storedMeta(database, "node", parseNodeId)
  checkNode(directory, node, wanted)
  const origin = storedMeta(database, "origin", parseOriginId)
  const boot = storedMeta(database, "boot", (text) => text)
  if (node === undefined || origin === undefined) {
    return open(database, directory, parts, () => create(wanted ?? mintNode(), parts))
  }
  const held = parts.origins.get(origin)
  if (held === undefined) throw new StoreOpenError("failed", `no log of ${origin} in the store`)
  const file = findBootFile(directory, boot)
  // Every head's hash is the stored one, and told to peers: all ends are looked at, O(origins).
  const badTails = parts.origins
    .all()
    .filter((one) => !parts.reader.isSound(one.origin, one.head.seq))
  const isTailSound = badTails.every((bad) => bad.origin !== origin)
  const isSound = badTails.length === 0
  const why = doubtOf(opening.doubt, file, held, isTailSound) ?? (isSound ? undefined : "corrupt")
  if (why === undefined) return openAsBefore(database, opening, parts, { node, own: held })
  return open(database, directory, parts, () => {
    const { renewed, own } = renew(database, node, held, { ...opening, why, isSound }, parts)
    return { node, renewed, own }
  })
}

/** On a full disk the boot record of the last opening stays: reads go on, and nothing is lost. */
function openAsBefore(
  database: Database,
  { directory, onTrouble }: Opening,
  parts: Parts,
  { node, own }: { readonly node: NodeId; readonly own: HeldOrigin },
): Identity {
  try {
    return open(database, directory, parts, () => ({ node, own, renewed: undefined }))
  } catch (error) {
    if (!isFull(error)) throw error
    onTrouble(`no boot record of this opening: ${errorMessage(error)}`)
    return { node, origin: own.origin, renewed: undefined }
  }
}

type Ready = {
  readonly node: NodeId
  readonly renewed: Renewed | undefined
  readonly own: HeldOrigin
}

/** Makes the store ready and puts a new boot record in both its places, or changes nothing. */
function open(
  database: Database,
  directory: string,
  { origins, documents }: Parts,
  makeReady: () => Ready,
): Identity {
  try {
    const { node, renewed, own } = database
      .transaction(() => {
        const ready = makeReady()
        const { origin, head } = ready.own
        const boot = mintBoot()
        putMeta(database, "node", ready.node)
        putMeta(database, "origin", origin)
        putMeta(database, "boot", boot)
        stageBootFile(directory, { boot, origin, openedSeq: head.seq })
        return ready
      })
      .immediate()
    publishBootFile(directory)
    return { node, origin: own.origin, renewed }
  } finally {
    documents.forget()
    origins.reload()
  }
}

function create(node: NodeId, { origins }: Parts): Ready {
  return { node, renewed: undefined, own: origins.insert(mintOrigin(node)) }
}

function renew(
  database: Database,
  node: NodeId,
  before: HeldOrigin,
  found: Opening & { readonly why: DoubtReason; readonly isSound: boolean },
  parts: Parts,
): { renewed: Renewed; own: HeldOrigin } {
  const { why, plan } = planOf(before.origin, mintOrigin(node), found, parts)
  const { own, ...renewal } = new LogRenewal(database, parts, found.onTrouble).run(plan)
  const { cut } = renewal
  if (cut !== undefined) putMeta(database, `${CUT}${cut.origin}`, String(cut.keepSeq))
  return { renewed: { ...renewal, why, before: before.origin }, own }
}

/** What can't be moved whole calls for a fresh epoch: then a fork is found once more. */
function planOf(
  before: OriginId,
  fresh: OriginId,
  { why, doubt, isSound }: { readonly why: DoubtReason; readonly isSound: boolean } & Opening,
  parts: Parts,
): { readonly why: DoubtReason; readonly plan: RenewalPlan } {
  if (why === "fork" && doubt?.why === "fork") {
    const { origin, keepSeq } = doubt
    const cut = { origin, keepSeq }
    if (isSoundBehind(cut, parts)) return { why, plan: { own: before, cut, isScan: false } }
    const whole = { own: fresh, cut: { origin: before, keepSeq: Infinity }, isScan: true }
    return { why: "corrupt", plan: whole }
  }
  const isCut = doubt?.why === "overtaken" || doubt?.why === "retired"
  const cut = { origin: before, keepSeq: isCut ? doubt.keepSeq : Infinity }
  const mayBeDamaged = doubt?.why === "corrupt" || why === "tail" || !isSound
  const isScan = mayBeDamaged || !isSoundBehind(cut, parts)
  return { why, plan: { own: fresh, cut, isScan } }
}

/** Whether what an opening cuts off can be moved whole. */
function isSoundBehind({ origin, keepSeq }: Cut, { origins, reader }: Parts): boolean {
  const floor = origins.get(origin)?.floor.seq ?? 0
  return reader.isSoundFrom(origin, Math.max(keepSeq, floor) + 1)
}

const CUT = "cut "

/** Where own origins of before were cut as overtaken. */
export function storedCuts(database: Database): [OriginId, number][] {
  const select = database.prepare<[string], { key: string; value: string }>(
    "SELECT key, value FROM meta WHERE key GLOB ? ORDER BY key",
  )
  return select.all(`${CUT}*`).map(({ key, value }) => {
    const origin = parseOriginId(key.slice(CUT.length))
    if (origin === undefined) throw new StoreOpenError("failed", `bad ${key} in the store`)
    return [origin, Number(value)]
  })
}

function putMeta(database: Database, key: string, value: string): void {
  database.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)").run(key, value)
}

function storedMeta<Value>(
  database: Database,
  key: string,
  parse: (text: string) => Value | undefined,
): Value | undefined {
  const select = database.prepare<[string], { value: string }>(
    "SELECT value FROM meta WHERE key = ?",
  )
  const text = select.get(key)?.value
  if (text === undefined) return undefined
  const value = parse(text)
  if (value === undefined) throw new StoreOpenError("failed", `bad ${key} in the store: ${text}`)
  return value
}
