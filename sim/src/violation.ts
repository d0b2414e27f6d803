/** A broken promise: thrown where it is noticed, caught by the run, which adds what led to it. */

/** What the simulator watches. */
export type InvariantName =
  | "nothing-unlogged-seen"
  | "no-acked-write-lost"
  /** A writer that lives, or whose storage does, never gave it up. */
  | "no-write-lost"
  | "vector-honesty"
  | "resume-honesty"
  | "no-fork"
  | "no-phantom"
  | "logged-once"
  | "convergence"
  | "boundedness"
  | "liveness"
  | "honest-client-refused"
  /** A core sent what its receivers can't make sense of. */
  | "protocol"
  /** A core threw. */
  | "assertion"

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
