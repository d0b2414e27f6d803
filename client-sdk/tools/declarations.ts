/**
 * Declarations that stand alone: from what the compiler emits for each source, ours and that of
 * packages that are not published, only what an entry's exports lead to is kept, in one file per
 * entry. What several entries need is declared once, as a class is a type of its own each time.
 */
import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { readModule } from "./declaration-module.ts"
import type { Declaration, DeclarationModule, Far } from "./declaration-module.ts"
import type { Entry } from "./package.ts"

/** Where a package's declarations were emitted; undefined if it is published by itself. */
export type Locate = (specifier: string) => string | undefined

type Kept = { readonly module: DeclarationModule; readonly declaration: Declaration }
/** A name as it is known everywhere: the declaration's, or `specifier#name` of another package. */
type Target = { readonly key: string; readonly kept: Kept | undefined; readonly far: Far }

export type DeclarationFile = { readonly name: string; readonly text: string }

const sharedName = "types"

export class Declarations {
  readonly #locate: Locate
  readonly #modules = new Map<string, DeclarationModule>()
  /** By key, which entries lead to it. */
  readonly #reached = new Map<string, { readonly target: Target; readonly entries: Set<string> }>()
  readonly #names = new Map<string, string>()
  readonly #exports = new Map<string, { name: string; target: Target; typeOnly: boolean }[]>()

  /** `folder` is where the sources' declarations are. */
  constructor(folder: string, entries: readonly Entry[], locate: Locate) {
    this.#locate = locate
    for (const { name, source } of entries) {
      const module = this.#read(declarationPath(join(folder, source)))
      const exported = this.#exportedNames(module).map((one) => {
        const target = this.#resolveExport(module, one)
        if (target === undefined) throw new Error(`${module.path} exports no ${one}`)
        return { name: one, target, typeOnly: module.typeOnly.has(one) }
      })
      this.#exports.set(name, exported)
      for (const { target } of exported) this.#reach(target, name)
    }
    this.#nameAll()
  }

  /** One per entry, and one with what they share, if there is any. */
  files(): readonly DeclarationFile[] {
    const names = [...this.#exports.keys()]
    const shared = names.length > 1 ? [this.#file(sharedName)] : []
    return [...names.map((name) => this.#file(name)), ...shared.filter(({ text }) => text !== "")]
  }

  #file(file: string): DeclarationFile {
    const own = [...this.#reached.values()].filter(({ entries }) => this.#fileOf(entries) === file)
    const declared = own.flatMap(({ target }) => (target.kept ? [target] : []))
    const texts = declared.map(({ kept }) => (kept === undefined ? "" : this.#textOf(kept)))
    const used = new Set(
      declared.flatMap(({ kept }) => {
        return kept === undefined ? [] : kept.declaration.references.map(this.#keyIn(kept.module))
      }),
    )
    const exported = this.#exports.get(file) ?? declared.map((target) => this.#whole(target))
    for (const { target } of exported) used.add(target.key)
    const lines = [...this.#imports(file, used), ...texts]
    if (exported.length > 0) lines.push(`export { ${exported.map(this.#clause).join(", ")} };`)
    return { name: file, text: lines.length === 0 ? "" : `${lines.join("\n")}\n` }
  }

  #whole(target: Target): { name: string; target: Target; typeOnly: boolean } {
    return { name: this.#nameOf(target.key), target, typeOnly: false }
  }

  readonly #clause = (one: { name: string; target: Target; typeOnly: boolean }): string => {
    const local = this.#nameOf(one.target.key)
    const clause = local === one.name ? local : `${local} as ${one.name}`
    return one.typeOnly ? `type ${clause}` : clause
  }

  #imports(file: string, used: ReadonlySet<string>): readonly string[] {
    const shared: string[] = []
    const far: string[] = []
    for (const key of [...used].sort(byText)) {
      const reached = this.#reached.get(key)
      if (reached === undefined) continue
      const { target, entries } = reached
      const name = this.#nameOf(key)
      if (target.kept === undefined) far.push(importOf(target.far, name))
      else if (this.#fileOf(entries) !== file) shared.push(name)
    }
    if (shared.length > 0) {
      far.push(`import { ${shared.join(", ")} } from "./${sharedName}.js";`)
    }
    return far
  }

  #fileOf(entries: ReadonlySet<string>): string {
    const [only = sharedName, another] = entries
    return another === undefined ? only : sharedName
  }

  #textOf({ module, declaration }: Kept): string {
    let text = ""
    let at = 0
    const own = { name: declaration.name, start: -1, end: -1 }
    const places = declaration.references.length > 0 ? declaration.references : [own]
    for (const reference of places) {
      if (reference.start < 0) continue
      const name = this.#nameOf(this.#keyIn(module)(reference))
      text += declaration.text.slice(at, reference.start) + name
      at = reference.end
    }
    return text + declaration.text.slice(at)
  }

  #keyIn(module: DeclarationModule): (reference: { readonly name: string }) => string {
    return ({ name }) => this.#resolve(module, name)?.key ?? ""
  }

  #reach(target: Target, entry: string): void {
    const known = this.#reached.get(target.key) ?? { target, entries: new Set<string>() }
    if (known.entries.has(entry)) return
    known.entries.add(entry)
    this.#reached.set(target.key, known)
    if (target.kept === undefined) return
    const { module, declaration } = target.kept
    for (const { name } of declaration.references) {
      const next = this.#resolve(module, name)
      if (next !== undefined) this.#reach(next, entry)
    }
  }

  /** What is exported keeps its name; of what is not, the second of a name gets another. */
  #nameAll(): void {
    const taken = new Set<string>()
    const give = (key: string, wish: string): void => {
      if (this.#names.has(key)) return
      let name = wish
      for (let count = 1; taken.has(name); count++) name = `${wish}$${count}`
      taken.add(name)
      this.#names.set(key, name)
    }
    for (const { name, target } of [...this.#exports.values()].flat()) give(target.key, name)
    for (const [key, { target }] of this.#reached) {
      give(key, target.kept?.declaration.name ?? nameFor(target.far))
    }
  }

  #nameOf(key: string): string {
    const name = this.#names.get(key)
    if (name === undefined) throw new Error(`no name for ${key}`)
    return name
  }

  #resolve(module: DeclarationModule, name: string): Target | undefined {
    const declaration = module.declarations.get(name)
    if (declaration !== undefined) return keptTarget(module, declaration)
    const far = module.imports.get(name)
    return far === undefined ? undefined : this.#resolveFar(module, far)
  }

  #resolveFar(module: DeclarationModule, far: Far): Target {
    const path = this.#pathOf(module, far.specifier)
    if (path === undefined) {
      return { key: `${far.specifier}#${far.name}`, kept: undefined, far }
    }
    const target = this.#resolveExport(this.#read(path), far.name)
    if (target === undefined) throw new Error(`${path} exports no ${far.name}`)
    return target
  }

  #resolveExport(module: DeclarationModule, name: string): Target | undefined {
    const exported = module.exports.get(name)
    if (exported !== undefined) {
      if ("local" in exported) return this.#resolve(module, exported.local)
      return this.#resolveFar(module, exported)
    }
    for (const specifier of module.stars) {
      const path = this.#pathOf(module, specifier)
      const found = path === undefined ? undefined : this.#resolveExport(this.#read(path), name)
      if (found !== undefined) return found
    }
    return undefined
  }

  #exportedNames(module: DeclarationModule): readonly string[] {
    const far = module.stars.flatMap((specifier) => {
      const path = this.#pathOf(module, specifier)
      if (path === undefined) throw new Error(`${module.path} exports all of ${specifier}`)
      return this.#exportedNames(this.#read(path))
    })
    return [...new Set([...module.exports.keys(), ...far])].sort(byText)
  }

  #pathOf(module: DeclarationModule, specifier: string): string | undefined {
    if (!specifier.startsWith(".")) return this.#locate(specifier)
    return declarationPath(join(dirname(module.path), specifier))
  }

  #read(path: string): DeclarationModule {
    const known = this.#modules.get(path) ?? readModule(path, readFileSync(path, "utf8"))
    this.#modules.set(path, known)
    return known
  }
}

export function declarationPath(source: string): string {
  return source.replace(/\.tsx?$/, ".d.ts")
}

function keptTarget(module: DeclarationModule, declaration: Declaration): Target {
  const key = `${module.path}#${declaration.name}`
  return { key, kept: { module, declaration }, far: { specifier: "", name: declaration.name } }
}

function nameFor({ specifier, name }: Far): string {
  if (name !== "*" && name !== "default") return name
  const word = specifier.split("/").at(-1) ?? ""
  return word.replaceAll(/\W+/g, "_")
}

function importOf({ specifier, name }: Far, local: string): string {
  const from = `from ${JSON.stringify(specifier)};`
  if (name === "*") return `import * as ${local} ${from}`
  if (name === "default") return `import ${local} ${from}`
  return `import { ${name === local ? name : `${name} as ${local}`} } ${from}`
}

function byText(left: string, right: string): number {
  return left < right ? -1 : 1
}
