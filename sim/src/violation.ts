/** A broken promise: thrown where it is noticed, caught by the run, which adds what led to it. */

export class Violation extends Error {
  override readonly name = "Violation"
  /** The name of an invariant (`invariants/`). */
  readonly invariant: string

  constructor(invariant: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.invariant = invariant
  }
}

/** Throws a violation unless `holds`. */
export function demand(holds: boolean, invariant: string, message: () => string): asserts holds {
  if (!holds) throw new Violation(invariant, message())
}
