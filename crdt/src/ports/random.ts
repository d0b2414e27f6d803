/** Randomness as a core gets it: seeded in the simulator, from the system in production. */
export interface Random {
  /** A uniform number in [0, 1). */
  next(): number
}

/** What a node needs besides: bytes that nobody can foresee. */
export interface NodeRandom extends Random {
  bytes(count: number): Uint8Array
}
