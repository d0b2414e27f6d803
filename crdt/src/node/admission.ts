/**
 * Who may be connected. Tokens mean nothing to the core: whoever drives it says whose one is and
 * for how long, and a session ends with its token, unless another came in time. Rules [N22] [N23]
 * [Y9].
 */
import { limits } from "../base/index.ts"
import type { ConnectionId, Millis } from "../base/index.ts"
import { encodeTokenValid } from "../protocol/index.ts"
import type { NativeConnection, StockConnection } from "./connections.ts"
import type { Turn } from "./turn.ts"

/** What became of a token's check. */
export type TokenCheck =
  | { readonly type: "valid"; readonly user: string; readonly forMs: Millis }
  /** It is not taken, now or later. */
  | { readonly type: "refused"; readonly reason: string }
  /** Nobody can say right now. */
  | { readonly type: "failed"; readonly message: string }

/** What a connection is let in on. */
export type Admission = { readonly user: string; readonly untilMs: Millis }

/** Where tokens are not checked. */
export const everybody: Admission = { user: "", untilMs: Infinity }

/** No admission outlives its check by more than `tokenMsMax`. */
export function admissionOf(
  { user, forMs }: Extract<TokenCheck, { readonly type: "valid" }>,
  nowMs: Millis,
): Admission {
  return { user, untilMs: nowMs + Math.min(forMs, limits.tokenMsMax) }
}

export function refuseToken(
  turn: Turn,
  connection: ConnectionId,
  check: Exclude<TokenCheck, { readonly type: "valid" }>,
): void {
  if (check.type === "refused") turn.refuse(connection, "not-authenticated", check.reason)
  else turn.refuse(connection, "token-unchecked", check.message)
}

/** True if its token is over: then it is closed. */
export function endIfOver(
  turn: Turn,
  { id, admission }: NativeConnection | StockConnection,
): boolean {
  const isOver = turn.nowMs >= admission.untilMs
  if (isOver) turn.refuse(id, "token-expired", "no other token came in time")
  return isOver
}

/** Another token came: only the last of those that come during a check is checked after it. */
export function checkAnother(turn: Turn, connection: NativeConnection, token: string): void {
  if (connection.isChecking) {
    connection.nextToken = token
    return
  }
  connection.isChecking = true
  turn.push({ type: "check-token", connection: connection.id, token })
}

/** The answer for a token that came behind the first. */
export function onAnotherChecked(
  turn: Turn,
  connection: NativeConnection,
  check: TokenCheck,
): void {
  const { nextToken } = connection
  connection.isChecking = false
  connection.nextToken = undefined
  // What is not known now may be later: the client asks again, and has its first one until then.
  if (nextToken !== undefined) checkAnother(turn, connection, nextToken)
  else if (check.type === "refused") refuseToken(turn, connection.id, check)
  if (check.type !== "valid" || turn.closed.has(connection.id)) return
  if (check.user !== connection.admission.user) {
    turn.refuse(connection.id, "not-authenticated", "the token is of another user")
    return
  }
  connection.admission = admissionOf(check, turn.nowMs)
  sayValid(turn, connection)
}

/** As it is now, so a client can bring another one in time. */
export function sayValid(turn: Turn, { id, version, admission }: NativeConnection): void {
  if (version < 5 || admission === everybody) return
  const forMs = Math.max(0, Math.floor(admission.untilMs - turn.nowMs))
  turn.send(id, encodeTokenValid({ type: "token-valid", forMs }))
}
