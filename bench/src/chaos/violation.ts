/** A promise that was broken, or a run that could not go on: what ends with exit code 1. */

export type Rule =
  | "acked-lost"
  | "seen-lost"
  | "held-lost"
  | "phantom"
  | "nodes-differ"
  | "clients-differ"
  | "not-level"
  | "not-drained"
  | "client-refused"
  | "protocol"
  | "node-died"
  | "node-did-not-start"
  | "node-did-not-stop"
  | "memory"

export type Violation = { readonly rule: Rule; readonly message: string }

/** This machine or these nodes lack what was asked for. */
export class CannotRun extends Error {}

/** Thrown where a run cannot go on. */
export class Broken extends Error {
  readonly violation: Violation

  constructor(rule: Rule, message: string, cause?: unknown) {
    super(`${rule}: ${message}`, { cause })
    this.violation = { rule, message }
  }
}
