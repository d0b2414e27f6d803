/** Stock clients on real nodes whose cables are cut and joined again. */
import { describe, expect, test } from "vitest"
import { documentOf, textOf } from "../demo/status.ts"
import type { Cluster } from "../demo/cluster.ts"
import type { StockClient } from "../demo/stock-client.ts"
import { pause, until } from "../demo/wait.ts"
import { joinAt, startCluster } from "./test/start.ts"

const room = "notes/heal"

describe("two nodes, a stock client on each", () => {
  test("[L9] [L8] edit, are cut, edit on both sides, heal, and show the same text", async () => {
    const cluster = await startCluster("a", "b")
    const [ann, ben] = [await joinAt(cluster, "a", room), await joinAt(cluster, "b", room)]
    ann.text.insert(0, "shared")
    await until("ben sees the text", () => show(ben) === "shared")

    cluster.cut([["a"], ["b"]])
    await linked(cluster, 0)
    ann.text.insert(0, "ann's ")
    ben.text.insert(6, ", ben's")
    await until("A has ann's edit", async () => (await on(cluster, "a")) === "ann's shared")
    await until("B has ben's edit", async () => (await on(cluster, "b")) === "shared, ben's")
    expect([show(ann), show(ben)]).toEqual(["ann's shared", "shared, ben's"])

    cluster.heal()
    await until("both show both edits", () => show(ann) === show(ben) && show(ben).length === 19)
    expect(show(ann)).toBe("ann's shared, ben's")
    expect(await on(cluster, "a")).toBe(show(ann))
    expect(await on(cluster, "b")).toBe(show(ann))
  })

  test("[L7] [N9] [Y6] awareness crosses nodes, outlives a cut, ends with its client", async () => {
    const cluster = await startCluster("a", "b")
    const [ann, ben] = [await joinAt(cluster, "a", room), await joinAt(cluster, "b", room)]
    ann.provider.awareness.setLocalStateField("cursor", 1)
    ben.provider.awareness.setLocalStateField("cursor", 2)
    await until("ben sees ann", () => cursorSeenBy(ben, ann) === 1)
    await until("ann sees ben", () => cursorSeenBy(ann, ben) === 2)

    cluster.cut([["a"], ["b"]])
    await linked(cluster, 0)
    ann.provider.awareness.setLocalStateField("cursor", 3)
    cluster.heal()
    await until("ben sees where ann is now", () => cursorSeenBy(ben, ann) === 3)

    ann.provider.disconnect()
    await until("ann is gone for ben", () => cursorSeenBy(ben, ann) === undefined)
    ann.provider.connect()
    await until("ann is back for ben", () => cursorSeenBy(ben, ann) === 3)
  })
})

test("[L5] [L3] two nodes that are cut from each other stay fresh through a third", async () => {
  const cluster = await startCluster("a", "b", "c")
  const [ann, ben] = [await joinAt(cluster, "a", room), await joinAt(cluster, "b", room)]
  cluster.cut([
    ["a", "c"],
    ["c", "b"],
  ])
  await linked(cluster, 1)
  const written = ann.doc.getArray<number>("written")
  const seen = ben.doc.getArray<number>("written")
  let lagMsMax = 0
  ben.doc.on("update", () => {
    const at = seen.get(seen.length - 1)
    if (at !== undefined) lagMsMax = Math.max(lagMsMax, performance.now() - at)
  })
  // Steady typing: there is always something newer than what the last answer brought.
  for (const end = performance.now() + 2500; performance.now() < end; await pause(4)) {
    written.push([performance.now()])
  }
  await until("ben has everything", () => seen.length === written.length)
  expect(lagMsMax).toBeLessThan(1500)
  expect((await documentOf(cluster.node("b"), room))["written"]).toEqual(written.toJSON())
})

function show({ text }: StockClient): string {
  return text.toString()
}

async function on(cluster: Cluster, name: string): Promise<string> {
  return await textOf(cluster.node(name), room)
}

function cursorSeenBy(reader: StockClient, writer: StockClient): unknown {
  return reader.provider.awareness.getStates().get(writer.doc.clientID)?.["cursor"]
}

/** Node A has noticed how many peers it has left. */
async function linked(cluster: Cluster, count: number): Promise<void> {
  await until(`A has ${count} links`, async () => {
    const response = await fetch(`${cluster.node("a").httpUrl}/v1/status`)
    return (await response.text()).split('"state":"linked"').length - 1 === count
  })
}
