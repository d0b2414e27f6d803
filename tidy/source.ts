/**
 * What the checks look at: a list of files, given as path and text, so that every check is a
 * pure function and a test can feed it a broken tree. Paths are relative to the repository and
 * use forward slashes. Says which workspace a file belongs to and whether it is test code.
 */
import { type Node, parse } from "./syntax.ts"

export type SourceFile = { readonly path: string; readonly text: string }

export type Violation = {
  readonly path: string
  readonly line: number
  readonly rule: "imports" | "purity" | "casts" | "sizes" | "leftovers" | "spec" | "syntax"
  readonly message: string
}

/** A file of code, parsed once for all the checks. */
export type Code = SourceFile & { readonly program: Node; readonly isTest: boolean }

const codeFile = /\.(?:tsx?|mts|js|mjs)$/
const testFile = /\.(?:test|test-d)\.ts$/
const testFolder = /(?:^|\/)(?:testing|test)\//

export function isCode(path: string): boolean {
  return codeFile.test(path)
}

/** Tests, and the folders that only tests import from. */
export function isTest(path: string): boolean {
  return testFile.test(path) || testFolder.test(path)
}

export function lineOf(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) {
    line++
  }
  return line
}

/** Parses every file of code; one that does not parse becomes a violation instead. */
export function parseAll(files: readonly SourceFile[]): {
  readonly code: readonly Code[]
  readonly violations: readonly Violation[]
} {
  const code: Code[] = []
  const violations: Violation[] = []
  for (const file of files) {
    if (!isCode(file.path)) continue
    try {
      code.push({ ...file, program: parse(file.path, file.text), isTest: isTest(file.path) })
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      violations.push({ path: file.path, line: 1, rule: "syntax", message })
    }
  }
  return { code, violations }
}
