/** The keystrokes of a paper (bench/traces/README.md). */
import { readFileSync } from "node:fs"
import { gunzipSync } from "node:zlib"

export type Edit = {
  readonly position: number
  readonly deleted: number
  readonly inserted: string
}

/** @throws Error if the file is not what it should be. */
export function loadPaper(): Edit[] {
  const file = new URL("../../traces/automerge-paper.json.gz", import.meta.url)
  const json: unknown = JSON.parse(gunzipSync(readFileSync(file)).toString("utf8"))
  if (!isObject(json) || !Array.isArray(json["txns"])) throw new Error("the trace has no txns")
  return json["txns"].flatMap((transaction: unknown) => {
    const patches = isObject(transaction) ? transaction["patches"] : undefined
    if (!Array.isArray(patches)) throw new Error("a transaction has no patches")
    return patches.map(editOf)
  })
}

function editOf(patch: unknown): Edit {
  const [position, deleted, inserted] = Array.isArray(patch) ? patch : []
  if (typeof position !== "number" || typeof deleted !== "number" || typeof inserted !== "string") {
    throw new Error("a patch is no [position, deleted, inserted]")
  }
  return { position, deleted, inserted }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null
}
