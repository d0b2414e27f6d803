/** Node → client: one update was refused. Rule [N7]. */
import { DecodeError, limits, Writer } from "../../base/index.ts"
import type { Reader } from "../../base/index.ts"
import { rejectCodeOf, rejectCodes } from "../reject-codes.ts"
import type { RejectCode } from "../reject-codes.ts"
import { nativeTags } from "../tags.ts"

export type Reject = {
  readonly type: "reject"
  readonly seq: number
  readonly code: RejectCode
  /** A sentence for the developer. */
  readonly message: string
}

export function encodeReject(message: Reject): Uint8Array {
  return new Writer()
    .u8(nativeTags.reject)
    .varUint(message.seq)
    .u8(rejectCodes[message.code].number)
    .string(message.message)
    .finish()
}

export function decodeReject(reader: Reader): Reject {
  const seq = reader.varUint()
  const code = rejectCodeOf(reader.u8())
  if (code === undefined) throw new DecodeError("bad-value", reader.offset, "reject code")
  return { type: "reject", seq, code, message: reader.string(limits.textBytesMax) }
}
