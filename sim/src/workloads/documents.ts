/** The documents of workloads, by name. */
import { assert, documentIdOf } from "@causeway/crdt/base"
import type { DocumentId, EngineName } from "@causeway/crdt/base"

export function documentNamed(engine: EngineName, name: string): DocumentId {
  const document = documentIdOf(engine, name)
  assert(document !== undefined, "a short name is a document's")
  return document
}

/** Documents `name 1`, `name 2`, … */
export function numbered(engine: EngineName, name: string, count: number): DocumentId[] {
  return Array.from({ length: count }, (_, index) => documentNamed(engine, `${name} ${index + 1}`))
}
