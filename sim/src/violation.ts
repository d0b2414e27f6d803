/** A broken promise: thrown where it is noticed, caught by the run, which adds what led to it. */

/** What the simulator watches, by the names of docs/simulator.md. */
export const invariantNames = [
  "nothing-unlogged-seen",
  "no-acked-write-lost",
  "no-write-lost",
  "vector-honesty",
  "no-fork",
  "no-phantom",
  "logged-once",
  "convergence",
  "boundedness",
  "liveness",
  "honest-client-refused",
  "resume-honesty",
  "protocol",
  "assertion",
  "determinism",
] as const
export type InvariantName = (typeof invariantNames)[number]

export class Violation extends Error {
  override readonly name = "Violation"
  readonly invariant: InvariantName

  constructor(invariant: InvariantName, message: string, options?: ErrorOptions) {
    super(message, options)
    this.invariant = invariant
  }
}

/** Throws a violation unless `holds`. */
export function demand(
  holds: boolean,
  invariant: InvariantName,
  message: () => string,
): asserts holds {
  if (!holds) throw new Violation(invariant, message())
}
