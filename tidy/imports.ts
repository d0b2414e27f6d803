/**
 * Holds every import against the table in zones.ts. Shipped code is held to all of it. Tests may
 * reach for more (their own workspace, the contract suites, and the SDK from the server's tests),
 * and knip holds their packages to package.json; but even a test imports no other workspace's
 * insides, and nobody imports `bench` or `sim`.
 */
import { isTest, lineOf, type Code, type Violation } from "./source.ts"
import { importsOf, type Import } from "./syntax.ts"
import { workspaces, zoneOf, type Zone } from "./zones.ts"

/** What a specifier means for the table. */
type Target =
  | { readonly kind: "file"; readonly path: string; readonly relative: boolean }
  | { readonly kind: "node"; readonly name: string }
  | { readonly kind: "package"; readonly name: string }
  | { readonly kind: "unknown"; readonly reason: string }

const ownPackage = /^(@causeway\/[^/]+)(?:\/(.+))?$/

export function checkImports(files: readonly Code[]): readonly Violation[] {
  return files.flatMap((file) => {
    const zone = zoneOf(file.path)
    if (zone === undefined) {
      const message = "lies in no zone of the import table (tidy/zones.ts)"
      return [{ path: file.path, line: 1, rule: "imports" as const, message }]
    }
    return importsOf(file.program).flatMap((found) => {
      const message = faultOf(file, zone, found)
      if (message === undefined) return []
      const line = lineOf(file.text, found.start)
      return [{ path: file.path, line, rule: "imports" as const, message }]
    })
  })
}

function faultOf(file: Code, zone: Zone, found: Import): string | undefined {
  const target = resolve(file.path, found.specifier)
  switch (target.kind) {
    case "unknown":
      return target.reason
    case "node":
      if (zone.node || file.isTest) return undefined
      return `${zone.name} must not import Node's modules: ${target.name}`
    case "package":
      if (file.isTest || zone.packages.includes(target.name)) return undefined
      return `${zone.name} must not import the package ${target.name}`
    case "file":
      return fileFault(file, zone, target, found)
  }
}

function fileFault(
  file: Code,
  zone: Zone,
  target: { readonly path: string; readonly relative: boolean },
  found: Import,
): string | undefined {
  const to = zoneOf(target.path)
  if (to === undefined) return outsideFault(file, target.path, found)
  const here = workspaceOf(file.path)
  const there = workspaceOf(target.path)
  if (here !== there && (target.relative || there === "sim" || there === "bench")) {
    return `${here} must not reach into ${there}: ${found.specifier}`
  }
  if (file.isTest) return here === there ? undefined : testFault(here, there, found)
  if (isTest(target.path) && to.name !== "testing") return `imports test code: ${found.specifier}`
  if (zone === to || zone.zones.includes(to.name)) return undefined
  if (!zone.types.includes(to.name)) return `${zone.name} must not import ${to.name}`
  return found.typeOnly ? undefined : `${zone.name} may import only types of ${to.name}`
}

/** A file of ours outside every zone: data such as package.json, read from its own workspace. */
function outsideFault(file: Code, path: string, found: Import): string | undefined {
  const inside = workspaceOf(file.path) === workspaceOf(path)
  return inside && path.endsWith(".json") ? undefined : `imports ${found.specifier}, in no zone`
}

const testReach: Readonly<Record<string, readonly string[]>> = {
  server: ["crdt", "client-sdk"],
  "client-sdk": ["crdt", "server"],
  sim: ["crdt", "client-sdk"],
  bench: ["crdt", "client-sdk", "server"],
}

function testFault(here: string, there: string, found: Import): string | undefined {
  if (testReach[here]?.includes(there) === true) return undefined
  return `tests of ${here} must not import ${there}: ${found.specifier}`
}

function workspaceOf(path: string): string {
  const first = path.split("/")[0] ?? ""
  return path.includes("/") && first !== "tidy" ? first : "tidy"
}

function resolve(from: string, specifier: string): Target {
  if (specifier.startsWith("node:")) return { kind: "node", name: specifier }
  if (specifier.startsWith(".")) {
    const path = joinPath(from, specifier)
    if (path !== undefined) return { kind: "file", path, relative: true }
    return { kind: "unknown", reason: `leaves the repository: ${specifier}` }
  }
  if (specifier.startsWith("/") || specifier.startsWith("#")) {
    return { kind: "unknown", reason: `is not a relative path or a package: ${specifier}` }
  }
  const own = ownPackage.exec(specifier)
  if (own === null) return { kind: "package", name: packageName(specifier) }
  const folder = workspaces[own[1] ?? ""]
  if (folder === undefined) return { kind: "unknown", reason: `no such workspace: ${specifier}` }
  const inside = own[2] === undefined ? "index.ts" : `${own[2]}/index.ts`
  return { kind: "file", path: `${folder}/${inside}`, relative: false }
}

function joinPath(from: string, specifier: string): string | undefined {
  const parts = from.split("/").slice(0, -1)
  for (const part of specifier.split("/")) {
    if (part === "..") {
      if (parts.pop() === undefined) return undefined
    } else if (part !== ".") parts.push(part)
  }
  return parts.join("/")
}

function packageName(specifier: string): string {
  const parts = specifier.split("/")
  return parts.slice(0, specifier.startsWith("@") ? 2 : 1).join("/")
}
