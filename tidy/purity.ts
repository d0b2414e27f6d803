/**
 * Keeps time, chance and the outside world out of the code that the simulator must be able to
 * replay to the byte: all of `crdt` that ships, and the simulator itself but for its shell. The
 * compiler options of `crdt` already leave most of these names undefined; this check also holds
 * what the language itself brings (`Date`, `Math.random`, promises, sorts in text order).
 */
import { lineOf, type Code, type Violation } from "./source.ts"
import { nameOf, walk, type Node } from "./syntax.ts"
import { zoneOf } from "./zones.ts"

const clockAndChance = ["Date", "performance", "crypto"]
const timers = [
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "requestIdleCallback",
]
const outside = ["process", "console", "fetch", "WebSocket", "globalThis", "Intl", "require"]
const collected = ["WeakRef", "FinalizationRegistry"]

const simGlobals = new Set([...clockAndChance, ...timers, "fetch", "WebSocket", "globalThis"])
const coreGlobals = new Set([...simGlobals, ...outside, ...collected, "Promise"])
const testingGlobals = new Set(["Date"])
/** Their order or their text depends on the machine's locale. */
const localeMethods = new Set(["localeCompare", "toLocaleString", "toLocaleLowerCase"])

type Strictness = { readonly globals: ReadonlySet<string>; readonly sync: boolean }

function strictnessOf(file: Code): Strictness | undefined {
  const zone = zoneOf(file.path)?.name
  if (zone === "testing") return { globals: testingGlobals, sync: false }
  if (file.isTest) return undefined
  if (file.path.startsWith("crdt/src/")) return { globals: coreGlobals, sync: true }
  if (zone === "sim") return { globals: simGlobals, sync: false }
  return undefined
}

export function checkPurity(files: readonly Code[]): readonly Violation[] {
  const violations: Violation[] = []
  for (const file of files) {
    const strictness = strictnessOf(file)
    if (strictness === undefined) continue
    walk(file.program, (node, parent, key) => {
      const fault = faultOf(node, parent, key, strictness)
      if (fault === undefined) return
      const line = lineOf(file.text, node.start)
      violations.push({ path: file.path, line, rule: "purity", message: `uses ${fault}` })
    })
  }
  return violations
}

function faultOf(
  node: Node,
  parent: Node | undefined,
  key: string,
  strictness: Strictness,
): string | undefined {
  const name = nameOf(node)
  if (name !== undefined) {
    return strictness.globals.has(name) && isReference(parent, key) ? name : undefined
  }
  if (node.type === "MemberExpression" && isMathRandom(node)) return "Math.random"
  return strictness.sync ? (asyncFault(node) ?? orderFault(node)) : undefined
}

function asyncFault(node: Node): string | undefined {
  if (node["async"] === true) return "an async function"
  if (node.type === "AwaitExpression") return "await"
  if (node.type === "ForOfStatement" && node["await"] === true) return "for await"
  return node.type === "ImportExpression" ? "a dynamic import" : undefined
}

function orderFault(node: Node): string | undefined {
  if (node.type !== "CallExpression") return undefined
  const method = propertyOf(node["callee"])
  if (method === undefined) return undefined
  if (localeMethods.has(method)) return `${method}(), which depends on the locale`
  const bare = Array.isArray(node["arguments"]) && node["arguments"].length === 0
  const sorts = method === "sort" || method === "toSorted"
  return sorts && bare ? `${method}() without a comparison` : undefined
}

function isMathRandom(node: Node): boolean {
  return nameOf(node["object"]) === "Math" && propertyOf(node) === "random"
}

function propertyOf(node: unknown): string | undefined {
  if (typeof node !== "object" || node === null || !("property" in node)) return undefined
  return nameOf(node.property)
}

/** False where the name is only the label of something: `x.process`, `{ process: 1 }`. */
function isReference(parent: Node | undefined, key: string): boolean {
  if (parent === undefined || parent["computed"] === true) return true
  if (key === "property" || key === "imported" || key === "exported") return false
  return key !== "key" || parent["shorthand"] === true
}
