/**
 * Whose a client's token is. What a token means is up to the embedding program, or to `jwt.ts`;
 * here its word gets bounds: so many checks at a time, and so long for each. Rules [N22] [N23].
 */
import type { TokenCheck } from "@causeway/crdt/node"

/** `expiresAtMs`: since 1970; if it is not given, the token is asked for again after a day. */
export type Identity = { readonly user: string; readonly expiresAtMs?: number | undefined }

/** `refused`: why, for the node's log; the client is told only that its token is not taken. */
export type Refusal = { readonly refused: string }

/** An error says that nobody can know right now: the client is to try again. */
export type Authenticate = (token: string) => Identity | Refusal | Promise<Identity | Refusal>

const checkLimits = {
  /** Checks under way. Past it: clients are to try again (close 4507). */
  checksMax: 1024,
  /** For one; then the client is to try again. */
  checkMs: 5000,
} as const

export class TokenChecks {
  readonly #authenticate: Authenticate
  #underWay = 0

  constructor(authenticate: Authenticate) {
    this.#authenticate = authenticate
  }

  /** Never fails: what goes wrong is part of what it gives. */
  async check(token: string): Promise<TokenCheck> {
    const { checksMax, checkMs } = checkLimits
    if (this.#underWay >= checksMax) return failed("too many tokens are being checked")
    this.#underWay += 1
    // One that never answers goes on being counted: it holds memory until it does.
    const answer = this.#ask(token).finally(() => (this.#underWay -= 1))
    let patience: NodeJS.Timeout | undefined
    const late = new Promise<TokenCheck>((resolve) => {
      patience = setTimeout(() => resolve(failed("the check took too long")), checkMs)
    })
    return await Promise.race([answer, late]).finally(() => clearTimeout(patience))
  }

  async #ask(token: string): Promise<TokenCheck> {
    try {
      return checkOf(await this.#authenticate(token))
    } catch (error) {
      return failed(error instanceof Error ? error.message : String(error))
    }
  }
}

function checkOf(answer: Identity | Refusal): TokenCheck {
  if ("refused" in answer) return { type: "refused", reason: answer.refused }
  const { user, expiresAtMs = Infinity } = answer
  const forMs = expiresAtMs - Date.now()
  // An embedding program without types may say anything.
  if (typeof user !== "string" || Number.isNaN(forMs)) {
    return failed("authenticate gave neither a user and a time nor a refusal")
  }
  if (forMs <= 0) return { type: "refused", reason: "the token is over" }
  return { type: "valid", user, forMs }
}

function failed(message: string): TokenCheck {
  return { type: "failed", message }
}
