/** A catalogue of somebody's own, from the module they named; each process loads it for itself. */
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { builtIn } from "../catalogue.ts"
import type { Catalogue } from "../catalogue.ts"

/** The built-in one if `path` is undefined. @throws Error in words for the user */
export async function loadCatalogue(path: string | undefined): Promise<Catalogue> {
  if (path === undefined) return builtIn
  const module: unknown = await import(pathToFileURL(resolve(path)).href)
  if (isModule(module)) return module.catalogue
  throw new Error(`${path} does not export a \`catalogue\` of faults, workloads and invariants`)
}

function isModule(module: unknown): module is { readonly catalogue: Catalogue } {
  if (typeof module !== "object" || module === null || !("catalogue" in module)) return false
  const { catalogue } = module
  if (typeof catalogue !== "object" || catalogue === null) return false
  const lists = ["faults", "workloads", "invariants"]
  return lists.every((list) => Array.isArray(Reflect.get(catalogue, list)))
}
