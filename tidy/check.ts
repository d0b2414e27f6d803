/** All the checks over one list of files, in the order of path and line. */
import { checkImports } from "./imports.ts"
import { checkPurity } from "./purity.ts"
import { parseAll, type SourceFile, type Violation } from "./source.ts"
import { checkSpec } from "./spec.ts"
import { checkCasts, checkLeftovers, checkSizes } from "./text.ts"

export function check(files: readonly SourceFile[]): readonly Violation[] {
  const { code, violations } = parseAll(files)
  const all = [
    ...violations,
    ...checkImports(code),
    ...checkPurity(code),
    ...checkCasts(code),
    ...checkSizes(files),
    ...checkLeftovers(files),
    ...checkSpec(files, code),
  ]
  return all.toSorted((left, right) => {
    if (left.path === right.path) return left.line - right.line
    return left.path < right.path ? -1 : 1
  })
}

export function show({ path, line, rule, message }: Violation): string {
  return `${path}:${line} [${rule}] ${message}`
}
