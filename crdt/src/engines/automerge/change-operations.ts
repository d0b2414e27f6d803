/**
 * Decodes the operations of an ordinary change to their last byte, without building anything:
 * what Automerge itself writes, in its one canonical form. `true` promises that
 * Automerge reads the change; anything else is Automerge's to judge. Some hundred times cheaper
 * than asking it, and most changes are ordinary (Automerge's binary format, "Change chunk").
 */
import { bytesCompare } from "../../base/bytes.ts"
import { DecodeError } from "../../base/errors.ts"
import { utf8Decode } from "../../base/utf8.ts"
import { decodedRowsMax } from "./limits.ts"
import { notOrdinary, Rows } from "./rows.ts"

const hashBytes = 32
/** Automerge counts operations in 32 bits. */
const counterMax = 2 ** 31
const columns = {
  objectActor: 1,
  objectCounter: 2,
  keyActor: 17,
  keyCounter: 19,
  keyString: 21,
  insert: 52,
  action: 66,
  valueMeta: 86,
  value: 87,
  predecessors: 112,
  predecessorActor: 113,
  predecessorCounter: 115,
  expand: 148,
  markName: 165,
} as const
const known: ReadonlySet<number> = new Set(Object.values(columns))
const increment = 5
const actionMax = 7
const valueTypes = { unsigned: 3, signed: 4, float: 5, text: 6, bytes: 7, time: 9 } as const

/** `body` is that of a change chunk. O(bytes + operations), at most `decodedRowsMax` of them. */
export function isOrdinaryChange(body: Uint8Array): boolean {
  try {
    readOperations(new Rows(body, 0, body.length, "plain"))
    return true
  } catch (error) {
    if (error instanceof DecodeError) return false
    throw error
  }
}

function readOperations(head: Rows): void {
  const { actors, startOp } = readHead(head)
  const found = readColumns(head)
  head.end()
  let rows = 0
  const { action } = found
  for (; action.more; rows++) {
    if (rows === decodedRowsMax) throw notOrdinary()
    readOperation(found, actors)
  }
  if (startOp + rows > counterMax) throw notOrdinary()
  if (found.insert.present !== rows > 0) throw notOrdinary()
  for (const column of Object.values(found)) column.end()
}

/** Gives how many actors operations may name, and the number of the first operation. */
function readHead(head: Rows): { actors: number; startOp: number } {
  ascending(head, head.unsigned(), hashBytes)
  const author = head.raw(head.unsigned())
  if (author.length === 0) throw notOrdinary()
  const seq = head.unsigned()
  const startOp = head.unsigned()
  head.signed()
  utf8Decode(head.raw(head.unsigned()))
  if (seq === 0 || startOp === 0 || seq > counterMax) throw notOrdinary()
  const others = head.unsigned()
  ascending(head, others, undefined)
  return { actors: others + 1, startOp }
}

/** Byte strings of `length`, or with their lengths, each greater than the one before. */
function ascending(head: Rows, count: number, length: number | undefined): void {
  let before: Uint8Array | undefined
  for (let index = 0; index < count; index++) {
    const next = head.raw(length ?? head.unsigned())
    if (before !== undefined && bytesCompare(before, next) >= 0) throw notOrdinary()
    before = next
  }
}

type Found = ReturnType<typeof readColumns>

function readColumns(head: Rows) {
  const count = head.unsigned()
  const lengths = new Map<number, number>()
  let last = 0
  for (let index = 0; index < count; index++) {
    const spec = head.unsigned()
    const length = head.unsigned()
    if (spec <= last || !known.has(spec) || length === 0) throw notOrdinary()
    last = spec
    lengths.set(spec, length)
  }
  // In the order of their numbers, as they follow each other in the bytes.
  const take = (spec: number, type: Rows["type"]): Rows => head.part(lengths.get(spec) ?? 0, type)
  return {
    objectActor: take(columns.objectActor, "unsigned"),
    objectCounter: take(columns.objectCounter, "unsigned"),
    keyActor: take(columns.keyActor, "unsigned"),
    keyCounter: take(columns.keyCounter, "delta"),
    keyString: take(columns.keyString, "string"),
    insert: take(columns.insert, "boolean"),
    action: take(columns.action, "unsigned"),
    valueMeta: take(columns.valueMeta, "unsigned"),
    value: take(columns.value, "plain"),
    predecessors: take(columns.predecessors, "unsigned"),
    predecessorActor: take(columns.predecessorActor, "unsigned"),
    predecessorCounter: take(columns.predecessorCounter, "delta"),
    expand: take(columns.expand, "boolean"),
    markName: take(columns.markName, "string"),
  }
}

function readOperation(found: Found, actors: number): void {
  const action = found.action.next()
  readName(found.objectActor.next(), found.objectCounter.next(), actors, true)
  readKey(found, actors)
  found.insert.next()
  found.expand.next()
  found.markName.next()
  const type = readValue(found)
  if (action === undefined || action > actionMax) throw notOrdinary()
  if (action === increment && type !== valueTypes.unsigned && type !== valueTypes.signed) {
    throw notOrdinary()
  }
  const predecessors = found.predecessors.next()
  if (predecessors === undefined || predecessors > decodedRowsMax) throw notOrdinary()
  for (let index = 0; index < predecessors; index++) {
    const counter = found.predecessorCounter.next()
    readName(found.predecessorActor.next(), counter, actors, false)
  }
}

/** An operation's name, or nothing at all where the root may be meant. */
function readName(
  actor: number | undefined,
  counter: number | undefined,
  actors: number,
  mayBeRoot: boolean,
): void {
  if (mayBeRoot && actor === undefined && counter === undefined) return
  if (actor === undefined || counter === undefined) throw notOrdinary()
  if (actor >= actors || counter < 1 || counter > counterMax) throw notOrdinary()
}

/** A map's key, an element's name, or the start of a list. */
function readKey({ keyActor, keyCounter, keyString }: Found, actors: number): void {
  const actor = keyActor.next()
  const counter = keyCounter.next()
  const isString = keyString.next() !== undefined
  if (isString) {
    if (actor !== undefined || counter !== undefined) throw notOrdinary()
  } else if (counter !== 0 || actor !== undefined) {
    readName(actor, counter, actors, false)
  }
}

/** Gives the type of the value. */
function readValue({ valueMeta, value }: Found): number {
  const meta = valueMeta.next()
  if (meta === undefined) throw notOrdinary()
  const type = meta % 16
  const length = Math.floor(meta / 16)
  if (type === valueTypes.text) utf8Decode(value.raw(length))
  else if (type === valueTypes.bytes) value.raw(length)
  else if (type > valueTypes.time) throw notOrdinary()
  else {
    const end = value.offset + length
    if (type === valueTypes.float) value.raw(8)
    else if (type === valueTypes.unsigned) value.unsigned()
    else if (type > valueTypes.unsigned) value.signed()
    if (value.offset !== end) throw notOrdinary()
  }
  return type
}
