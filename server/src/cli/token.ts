/** `causeway token USER`: a client's token, to try a node with or for a back end without JWTs. */
import { signToken } from "../auth/jwt.ts"
import { CommandError } from "./command-error.ts"
import { readAge } from "./quantities.ts"
import { secretFrom, tokenSecret } from "./secret.ts"

export type TokenOptions = { readonly tokenSecretFile?: string; readonly for: string }

export async function token(user: string, options: TokenOptions): Promise<number> {
  const forMs = readAge(options.for)
  if (forMs === undefined || forMs === 0) {
    throw new CommandError(`--for ${options.for}: not a time, such as 10m, 1h or 7d`)
  }
  const secret = secretFrom(tokenSecret, process.env, options.tokenSecretFile)
  if (secret === undefined) {
    throw new CommandError("give the nodes' secret: --token-secret-file or CAUSEWAY_TOKEN_SECRET")
  }
  process.stdout.write(`${await signToken(secret, user, forMs)}\n`)
  return 0
}
