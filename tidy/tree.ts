/** Reads the repository for the checks: its code and its Markdown, nothing installed or built. */
import { readdirSync, readFileSync } from "node:fs"
import { join, relative, sep } from "node:path"
import { isCode, type SourceFile } from "./source.ts"

const skipped = new Set(["node_modules", "dist", "coverage", "data"])

export function readTree(root: string): readonly SourceFile[] {
  return walkFolder(root)
    .map((file) => ({ path: relative(root, file).split(sep).join("/"), file }))
    .filter(({ path }) => isCode(path) || path.endsWith(".md"))
    .map(({ path, file }) => ({ path, text: readFileSync(file, "utf8") }))
}

function walkFolder(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith(".") || skipped.has(entry.name)) return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return walkFolder(path)
    return entry.isFile() ? [path] : []
  })
}
