/**
 * Walks over the content of one Yjs item (yjs `structs/Content*.js`, the readers of V1) and
 * returns how many clock ticks it spans. Counts are never trusted: each counted thing takes at
 * least one byte, so a false count runs into the end of the bytes.
 */
import { bytesEqual } from "../../base/bytes.ts"
import { utf8Encode } from "../../base/utf8.ts"
import { invalid, type Cursor } from "./cursor.ts"
import { skipJsonText } from "./json-text.ts"
import { nestingMax, subdocumentsMax } from "./limits.ts"

/** Content numbers as in the low five bits of a struct's info byte; 0 and 10 hold no content. */
export const contentRef = {
  gc: 0,
  deleted: 1,
  json: 2,
  binary: 3,
  string: 4,
  embed: 5,
  format: 6,
  type: 7,
  any: 8,
  document: 9,
  skip: 10,
} as const

/** Shared across the structs of one update. */
export type ContentTally = { subdocuments: number }

/** Returns the length on the clock, which may be 0: the caller refuses that. */
export function skipContent(cursor: Cursor, ref: number, tally: ContentTally): number {
  switch (ref) {
    case contentRef.string:
      return cursor.skipString()
    case contentRef.deleted:
      return cursor.varUint()
    case contentRef.any:
      return skipAnys(cursor)
    case contentRef.format:
      cursor.skipString()
      skipJsonText(cursor)
      return 1
    case contentRef.type:
      skipType(cursor)
      return 1
    case contentRef.embed:
      skipJsonText(cursor)
      return 1
    case contentRef.binary:
      cursor.skipBytes()
      return 1
    case contentRef.json:
      return skipJsons(cursor)
    case contentRef.document:
      skipDocument(cursor, tally)
      return 1
    default:
      return invalid("unknown content", cursor.offset)
  }
}

function skipAnys(cursor: Cursor): number {
  const count = cursor.varUint()
  for (let index = 0; index < count; index++) skipAny(cursor, 0)
  return count
}

const undefinedText = utf8Encode("undefined")

/** Array content of before V1 had `any`: JSON texts, but for the bare word `undefined`. */
function skipJsons(cursor: Cursor): number {
  const count = cursor.varUint()
  for (let index = 0; index < count; index++) {
    const from = cursor.offset
    const text = cursor.stringBytes()
    if (bytesEqual(text, undefinedText)) continue
    cursor.offset = from
    skipJsonText(cursor)
  }
  return count
}

const typeRefMax = 6
const typeRefXmlElement = 3
const typeRefXmlHook = 5

function skipType(cursor: Cursor): void {
  const ref = cursor.varUint()
  if (ref > typeRefMax) invalid("unknown type", cursor.offset)
  if (ref === typeRefXmlElement || ref === typeRefXmlHook) cursor.skipString()
}

/**
 * Yjs spreads a subdocument's options over the arguments of `new Doc`, so `guid` could replace
 * the real one by something that is no string, and `gcFilter` one of its functions. No client
 * writes those two; other unknown options are let through, as ports of Yjs write some.
 */
const bannedOptions = new Set(["guid", "gcFilter"])

function skipDocument(cursor: Cursor, tally: ContentTally): void {
  tally.subdocuments += 1
  if (tally.subdocuments > subdocumentsMax) invalid("too many subdocuments", cursor.offset)
  cursor.skipString()
  if (cursor.u8() !== anyTag.object) invalid("options are no object", cursor.offset)
  const count = cursor.varUint()
  for (let index = 0; index < count; index++) {
    const from = cursor.offset
    const key = cursor.stringBytes()
    if (key.length <= 8 && bannedOptions.has(String.fromCharCode(...key))) {
      invalid("banned option", from)
    }
    cursor.offset = from
    cursor.skipString()
    skipAny(cursor, 1)
  }
}

/** lib0's self-describing values (lib0 `decoding.readAny`). */
const anyTag = {
  bytes: 116,
  array: 117,
  object: 118,
  string: 119,
  true: 120,
  false: 121,
  bigint: 122,
  float64: 123,
  float32: 124,
  integer: 125,
  null: 126,
  undefined: 127,
} as const

/**
 * A key `__proto__` is let through: lib0 assigns it to a fresh object, which changes that object
 * alone, and neither digest nor JSON looks at prototypes.
 */
function skipAny(cursor: Cursor, depth: number): void {
  const tag = cursor.u8()
  switch (tag) {
    case anyTag.undefined:
    case anyTag.null:
    case anyTag.true:
    case anyTag.false:
      return
    case anyTag.integer:
      return cursor.skipVarInt()
    case anyTag.float32:
      return cursor.skip(4)
    case anyTag.float64:
    case anyTag.bigint:
      return cursor.skip(8)
    case anyTag.string:
      cursor.skipString()
      return
    case anyTag.bytes:
      return cursor.skipBytes()
    case anyTag.object:
    case anyTag.array:
      if (depth === nestingMax) invalid("nested too deep", cursor.offset)
      return skipNested(cursor, depth, tag === anyTag.object)
    default:
      invalid("unknown value", cursor.offset - 1)
  }
}

function skipNested(cursor: Cursor, depth: number, keyed: boolean): void {
  const count = cursor.varUint()
  for (let index = 0; index < count; index++) {
    if (keyed) cursor.skipString()
    skipAny(cursor, depth + 1)
  }
}
