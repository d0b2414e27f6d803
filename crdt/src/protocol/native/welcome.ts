/** Node → client, the answer to hello: the connection is ready. Rule [N2]. */
import { DecodeError, limits, Writer } from "../../base/index.ts"
import type { OriginId, Reader } from "../../base/index.ts"
import { decodeOrigin } from "../../clock/index.ts"
import { nativeTags } from "../tags.ts"

/** The longest time a timer takes on every platform; past it timers fire at once. */
const timerMsMax = 2_147_483_647

export type Welcome = {
  readonly type: "welcome"
  readonly version: number
  /** Names the connection in logs. */
  readonly session: string
  /** The node's origin; acks name entries of it. */
  readonly origin: OriginId
  /** Update numbers up to here are durable (or were refused for good): the outbox may drop them. */
  readonly loggedSeq: number
  readonly updateBytesMax: number
  /** Unacked bytes the client may have under way. */
  readonly windowBytes: number
  /** The client pings this often. */
  readonly heartbeatMs: number
}

export function encodeWelcome(message: Welcome): Uint8Array {
  return new Writer()
    .u8(nativeTags.welcome)
    .varUint(message.version)
    .string(message.session)
    .string(message.origin)
    .varUint(message.loggedSeq)
    .varUint(message.updateBytesMax)
    .varUint(message.windowBytes)
    .varUint(message.heartbeatMs)
    .finish()
}

export function decodeWelcome(reader: Reader): Welcome {
  return {
    type: "welcome",
    version: atLeastOne(reader),
    session: reader.string(limits.textBytesMax),
    origin: decodeOrigin(reader),
    loggedSeq: reader.varUint(),
    updateBytesMax: atLeastOne(reader),
    windowBytes: atLeastOne(reader),
    heartbeatMs: atLeastOne(reader, timerMsMax),
  }
}

/** A client obeys these: a zero would stop it for good, or make it ping without a pause. */
function atLeastOne(reader: Reader, max = Number.MAX_SAFE_INTEGER): number {
  const value = reader.varUint()
  if (value < 1 || value > max) throw new DecodeError("bad-value", reader.offset, "welcome")
  return value
}
