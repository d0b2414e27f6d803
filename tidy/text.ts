/**
 * The checks that need no table: sizes of files and lines, casts without a reason, and notes to
 * oneself that were left behind. Function length and complexity are oxlint's.
 */
import { isCode, lineOf, type Code, type SourceFile, type Violation } from "./source.ts"
import { nameOf, walk, type Node } from "./syntax.ts"

const codeLinesMax = 400
const lineColumnsMax = 100

/** Spelt so that this file passes its own check. */
const leftover = /\b(FIX[M]E|TO[D]O|X[X]X)\b/
const castReason = /\/[/*]+ cast: \S/
/** Brands are made here, by their parsers, and nowhere else. */
const brandParsers = "crdt/src/base/ids.ts"

export function checkLeftovers(files: readonly SourceFile[]): readonly Violation[] {
  return files.flatMap(({ path, text }) =>
    text.split("\n").flatMap((content, index) => {
      const found = leftover.exec(content)?.[1]
      if (found === undefined) return []
      const message = `leftover ${found}: do it or write an issue`
      return [{ path, line: index + 1, rule: "leftovers" as const, message }]
    }),
  )
}

export function checkSizes(files: readonly SourceFile[]): readonly Violation[] {
  return files
    .filter(({ path }) => isCode(path))
    .flatMap((file) => [...fileSize(file), ...lineSizes(file)])
}

function fileSize({ path, text }: SourceFile): readonly Violation[] {
  const count = codeLines(text)
  if (count <= codeLinesMax) return []
  const message = `${count} lines of code, at most ${codeLinesMax}`
  return [{ path, line: 1, rule: "sizes", message }]
}

/** Lines that are neither blank nor wholly comment, as oxlint's max-lines counts them. */
function codeLines(text: string): number {
  let inComment = false
  let count = 0
  for (const raw of text.split("\n")) {
    const content = raw.trim()
    const opens: boolean = !inComment && content.startsWith("/*")
    if (content !== "" && !inComment && !opens && !content.startsWith("//")) count++
    inComment = (inComment || opens) && !content.includes("*/")
  }
  return count
}

function lineSizes({ path, text }: SourceFile): readonly Violation[] {
  return text.split("\n").flatMap((content, index) => {
    const columns = Array.from(content).length
    if (columns <= lineColumnsMax || content.includes("://")) return []
    const message = `${columns} columns, at most ${lineColumnsMax}`
    return [{ path, line: index + 1, rule: "sizes" as const, message }]
  })
}

/** A cast says why it is right, in a `cast:` comment on its own line or the one above. */
export function checkCasts(files: readonly Code[]): readonly Violation[] {
  const violations: Violation[] = []
  for (const file of files) {
    if (file.path === brandParsers) continue
    const lines = file.text.split("\n")
    walk(file.program, (node) => {
      if (!isCast(node)) return
      const line = lineOf(file.text, node.start)
      const last = lineOf(file.text, node.end)
      if (lines.slice(Math.max(line - 2, 0), last).some((near) => castReason.test(near))) return
      const message = "a cast without a `// cast: reason` comment"
      violations.push({ path: file.path, line, rule: "casts", message })
    })
  }
  return violations
}

function isCast(node: Node): boolean {
  if (node.type === "TSTypeAssertion") return true
  if (node.type !== "TSAsExpression") return false
  const type = node["typeAnnotation"]
  if (typeof type !== "object" || type === null || !("typeName" in type)) return true
  return nameOf(type.typeName) !== "const"
}
