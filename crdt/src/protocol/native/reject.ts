/** Node → client: one update was refused. Rule [N7]. */
import { limits, Writer } from "../../base/index.ts"
import type { Reader } from "../../base/index.ts"
import { decodeNumbered } from "../numbered.ts"
import { rejectCodes } from "../reject-codes.ts"
import type { RejectCode } from "../reject-codes.ts"
import { nativeTags } from "../tags.ts"
import { encodeText } from "../text.ts"

export type Reject = {
  readonly type: "reject"
  readonly seq: number
  readonly code: RejectCode
  /** A sentence for the developer, cut to `textBytesMax`. */
  readonly message: string
}

export function encodeReject(message: Reject): Uint8Array {
  const writer = new Writer().u8(nativeTags.reject).varUint(message.seq)
  writer.u8(rejectCodes[message.code].number)
  return encodeText(writer, message.message).finish()
}

export function decodeReject(reader: Reader): Reject {
  const seq = reader.varUint()
  const code = decodeNumbered(reader, rejectCodes, ({ number }) => number)
  return { type: "reject", seq, code, message: reader.string(limits.textBytesMax) }
}
