import { afterEach, expect, test } from "vitest"
import type { Job, JobResult } from "@causeway/crdt/node"
import * as Y from "yjs"
import { LazyEngines } from "../engines.ts"
import { soon } from "../test/wait.ts"
import { jobLimits, Jobs } from "./jobs.ts"

const jobs = new Jobs(new LazyEngines())
afterEach(() => jobs.end())

function run(work: Job): Promise<JobResult> {
  return soon("the job", new Promise((resolve) => jobs.run(work, resolve)))
}

/** Updates that write `text`, one character each. */
function updatesOf(text: string): Uint8Array[] {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on("update", (update: Uint8Array) => updates.push(update))
  for (let index = 0; index < text.length; index++) {
    doc.getText("t").insert(index, text.charAt(index))
  }
  return updates
}

test("a small job is done at once, on this thread", () => {
  let result: JobResult | undefined
  const work = { type: "json", engine: "yjs", parts: updatesOf("small") } as const
  jobs.run(work, (it) => (result = it))
  expect(result).toEqual({ type: "json", json: { t: "small" } })
})

test("a big job is done on another thread and says the same", async () => {
  const text = "big".repeat(jobLimits.inlinePartsMax)
  // Views on a larger buffer, as a store's answer gives them.
  const parts = updatesOf(text).map((part) => {
    const padded = new Uint8Array(part.length + 1000)
    padded.set(part, 500)
    return padded.subarray(500, 500 + part.length)
  })
  expect(await run({ type: "json", engine: "yjs", parts })).toEqual({
    type: "json",
    json: { t: text },
  })
  const half = Y.mergeUpdates(parts.slice(0, 50))
  const summary = Y.encodeStateVectorFromUpdate(half)
  const difference = await run({ type: "difference", engine: "yjs", parts, summary })
  if (difference.type !== "difference") throw new Error(JSON.stringify(difference))
  const doc = new Y.Doc()
  Y.applyUpdate(doc, half)
  Y.applyUpdate(doc, difference.difference)
  expect(String(doc.getText("t"))).toBe(text)
  const includes = await run({ type: "includes", engine: "yjs", parts, update: half })
  expect(includes).toMatchObject({ type: "includes", includes: true })
})

test("an Automerge job finds its engine on the other thread", async () => {
  const result = await run({ type: "json", engine: "automerge", parts: [] })
  expect(result).toEqual({ type: "json", json: {} })
})

test("bytes nobody can read cost only themselves", async () => {
  const parts = [...updatesOf("x".repeat(100)), Uint8Array.of(255, 255, 255)]
  const summary = Uint8Array.of(0)
  const result = await run({ type: "difference", engine: "yjs", parts, summary })
  expect(result).toMatchObject({ type: "difference", unreadable: 1 })
})

test("jobs under way fail when the thread ends, and the next starts another", async () => {
  const parts = updatesOf("x".repeat(100))
  const failing = run({ type: "json", engine: "yjs", parts })
  jobs.end()
  expect(await failing).toEqual({
    type: "failed",
    message: "the job thread ended: the node is stopping",
  })
  expect(await run({ type: "json", engine: "yjs", parts })).toMatchObject({ type: "json" })
})
