/**
 * What a node shows a peer to prove that it knows the cluster's secret: a MAC over the bytes of
 * both hellos, whose nonces make it good for this greeting alone, and over who shows it, so that
 * nobody gets in by saying back what they were told. Rule [L12]. HMAC: RFC 2104.
 */
import { hmac } from "@noble/hashes/hmac.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { utf8Encode, Writer } from "../base/index.ts"

/** The side of a link that shows a proof. */
export type LinkRole = "dialler" | "acceptor"

export type Hellos = { readonly dialler: Uint8Array; readonly acceptor: Uint8Array }

const LABEL = "causeway link 2"

export function proofOf(secret: Uint8Array, role: LinkRole, hellos: Hellos): Uint8Array {
  const writer = new Writer(hellos.dialler.length + hellos.acceptor.length + 64)
  writer.string(LABEL).string(role).bytes(hellos.dialler).bytes(hellos.acceptor)
  return hmac(sha256, secret, writer.finish())
}

/** In a time that says nothing about where they differ. */
export function isSameProof(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false
  let difference = 0
  for (const [index, byte] of left.entries()) difference |= byte ^ (right[index] ?? 0)
  return difference === 0
}

/** A secret as bytes: a text without the white space around it. */
export function secretOf(text: string): Uint8Array {
  return utf8Encode(text.trim())
}
