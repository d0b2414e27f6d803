/** How commands reach a node: its address for HTTP, and the admin token. */
import { parsePeerAddress } from "../address.ts"
import { adminTokenOf, adminTokenVariable } from "./config.ts"
import { CommandError } from "./command-error.ts"
import { defaults } from "./settings.ts"

export const defaultUrl = `http://${defaults.listen}`

/** `http://HOST:PORT` of what was given so, or as `ws://` or `HOST:PORT`. @throws CommandError */
export function httpBase(url: string): string {
  const text = /^[a-z]+:\/\//i.test(url) ? url : `ws://${url}`
  const address = parsePeerAddress(text.replace(/^http/i, "ws"))
  if (address === undefined) {
    throw new CommandError(`"${url}" is not a node's address, such as ${defaultUrl}`)
  }
  return address.replace(/^ws/, "http")
}

/** @throws StartError `bad-config` if the token can be none */
export function adminHeaders(given: string | undefined): Record<string, string> {
  const token = given ?? adminTokenOf(process.env)
  if (token === undefined) {
    throw new CommandError(`set ${adminTokenVariable} to the node's admin token`)
  }
  return { authorization: `Bearer ${token}` }
}
