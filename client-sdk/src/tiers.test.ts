/** What is saved beyond one node, with three real nodes: rules [T1]–[T9]. */
import { expect, test } from "vitest"
import { memoryStorage } from "./index.ts"
import type { DocumentStatus } from "./index.ts"
import { startCluster } from "./test/cable.ts"
import { connect, textOf, type, until, untilText } from "./test/world.ts"

const wordsFor = (status: DocumentStatus): string => JSON.stringify(status.all)

test("[T1] [T7] [T9] one node split off: quorum resolves, all waits and says why", async () => {
  const { nodes, cutOff, heal } = await startCluster(3)
  const sync = nodes[0]?.sync ?? ""
  const note = connect(sync).yjs("notes")
  type(note, "together ")
  await note.saved("all")
  expect(note.status.current).toMatchObject({ savedTo: "all", pending: 0 })
  cutOff(2)
  type(note, "apart")
  await note.saved("quorum")
  expect(note.status.current.savedTo).toBe("quorum")
  let isAll = false
  const all = note.saved("all").then(() => (isAll = true))
  const status = await until(note.status, (one) => wordsFor(one).includes("not reached since"))
  expect(status.all).toMatchObject({
    state: "pending",
    waitingFor: [{ member: "n3", linked: false }],
  })
  expect(status.all.state === "pending" && status.all.why).toMatch(
    /^waiting for n3 \(not reached since 20..-..-..T/,
  )
  expect(isAll).toBe(false)
  heal()
  await all
  expect(note.status.current).toMatchObject({ savedTo: "all", all: { state: "saved" } })
  await untilText(connect(nodes[2]?.sync ?? "").yjs("notes"), "together apart")
}, 40_000)

test("[T1] [T9] a node that is cut off from the others saves, and reaches no quorum", async () => {
  const { nodes, cutOff, heal } = await startCluster(3)
  const note = connect(nodes[0]?.sync ?? "").yjs("notes")
  type(note, "together ")
  await note.saved("all")
  cutOff(0)
  type(note, "alone")
  await note.saved("node")
  const quorum = note.saved("quorum")
  const status = await until(note.status, ({ quorum: one }) => {
    return one.state === "pending" && one.waitingFor.length > 0
  })
  expect(status.savedTo).toBe("node")
  expect(status.quorum).toMatchObject({ waitingFor: [{ member: "n2" }, { member: "n3" }] })
  heal()
  await quorum
}, 40_000)

test("[T2] [T8] [T9] what a node acked is waited for on another, in a next life too", async () => {
  const { nodes, cutOff, heal } = await startCluster(3)
  const [first, second] = nodes.map(({ sync }) => sync)
  // With a copy of the document the client would bring the second node what that lacks.
  const storage = memoryStorage({ documents: false })
  const client = connect(first ?? "", { storage })
  const note = client.yjs("notes")
  type(note, "together ")
  await note.saved("all")
  cutOff(0)
  type(note, "on the first alone")
  await note.saved("node")
  expect(note.status.current.savedTo).toBe("node")
  await client.close()
  const again = connect(second ?? "", { storage }).yjs("notes")
  await until(again.status, ({ freshness }) => freshness.state === "live")
  // The new replica is empty: what it shows, the second node knows. What the first acked it lacks.
  expect(textOf(again)).toBe("together ")
  let isSaved = false
  const saved = again.saved("quorum").then(() => (isSaved = true))
  type(again, "and more")
  await again.saved("node")
  await until(again.status, ({ quorum }) => JSON.stringify(quorum).includes("n2"))
  expect(isSaved).toBe(false)
  heal()
  await saved
  await again.saved("all")
}, 40_000)

test("what is no tier is a TypeError", async () => {
  const note = connect("ws://127.0.0.1:9/sync").yjs("notes")
  type(note, "hi")
  for (const tier of ["disk", "nodes", undefined]) {
    // cast: what an app in JavaScript may do.
    await expect(note.saved(tier as "node")).rejects.toThrow(TypeError)
  }
})
