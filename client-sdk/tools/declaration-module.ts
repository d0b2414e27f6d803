/**
 * One file of declarations as the compiler emits it: what it declares, under which names, and
 * which names of its scope each declaration refers to.
 */
import { parseAst } from "vite"

type Node = {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

/** A name in another module; `*` is the module itself. */
export type Far = { readonly specifier: string; readonly name: string }

type Reference = { readonly name: string; readonly start: number; readonly end: number }

export type Declaration = {
  readonly name: string
  /** Without `export`, with its documentation. */
  readonly text: string
  /** Names of the module's scope in `text`, by place. */
  readonly references: readonly Reference[]
}

export type DeclarationModule = {
  readonly path: string
  readonly declarations: ReadonlyMap<string, Declaration>
  readonly imports: ReadonlyMap<string, Far>
  readonly exports: ReadonlyMap<string, { readonly local: string } | Far>
  /** Specifiers of `export * from`. */
  readonly stars: readonly string[]
  /** Names exported for their types alone. */
  readonly typeOnly: ReadonlySet<string>
}

type Found = {
  readonly declared: { readonly node: Node; readonly from: number }[]
  readonly imports: Map<string, Far>
  readonly exports: Map<string, { readonly local: string } | Far>
  readonly stars: string[]
  readonly typeOnly: Set<string>
}

/** @throws Error for what declarations of this package do not use. */
export function readModule(path: string, text: string): DeclarationModule {
  const found: Found = {
    declared: [],
    imports: new Map(),
    exports: new Map(),
    stars: [],
    typeOnly: new Set(),
  }
  // cast: the parser's tree is read by field names alone.
  const program = parseAst(text, { lang: "dts" }, path) as unknown as Node
  for (const statement of nodesIn(program, "body")) take(found, statement)
  const { declared, imports, exports, stars, typeOnly } = found
  const scope = new Set([...imports.keys(), ...declared.map(({ node }) => declaredName(node))])
  const declarations = new Map<string, Declaration>()
  for (const { node, from } of declared) {
    const one = declarationOf(text, node, from, scope)
    const overloads = declarations.get(one.name)
    declarations.set(one.name, overloads === undefined ? one : joined(overloads, one))
  }
  return { path, declarations, imports, exports, stars, typeOnly }
}

function take(found: Found, statement: Node): void {
  const specifier = literalOf(statement["source"]) ?? ""
  if (statement.type === "ImportDeclaration") takeImports(found, statement, specifier)
  else if (statement.type === "ExportAllDeclaration") found.stars.push(specifier)
  else if (statement.type === "ExportNamedDeclaration") takeExports(found, statement, specifier)
  else found.declared.push({ node: statement, from: statement.start })
}

function takeImports({ imports }: Found, statement: Node, specifier: string): void {
  for (const one of nodesIn(statement, "specifiers")) {
    const whole = one.type === "ImportNamespaceSpecifier" ? "*" : "default"
    const name = nameOf(one["imported"]) ?? whole
    imports.set(nameOf(one["local"]) ?? "", { specifier, name })
  }
}

function takeExports(found: Found, statement: Node, specifier: string): void {
  for (const node of [statement["declaration"]].filter(isNode)) {
    found.declared.push({ node, from: statement.start })
    found.exports.set(declaredName(node), { local: declaredName(node) })
  }
  for (const one of nodesIn(statement, "specifiers")) {
    const [name = "", local = ""] = [nameOf(one["exported"]), nameOf(one["local"])]
    found.exports.set(name, specifier === "" ? { local } : { specifier, name: local })
    const isType = [statement, one].some((node) => node["exportKind"] === "type")
    if (isType) found.typeOnly.add(name)
  }
}

function declarationOf(
  text: string,
  node: Node,
  from: number,
  scope: ReadonlySet<string>,
): Declaration {
  const comment = /\/\*\*(?:(?!\*\/)[^])*\*\/\s*$/.exec(text.slice(0, from))?.[0] ?? ""
  const own = text.slice(node.start, node.end)
  const head = comment + (/^(?:declare|type|interface)\b/.test(own) ? "" : "declare ")
  const shift = head.length - node.start
  const references = referencesIn(node, scope).map(({ name, start, end }) => {
    return { name, start: start + shift, end: end + shift }
  })
  return { name: declaredName(node), text: head + own, references }
}

/** Overloads of a function are one declaration, in their order. */
function joined(first: Declaration, second: Declaration): Declaration {
  const shift = first.text.length + 1
  const moved = second.references.map(({ name, start, end }) => {
    return { name, start: start + shift, end: end + shift }
  })
  const references = [...first.references, ...moved]
  return { name: first.name, text: `${first.text}\n${second.text}`, references }
}

function referencesIn(node: Node, scope: ReadonlySet<string>): readonly Reference[] {
  const found: Reference[] = []
  const visit = (at: Node): void => {
    if (at.type === "TSImportType") throw new Error("an inferred type: write it out in the source")
    if (at.type === "Identifier") {
      const name = nameOf(at) ?? ""
      const end = at.start + name.length
      if (scope.has(name)) found.push({ name, start: at.start, end })
    }
    for (const [key, value] of Object.entries(at)) {
      // What a member or a label is called refers to nothing.
      if ((key === "key" && at["computed"] !== true) || key === "label") continue
      for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) visit(child)
    }
  }
  visit(node)
  return found.sort((left, right) => left.start - right.start)
}

function declaredName(node: Node): string {
  const [variable] = nodesIn(node, "declarations")
  const name = nameOf((variable ?? node)["id"])
  if (name === undefined) throw new Error(`no name for a ${node.type}`)
  return name
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && "start" in value
}

function nodesIn(node: Node, key: string): readonly Node[] {
  const value = node[key]
  return Array.isArray(value) ? value.filter(isNode) : []
}

function nameOf(node: unknown): string | undefined {
  if (!isNode(node)) return undefined
  return typeof node["name"] === "string" ? node["name"] : undefined
}

function literalOf(node: unknown): string | undefined {
  if (!isNode(node)) return undefined
  return typeof node["value"] === "string" ? node["value"] : undefined
}
