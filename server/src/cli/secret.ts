/**
 * The cluster's secret: text without the white space around it, the same on every node. It comes
 * from a file or from the environment, as flags can be read by others, and is in no message here.
 */
import { readFileSync, statSync } from "node:fs"
import { secretOf } from "@causeway/crdt/node"
import { StartError } from "../start-error.ts"
import { secretBytesMax, secretBytesMin } from "./settings.ts"

/** @throws StartError `bad-config` */
export function readSecret(file: string): Uint8Array {
  return checkedSecret(`the secret in ${file}`, read(file))
}

/** `name`: what an operator calls it. @throws StartError `bad-config` */
export function checkedSecret(name: string, text: string): Uint8Array {
  const secret = secretOf(text)
  if (secret.length >= secretBytesMin && secret.length <= secretBytesMax) return secret
  const rule = `${secretBytesMin} to ${secretBytesMax} bytes`
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
