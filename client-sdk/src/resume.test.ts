/**
 * An up-to-date client with a thousand open documents comes back, to the same node or another: what
 * that costs on the wire, and that everything goes on afterwards. Real nodes, real sockets; the
 * bytes are those of TCP, the WebSocket handshake among them.
 */
import { describe, expect, test, vi } from "vitest"
import { nativeTags } from "@causeway/crdt/protocol"
import type { Client, YjsDocument } from "./index.ts"
import { Cable, startCluster } from "./test/cable.ts"
import { connect, startNode, type, until, untilText } from "./test/world.ts"
import { Wire } from "./test/wire.ts"

const COUNT = 1000
const BYTES_MAX = 10_000

function openAll(client: Client): YjsDocument[] {
  return Array.from({ length: COUNT }, (_, index) => client.yjs(`notes/2026/${index}`))
}

function noteAt(notes: readonly YjsDocument[], index: number): YjsDocument {
  const note = notes[index]
  if (note === undefined) throw new Error(`no note ${index}`)
  return note
}

async function allLive(notes: readonly YjsDocument[]): Promise<void> {
  for (const { status } of notes) await until(status, ({ freshness }) => freshness.state === "live")
}

/** Somebody else's documents, opened through `cable`; resolves once the node said: all is there. */
async function settled(sync: string, urls: readonly string[], wire: Wire) {
  const ben = openAll(connect(sync))
  for (const note of ben) type(note, "old ")
  await Promise.all(ben.map((note) => note.saved("node")))
  const ann = openAll(connect(sync, { urls }))
  // Who is present pings often, so that the test need not wait for long.
  noteAt(ann, 0).presence.setLocalState({ name: "Ann" })
  await allLive(ann)
  await vi.waitFor(() => expect(wire.count("down", nativeTags.caughtUp)).toBeGreaterThan(0), 10_000)
  return { ann, ben }
}

async function untilPresent(of: YjsDocument, name: string): Promise<void> {
  await until(of.presence, (states) => [...states.values()].some((state) => state["name"] === name))
}

/** What is typed and shown in documents that were watched gets through, both ways. */
async function expectGoesOn(ann: readonly YjsDocument[], ben: readonly YjsDocument[]) {
  type(noteAt(ben, 500), "new")
  await untilText(noteAt(ann, 500), "old new")
  noteAt(ben, 501).presence.setLocalState({ name: "Ben" })
  await untilPresent(noteAt(ann, 501), "Ben")
  type(noteAt(ann, 502), "too")
  await untilText(noteAt(ben, 502), "old too")
  noteAt(ann, 503).presence.setLocalState({ name: "Ann" })
  await untilPresent(noteAt(ben, 503), "Ann")
}

describe("a thousand open documents", () => {
  test("[N20] [N21] come back to the same node in one round trip", async () => {
    const { node, sync } = await startNode()
    const cable = await Cable.lay(Number(new URL(node.url).port))
    const url = `${cable.url}/sync`
    const wire = Wire.tap([url])
    const { ann, ben } = await settled(sync, [url], wire)
    cable.cut()
    await until(noteAt(ann, 7).status, ({ freshness }) => freshness.state === "stale")
    cable.bytes = 0
    cable.heal()
    await allLive(ann)
    expect(cable.bytes).toBeLessThanOrEqual(BYTES_MAX)
    expect(wire.count("up", nativeTags.watch)).toBe(1)
    expect(wire.count("up", nativeTags.open)).toBe(1)
    expect(wire.roundTripsAfter(nativeTags.welcome)).toBe(1)
    await expectGoesOn(ann, ben)
  })

  test("[N20] [N21] come to another node in one round trip", async () => {
    const { nodes } = await startCluster(2)
    const [near, far] = nodes
    if (near === undefined || far === undefined) throw new Error("two nodes were started")
    const toNear = await Cable.lay(Number(new URL(near.node.url).port))
    const toFar = await Cable.lay(Number(new URL(far.node.url).port))
    const urls = [`${toNear.url}/sync`, `${toFar.url}/sync`]
    const wire = Wire.tap(urls)
    const { ann, ben } = await settled(near.sync, urls, wire)
    toNear.cut()
    await until(noteAt(ann, 7).status, ({ freshness }) => freshness.state === "stale")
    await allLive(ann)
    expect(toFar.bytes).toBeLessThanOrEqual(BYTES_MAX)
    expect(wire.roundTripsAfter(nativeTags.welcome)).toBe(1)
    await expectGoesOn(ann, ben)
  })
})
