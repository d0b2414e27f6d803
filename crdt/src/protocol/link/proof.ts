/**
 * Shows that the sender knows the cluster's secret, without saying it: a MAC over both hellos and
 * the sender's role. Empty from a node without a secret. Rule [L12].
 */
import { DecodeError, Writer } from "../../base/index.ts"
import type { Reader } from "../../base/index.ts"
import { linkTags } from "../tags.ts"

export const PROOF_BYTES = 32

export type LinkProof = {
  readonly type: "proof"
  /** `PROOF_BYTES` or nothing. */
  readonly proof: Uint8Array
}

export function encodeLinkProof(message: LinkProof): Uint8Array {
  return new Writer().u8(linkTags.proof).bytes(message.proof).finish()
}

export function decodeLinkProof(reader: Reader): LinkProof {
  const proof = reader.bytes(PROOF_BYTES).slice()
  if (proof.length !== 0 && proof.length !== PROOF_BYTES) {
    throw new DecodeError("bad-value", reader.offset, "proof")
  }
  return { type: "proof", proof }
}
