/**
 * Doors. That of admin requests, which change the cluster or take all its data: they must show the
 * node's admin token as `Authorization: Bearer TOKEN`. Coming from the same machine is not enough:
 * a browser there can be made to send requests. Rule [B1]. And that of who reads documents, where
 * clients show tokens: such a token, or the admin's. Rule [N22].
 */
import { createHash, timingSafeEqual } from "node:crypto"
import type { Context, MiddlewareHandler } from "hono"
import type { TokenChecks } from "../auth/authenticate.ts"
import { failure } from "./documents.ts"

/** Refuses whoever does not show `token`; undefined: everybody. */
export function requireAdmin(token: string | undefined): MiddlewareHandler {
  return async (context, next) => {
    if (token === undefined) {
      const message =
        "this node takes no admin requests: start it with CAUSEWAY_ADMIN_TOKEN=… " +
        "(or --admin-token), then show the same token"
      return context.json(failure(403, "no-admin-token", message).body, 403)
    }
    const shown = shownIn(context)
    if (shown === undefined || !isEqual(shown, token)) {
      const message = "the admin token is missing or wrong: send Authorization: Bearer TOKEN"
      return context.json(failure(401, "wrong-admin-token", message).body, 401)
    }
    return await next()
  }
}

/** Undefined: everybody may read. */
export function requireReader(
  tokens: TokenChecks | undefined,
  adminToken: string | undefined,
): MiddlewareHandler {
  return async (context, next) => {
    const found = await readerIn(context, tokens, adminToken)
    if (found === "reader") return await next()
    if (found === "refused") {
      const message = "the token is missing or not taken: send Authorization: Bearer TOKEN"
      return context.json(failure(401, "not-authenticated", message).body, 401)
    }
    const message = "tokens can't be checked now; try later"
    return context.json(failure(503, "token-unchecked", message).body, 503)
  }
}

/** Whether who asks may know documents' names and content. */
export async function readerIn(
  context: Context,
  tokens: TokenChecks | undefined,
  adminToken: string | undefined,
): Promise<"reader" | "refused" | "failed"> {
  if (tokens === undefined) return "reader"
  const shown = shownIn(context)
  if (shown === undefined) return "refused"
  if (adminToken !== undefined && isEqual(shown, adminToken)) return "reader"
  const { type } = await tokens.check(shown)
  return type === "valid" ? "reader" : type
}

function shownIn(context: Context): string | undefined {
  return /^Bearer (.+)$/i.exec(context.req.header("authorization") ?? "")?.[1]
}

/** Takes as long whatever is the same; digests, as lengths must be equal. */
function isEqual(shown: string, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest()
  return timingSafeEqual(digest(shown), digest(token))
}
