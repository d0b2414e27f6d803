/**
 * The door of admin requests, which change the cluster or take all its data: they must show the
 * node's admin token as `Authorization: Bearer TOKEN`. Coming from the same machine is not enough:
 * a browser there can be made to send requests. Rule [B1].
 */
import { createHash, timingSafeEqual } from "node:crypto"
import type { MiddlewareHandler } from "hono"
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
    const shown = /^Bearer (.+)$/i.exec(context.req.header("authorization") ?? "")?.[1]
    if (shown === undefined || !isEqual(shown, token)) {
      const message = "the admin token is missing or wrong: send Authorization: Bearer TOKEN"
      return context.json(failure(401, "wrong-admin-token", message).body, 401)
    }
    return await next()
  }
}

/** Takes as long whatever is the same; digests, as lengths must be equal. */
function isEqual(shown: string, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest()
  return timingSafeEqual(digest(shown), digest(token))
}
