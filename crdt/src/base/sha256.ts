/**
 * SHA-256 (FIPS 180-4) of whole messages. Logs and updates are many short ones, for which a
 * library's hash objects and views cost as much as the hash; here nothing is made but the result.
 */
const WORDS = 64
const BLOCK_BYTES = 64
const LENGTH_BYTES = 8

/** Fractions of the cube roots of the first 64 primes, and of the square roots of the first 8. */
// oxfmt-ignore
const constants = Int32Array.of(
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
  0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
  0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
  0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
  0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
  0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
  0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
  0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
  0xc67178f2,
)
// oxfmt-ignore
const initial = Int32Array.of(
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab,
  0x5be0cd19,
)

const words = new Int32Array(WORDS)
const state = new Int32Array(8)
/** The end of a message with its padding: one block or two. */
const tail = new Uint8Array(2 * BLOCK_BYTES)

/** 32 bytes. O(length). */
export function sha256(message: Uint8Array): Uint8Array {
  const { length } = message
  state.set(initial)
  const whole = length - (length % BLOCK_BYTES)
  for (let offset = 0; offset < whole; offset += BLOCK_BYTES) compress(message, offset)
  const rest = length - whole
  const tailBytes = rest + 1 + LENGTH_BYTES > BLOCK_BYTES ? 2 * BLOCK_BYTES : BLOCK_BYTES
  for (let index = 0; index < rest; index++) tail[index] = byteAt(message, whole + index)
  tail[rest] = 0x80
  tail.fill(0, rest + 1, tailBytes)
  const bits = length * 8
  putWord(tail, tailBytes - 8, Math.floor(bits / 2 ** 32))
  putWord(tail, tailBytes - 4, bits | 0)
  for (let offset = 0; offset < tailBytes; offset += BLOCK_BYTES) compress(tail, offset)
  const hash = new Uint8Array(32)
  for (let index = 0; index < 8; index++) putWord(hash, index * 4, wordAt(state, index))
  return hash
}

function putWord(into: Uint8Array, at: number, word: number): void {
  into[at] = word >>> 24
  into[at + 1] = word >>> 16
  into[at + 2] = word >>> 8
  into[at + 3] = word
}

/** Every index is within its array: arrays of fixed sizes, and a whole block. */
function wordAt(array: Int32Array, index: number): number {
  return array[index] ?? 0
}

function byteAt(array: Uint8Array, index: number): number {
  return array[index] ?? 0
}

function compress(bytes: Uint8Array, offset: number): void {
  expand(bytes, offset)
  let a = wordAt(state, 0)
  let b = wordAt(state, 1)
  let c = wordAt(state, 2)
  let d = wordAt(state, 3)
  let e = wordAt(state, 4)
  let f = wordAt(state, 5)
  let g = wordAt(state, 6)
  let h = wordAt(state, 7)
  for (let index = 0; index < WORDS; index++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))
    const choice = (e & f) ^ (~e & g)
    const t1 = (h + s1 + choice + wordAt(constants, index) + wordAt(words, index)) | 0
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + t2) | 0
  }
  state[0] = wordAt(state, 0) + a
  state[1] = wordAt(state, 1) + b
  state[2] = wordAt(state, 2) + c
  state[3] = wordAt(state, 3) + d
  state[4] = wordAt(state, 4) + e
  state[5] = wordAt(state, 5) + f
  state[6] = wordAt(state, 6) + g
  state[7] = wordAt(state, 7) + h
}

/** The block as 16 words, and 48 more made of them. */
function expand(bytes: Uint8Array, offset: number): void {
  for (let index = 0; index < 16; index++) {
    const start = offset + index * 4
    words[index] =
      (byteAt(bytes, start) << 24) |
      (byteAt(bytes, start + 1) << 16) |
      (byteAt(bytes, start + 2) << 8) |
      byteAt(bytes, start + 3)
  }
  for (let index = 16; index < WORDS; index++) {
    const x = wordAt(words, index - 15)
    const y = wordAt(words, index - 2)
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10)
    words[index] = (wordAt(words, index - 16) + s0 + wordAt(words, index - 7) + s1) | 0
  }
}
