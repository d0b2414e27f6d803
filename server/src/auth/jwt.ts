/**
 * Tokens as signed claims: JSON Web Tokens (RFC 7519) with HMAC-SHA256 (RFC 7518 §3.2), by a secret
 * that the nodes share with whoever logs users in. They name a user (`sub`) and an end (`exp`). The
 * library is loaded with the first token: most programs that embed a node need none of it.
 */
import type { Millis } from "@causeway/crdt/base"
import type { Identity, Refusal } from "./authenticate.ts"

const algorithm = "HS256"
/** For clocks that differ. */
const toleranceMs = 5000

export function jwtAuthenticate(
  secret: Uint8Array,
): (token: string) => Promise<Identity | Refusal> {
  return async (token) => {
    if (token === "") return { refused: "there is no token" }
    const { errors, jwtVerify } = await import("jose")
    try {
      const { payload } = await jwtVerify(token, secret, {
        algorithms: [algorithm],
        clockTolerance: toleranceMs / 1000,
        requiredClaims: ["sub", "exp"],
      })
      const { sub, exp = 0 } = payload
      // The library's types promise text, and its checks do not.
      if (typeof sub !== "string" || sub === "") return { refused: "`sub` names no user" }
      return { user: sub, expiresAtMs: exp * 1000 + toleranceMs }
    } catch (error) {
      if (error instanceof errors.JOSEError) return { refused: error.message }
      throw error
    }
  }
}

/** A token for `user`, good from now on for so long (whole seconds). */
export async function signToken(secret: Uint8Array, user: string, forMs: Millis): Promise<string> {
  const { SignJWT } = await import("jose")
  const now = Math.floor(Date.now() / 1000)
  return await new SignJWT()
    .setProtectedHeader({ alg: algorithm })
    .setSubject(user)
    .setIssuedAt(now)
    .setExpirationTime(now + Math.floor(forMs / 1000))
    .sign(secret)
}
