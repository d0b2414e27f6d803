/** The public API as text, without its documentation: committed, so that a change is seen. */
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"

const comment = /^[ \t]*\/\*\*(?:(?!\*\/)[^])*\*\/[ \t]*\n?/gm
const importLine = /^import .*\n/gm
const exportList = /^export \{ (.*) \};$/gm

/** Of a package that was built; one name a line and no imports, so that a diff shows the change. */
export async function apiText(folder: string): Promise<string> {
  const files = (await readdir(folder)).filter((name) => name.endsWith(".d.ts"))
  const parts = files.sort(byText).map(async (file) => {
    const text = await readFile(join(folder, file), "utf8")
    const bare = text.replaceAll(comment, "").replaceAll(importLine, "")
    const listed = bare.replaceAll(exportList, (_, names: string) => {
      const lines = names.split(", ").map((one) => `export ${one}\n`)
      return lines.join("")
    })
    return `==== ${file.replace(".d.ts", "")}\n${listed}`
  })
  return (await Promise.all(parts)).join("\n")
}

function byText(left: string, right: string): number {
  return left < right ? -1 : 1
}
