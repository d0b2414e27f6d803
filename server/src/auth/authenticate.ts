/**
 * Whose a client's token is. What a token means is up to the embedding program, or to `jwt.ts`;
 * here its word gets bounds: so many checks at a time, and so long for each. Rules [N22] [N23].
 */
import type { TokenCheck } from "@causeway/crdt/node"

/** `expiresAtMs`: since 1970; if it is not given, the token is asked for again after a day. */
export type Identity = { readonly user: string; readonly expiresAtMs?: number | undefined }

/** `refused`: why, for the node's log; the client is told only that its token is not taken. */
export type Refusal = { readonly refused: string }

/** An error says that nobody can know right now: the client is to try again. `signal`: too late. */
export type Authenticate = (
  token: string,
  signal: AbortSignal,
) => Identity | Refusal | Promise<Identity | Refusal>

const checkLimits = {
  /** Checks under way. Past it: clients are to try again (close 4507). */
  checksMax: 1024,
  /** For one; then its signal says so, and the client is to try again. */
  checkMs: 5000,
  /** One that is too late counts until it answers, as it holds memory, but no longer than this. */
  lateMs: 60_000,
} as const

export class TokenChecks {
  readonly #authenticate: Authenticate
  readonly #onChecked: (check: TokenCheck) => void
  #underWay = 0

  constructor(authenticate: Authenticate, onChecked: (check: TokenCheck) => void = () => {}) {
    this.#authenticate = authenticate
    this.#onChecked = onChecked
  }

  /** Never fails: what goes wrong is part of what it gives. */
  async check(token: string): Promise<TokenCheck> {
    const isFull = this.#underWay >= checkLimits.checksMax
    const check = await (isFull ? failed("too many tokens are being checked") : this.#inTime(token))
    this.#onChecked(check)
    return check
  }

  #inTime(token: string): Promise<TokenCheck> {
    const { checkMs, lateMs } = checkLimits
    const late = new AbortController()
    let counts = true
    const discount = () => {
      if (counts) this.#underWay -= 1
      counts = false
    }
    this.#underWay += 1
    return new Promise((resolve) => {
      const giveUp = () => {
        late.abort()
        resolve(failed("the check took too long"))
        patience = setTimeout(discount, lateMs)
        patience.unref()
      }
      let patience = setTimeout(giveUp, checkMs)
      void this.#ask(token, late.signal).then((check) => {
        clearTimeout(patience)
        discount()
        resolve(check)
      })
    })
  }

  async #ask(token: string, signal: AbortSignal): Promise<TokenCheck> {
    try {
      return checkOf(await this.#authenticate(token, signal))
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
