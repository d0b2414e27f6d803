/**
 * Ties the numbered rules of docs/ to the tests. A rule is a list item or table row that begins
 * with its id in brackets, `- **[L4]** …`; a test cites rules at the start of its title,
 * `[L4] [L5] …`. Each rule is cited by a test, and each citation names a rule that exists.
 */
import { lineOf, type Code, type SourceFile, type Violation } from "./source.ts"
import { isNode, nameOf, templateHead, walk, type Node } from "./syntax.ts"

const specPath = "docs/protocol.md"
/** Optional; a rule is defined in one of both. */
const morePath = "docs/replication.md"

const ruleLine = /^\s*(?:[-*]|\d+\.|\|)\s*(?:\*\*|`)?\[([A-Z]{1,3}\d{1,3})\]/
const citation = /^\s*\[([A-Z]{1,3}\d{1,3})\]/
const notRun = new Set(["skip", "todo"])

export function checkSpec(
  files: readonly SourceFile[],
  code: readonly Code[],
): readonly Violation[] {
  const spec = files.find(({ path }) => path === specPath)
  if (spec === undefined) {
    const message = "does not exist: the numbered rules that the tests cite belong there"
    return [{ path: specPath, line: 1, rule: "spec", message }]
  }
  const violations: Violation[] = []
  const more = files.filter(({ path }) => path === morePath)
  const rules = readRules([spec, ...more], violations)
  const cited = new Set<string>()
  for (const file of code) {
    if (!file.isTest) continue
    for (const { id, start } of citationsOf(file)) {
      cited.add(id)
      if (rules.has(id)) continue
      const line = lineOf(file.text, start)
      const message = `cites [${id}], which docs/ does not have`
      violations.push({ path: file.path, line, rule: "spec", message })
    }
  }
  for (const [id, place] of rules) {
    if (cited.has(id)) continue
    violations.push({ ...place, rule: "spec", message: `no test cites [${id}]` })
  }
  return violations
}

type Place = { readonly path: string; readonly line: number }

function readRules(
  specs: readonly SourceFile[],
  violations: Violation[],
): ReadonlyMap<string, Place> {
  const rules = new Map<string, Place>()
  for (const { path, text } of specs) {
    for (const [index, content] of text.split("\n").entries()) {
      const id = ruleLine.exec(content)?.[1]
      if (id === undefined) continue
      const place = { path, line: index + 1 }
      if (rules.has(id)) {
        violations.push({ ...place, rule: "spec", message: `[${id}] is defined twice` })
      }
      rules.set(id, place)
    }
  }
  if (rules.size === 0) {
    violations.push({ path: specPath, line: 1, rule: "spec", message: "has no numbered rules" })
  }
  return rules
}

function citationsOf(file: Code): readonly { readonly id: string; readonly start: number }[] {
  const found: { id: string; start: number }[] = []
  walk(file.program, (node) => {
    if (node.type !== "CallExpression" || !isTestCall(node["callee"])) return
    let title = titleOf(node) ?? ""
    for (let match = citation.exec(title); match !== null; match = citation.exec(title)) {
      found.push({ id: match[1] ?? "", start: node.start })
      title = title.slice(match[0].length)
    }
  })
  return found
}

/** `test(…)`, `it(…)`, `test.each(…)(…)`, `test.skipIf(…)(…)`; not `test.skip` or `.todo`. */
function isTestCall(callee: unknown): boolean {
  let at: unknown = callee
  while (isNode(at)) {
    const name = nameOf(at)
    if (name !== undefined) return name === "test" || name === "it"
    if (at.type === "MemberExpression") {
      if (notRun.has(nameOf(at["property"]) ?? "")) return false
      at = at["object"]
    } else if (at.type === "CallExpression" || at.type === "TaggedTemplateExpression") {
      at = at["callee"] ?? at["tag"]
    } else return false
  }
  return false
}

function titleOf(call: Node): string | undefined {
  const first: unknown = Array.isArray(call["arguments"]) ? call["arguments"][0] : undefined
  if (!isNode(first)) return undefined
  if (first.type === "TemplateLiteral") return templateHead(first)
  return typeof first["value"] === "string" ? first["value"] : undefined
}
