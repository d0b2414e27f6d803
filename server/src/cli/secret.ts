/**
 * The cluster's secret, and that of clients' tokens: text without the white space around it, the
 * same on every node. They come from a file or from the environment, as flags can be read by
 * others, and are in no message here.
 */
import { readFileSync, statSync } from "node:fs"
import { secretOf } from "@causeway/crdt/node"
import { StartError } from "../start-error.ts"
import { secretBytesMax, secretBytesMin, tokenSecretBytesMin } from "./settings.ts"

type Kind = { readonly variable: string; readonly bytesMin: number }

export const clusterSecret: Kind = { variable: "CAUSEWAY_SECRET", bytesMin: secretBytesMin }
export const tokenSecret: Kind = {
  variable: "CAUSEWAY_TOKEN_SECRET",
  bytesMin: tokenSecretBytesMin,
}

/**
 * The file of a flag, the variable, then the file of the configuration; undefined if there is none
 * of these. @throws StartError `bad-config`
 */
export function secretFrom(
  kind: Kind,
  env: Readonly<NodeJS.ProcessEnv>,
  flag: string | undefined,
  written?: string,
): Uint8Array | undefined {
  const text = flag === undefined ? env[kind.variable] : undefined
  if (text !== undefined && text !== "") return checkedSecret(kind, kind.variable, text)
  const file = flag ?? written
  return file === undefined ? undefined : checkedSecret(kind, `the secret in ${file}`, read(file))
}

/** `name`: what an operator calls it. */
function checkedSecret({ bytesMin }: Kind, name: string, text: string): Uint8Array {
  const secret = secretOf(text)
  if (secret.length >= bytesMin && secret.length <= secretBytesMax) return secret
  const rule = `${bytesMin} to ${secretBytesMax} bytes`
  throw new StartError("bad-config", `${name} must have ${rule}, and has ${secret.length}`)
}

function read(file: string): string {
  try {
    if (statSync(file).size > 2 * secretBytesMax) {
      throw new StartError("bad-config", `${file} is too large to hold a secret`)
    }
    return readFileSync(file, "utf8")
  } catch (error) {
    if (error instanceof StartError) throw error
    const why = error instanceof Error ? error.message : String(error)
    throw new StartError("bad-config", `cannot read the secret: ${why}`)
  }
}
