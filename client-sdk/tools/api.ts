/** The public API as text, without its documentation: committed, so that a change is seen. */
import { declarationFiles } from "./build-package.ts"

const comment = /^[ \t]*\/\*\*(?:(?!\*\/)[^])*\*\/[ \t]*\n?/gm

export async function apiText(): Promise<string> {
  const files = await declarationFiles()
  const parts = files.map(({ name, text }) => `==== ${name}\n${text.replaceAll(comment, "")}`)
  return parts.join("\n")
}
