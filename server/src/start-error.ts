/** Why a node could not start: one line for the operator, without a stack trace. */
export type StartErrorCode = "bad-config" | "address" | "store"

export class StartError extends Error {
  override readonly name = "StartError"
  readonly code: StartErrorCode

  /** `message` is one line that says what to do. */
  constructor(code: StartErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
