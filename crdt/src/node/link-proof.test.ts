import { expect, test } from "vitest"
import { bytesToHex } from "../base/index.ts"
import { isSameProof, proofOf, secretOf } from "./link-proof.ts"

const secret = secretOf("  the cluster's secret\n")
const hellos = { dialler: Uint8Array.of(1, 2, 3), acceptor: Uint8Array.of(4, 5) }

test("[L12] golden proofs: HMAC-SHA256 of label, role and both hellos", () => {
  // Python: hmac.new(b"the cluster's secret", b"\x0fcauseway link 2\x07dialler"
  //   b"\x03\x01\x02\x03\x02\x04\x05", "sha256").hexdigest()
  expect(bytesToHex(proofOf(secret, "dialler", hellos))).toBe(
    "f65d92642524f5f6f948b4ba12bf0acf7dd064bc564cb16748b708022ebbc077",
  )
  expect(bytesToHex(proofOf(secret, "acceptor", hellos))).toBe(
    "0531d2a38769056b90556679d4953c2ecf70198edce6e05752216fd5106bec98",
  )
})

test("[L12] whatever it covers changes the proof, also where one hello ends", () => {
  const others = [
    proofOf(secretOf("another secret"), "dialler", hellos),
    proofOf(secret, "acceptor", hellos),
    proofOf(secret, "dialler", { ...hellos, dialler: Uint8Array.of(1, 2, 4) }),
    proofOf(secret, "dialler", { ...hellos, acceptor: Uint8Array.of(4, 6) }),
    proofOf(secret, "dialler", { dialler: hellos.acceptor, acceptor: hellos.dialler }),
    proofOf(secret, "dialler", { dialler: Uint8Array.of(1, 2), acceptor: Uint8Array.of(3, 4, 5) }),
  ]
  const proof = proofOf(secret, "dialler", hellos)
  for (const other of others) expect(isSameProof(other, proof)).toBe(false)
  expect(isSameProof(proofOf(secret, "dialler", hellos), proof)).toBe(true)
})

test("[L12] a proof is the same only to its last byte", () => {
  const proof = proofOf(secret, "dialler", hellos)
  expect(isSameProof(proof.slice(0, -1), proof)).toBe(false)
  expect(isSameProof(new Uint8Array(), proof)).toBe(false)
  for (const index of proof.keys()) {
    const other = proof.slice()
    other[index] = (other[index] ?? 0) ^ 1
    expect(isSameProof(other, proof)).toBe(false)
  }
})
