/**
 * The little of a syntax tree that the checks need. The parser is the one vitest brings along;
 * TypeScript 7 has no JavaScript API yet. Trees are walked without types: a node is anything
 * with a `type`, so a new kind of node is walked through, never skipped.
 */
import { parseAst } from "vitest/node"

export type Node = {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

export function parse(path: string, text: string): Node {
  const program: unknown = parseAst(text, { lang: langOf(path) }, path)
  if (!isNode(program)) throw new Error(`no syntax tree for ${path}`)
  return program
}

function langOf(path: string): "js" | "ts" | "tsx" {
  if (path.endsWith(".tsx")) return "tsx"
  return path.endsWith("ts") ? "ts" : "js"
}

export function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && "start" in value
}

/** Calls `visit` for `node` and everything below it; `key` is its name in its parent. */
export function walk(
  node: Node,
  visit: (node: Node, parent: Node | undefined, key: string) => void,
): void {
  const descend = (at: Node, parent: Node | undefined, key: string): void => {
    visit(at, parent, key)
    for (const [name, value] of Object.entries(at)) {
      for (const child of Array.isArray(value) ? value : [value]) {
        if (isNode(child)) descend(child, at, name)
      }
    }
  }
  descend(node, undefined, "")
}

/** The text of a string literal or of a template without holes; undefined for the rest. */
function literalText(node: unknown): string | undefined {
  if (!isNode(node)) return undefined
  if (node.type === "Literal") return typeof node["value"] === "string" ? node["value"] : undefined
  if (node.type !== "TemplateLiteral" || !Array.isArray(node["quasis"])) return undefined
  return node["quasis"].length === 1 ? templateHead(node) : undefined
}

/** The text of a template before its first hole. */
export function templateHead(node: Node): string | undefined {
  const first: unknown = Array.isArray(node["quasis"]) ? node["quasis"][0] : undefined
  if (!isNode(first)) return undefined
  const value = first["value"]
  if (typeof value !== "object" || value === null || !("cooked" in value)) return undefined
  return typeof value.cooked === "string" ? value.cooked : undefined
}

export function nameOf(node: unknown): string | undefined {
  if (!isNode(node) || node.type !== "Identifier") return undefined
  return typeof node["name"] === "string" ? node["name"] : undefined
}

export type Import = {
  readonly specifier: string
  /** Erased before the program runs: `import type`, `export type … from`, `import("…").T`. */
  readonly typeOnly: boolean
  readonly start: number
}

/** Every module a file names: imports, re-exports, dynamic imports and import types. */
export function importsOf(program: Node): readonly Import[] {
  const found: Import[] = []
  walk(program, (node) => {
    const specifier = literalText(node["source"])
    if (specifier === undefined) return
    switch (node.type) {
      case "ImportDeclaration":
        found.push({ specifier, typeOnly: node["importKind"] === "type", start: node.start })
        break
      case "ExportNamedDeclaration":
      case "ExportAllDeclaration":
        found.push({ specifier, typeOnly: node["exportKind"] === "type", start: node.start })
        break
      case "ImportExpression":
        found.push({ specifier, typeOnly: false, start: node.start })
        break
      case "TSImportType":
        found.push({ specifier, typeOnly: true, start: node.start })
        break
      default:
        break
    }
  })
  return found
}
