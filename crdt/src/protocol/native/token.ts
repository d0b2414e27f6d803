/**
 * Both ways, from version 5 on. Client → node: another token for this connection. Node → client,
 * where tokens are checked: the one that was shown last is good for so long. Rule [N23].
 */
import { limits, Writer } from "../../base/index.ts"
import type { Millis, Reader } from "../../base/index.ts"
import { nativeTags } from "../tags.ts"

export type Token = { readonly type: "token"; readonly token: string }

export type TokenValid = { readonly type: "token-valid"; readonly forMs: Millis }

export function encodeToken({ token }: Token): Uint8Array {
  return new Writer().u8(nativeTags.token).string(token).finish()
}

export function decodeToken(reader: Reader): Token {
  return { type: "token", token: reader.string(limits.textBytesMax) }
}

export function encodeTokenValid({ forMs }: TokenValid): Uint8Array {
  return new Writer().u8(nativeTags.tokenValid).varUint(forMs).finish()
}

export function decodeTokenValid(reader: Reader): TokenValid {
  return { type: "token-valid", forMs: reader.varUint() }
}
