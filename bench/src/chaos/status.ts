/** What a node says about itself and its documents over HTTP, as far as a run looks at it. */
import { withoutEmpty } from "./content.ts"
import { keyOf } from "./ledger.ts"
import type { DocumentName } from "./ledger.ts"
import type { NodeProcess } from "./node-process.ts"

/** Entries held per origin. */
export type Vector = ReadonlyMap<string, number>

const requestMsMax = 20_000

/** @throws Error if the node does not answer */
export async function vectorOf(node: NodeProcess): Promise<Vector> {
  const body = await get(node, "/v1/status")
  const vector = isObject(body) ? body["vector"] : undefined
  if (!isObject(vector)) throw new Error(`${node.name} has no vector: ${JSON.stringify(body)}`)
  return new Map(Object.entries(vector).map(([origin, seq]) => [origin, Number(seq)]))
}

/** What the node shows of the document; nothing if nobody wrote it. @throws Error */
export async function contentOn(
  node: NodeProcess,
  document: DocumentName,
): Promise<Readonly<Record<string, unknown>>> {
  const body = await get(node, `/v1/documents/${keyOf(document)}`)
  return isObject(body) ? withoutEmpty(body) : {}
}

async function get(node: NodeProcess, path: string): Promise<unknown> {
  const signal = AbortSignal.timeout(requestMsMax)
  const response = await fetch(`http://${node.address}${path}`, { signal })
  const body: unknown = await response.json()
  if (response.ok) return body
  if (response.status === 404) return undefined
  throw new Error(`${node.name} answers ${response.status} to ${path}: ${JSON.stringify(body)}`)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** Why they differ, in words; undefined if they are equal. */
export function unequal(vectors: ReadonlyMap<string, Vector>): string | undefined {
  const origins = new Set([...vectors.values()].flatMap((vector) => [...vector.keys()]))
  for (const origin of origins) {
    const held = [...vectors].map(([node, vector]) => [node, vector.get(origin) ?? 0] as const)
    const first = held[0]?.[1]
    if (held.every(([, seq]) => seq === first)) continue
    return `${origin}: ${held.map(([node, seq]) => `${node} has ${seq}`).join(", ")}`
  }
  return undefined
}
