/** The public API as text, without its documentation: committed, so that a change is seen. */
import { declarationFiles } from "./build-package.ts"

const comment = /^[ \t]*\/\*\*(?:(?!\*\/)[^])*\*\/[ \t]*\n?/gm
const importLine = /^import .*\n/gm
const exportList = /^export \{ (.*) \};$/gm

/** One name a line, and no imports, so that a diff shows what changed. */
export async function apiText(): Promise<string> {
  const parts = (await declarationFiles()).map(({ name, text }) => {
    const bare = text.replaceAll(comment, "").replaceAll(importLine, "")
    const listed = bare.replaceAll(exportList, (_, names: string) => {
      return names
        .split(", ")
        .map((one) => `export ${one}\n`)
        .join("")
    })
    return `==== ${name}\n${listed}`
  })
  return parts.join("\n")
}
