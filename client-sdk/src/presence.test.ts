/** Presence between clients of a real node, stock y-websocket ones too. */
import { describe, expect, test } from "vitest"
import { decodeYMessage, encodeYAwareness } from "@causeway/crdt/protocol/stock"
import type { Presence, PresenceState } from "./index.ts"
import { Cable } from "./test/cable.ts"
import { connect, startNode, until, within } from "./test/world.ts"

function untilState(
  presence: Presence,
  fits: (states: ReadonlyMap<number, PresenceState>) => boolean,
): Promise<unknown> {
  return until<ReadonlyMap<number, PresenceState>>(presence, fits)
}

describe("presence", () => {
  test("[N9] each sees the other come, change and leave", async () => {
    const { sync } = await startNode()
    const left = connect(sync)
    const [ann, ben] = [left.yjs("notes"), connect(sync).yjs("notes")]
    ann.presence.setLocalState({ name: "Ann" })
    await untilState(ben.presence, (states) => states.get(ann.ydoc.clientID)?.["name"] === "Ann")
    ann.presence.setLocalStateField("cursor", 5)
    await untilState(ben.presence, (states) => states.get(ann.ydoc.clientID)?.["cursor"] === 5)
    ben.presence.setLocalState({ name: "Ben" })
    await untilState(ann.presence, (states) => states.size === 2)
    await left.close()
    await untilState(ben.presence, (states) => !states.has(ann.ydoc.clientID))
  })

  test("[N9] a client that comes late sees who is there, and comes back after a cut", async () => {
    const { sync } = await startNode()
    const client = connect(sync)
    const ann = client.yjs("notes")
    ann.presence.setLocalState({ name: "Ann" })
    const ben = connect(sync).yjs("notes")
    await untilState(ben.presence, (states) => states.has(ann.ydoc.clientID))
    client.goOffline()
    await untilState(ben.presence, (states) => !states.has(ann.ydoc.clientID))
    client.goOnline()
    await untilState(ben.presence, (states) => states.has(ann.ydoc.clientID))
  })

  test("[N19] whose cable goes dead is gone before the connection is, and comes back", async () => {
    const { node, sync } = await startNode()
    const cable = await Cable.lay(Number(new URL(node.url).port))
    const client = connect(`${cable.url}/sync`)
    const ann = client.yjs("notes")
    const ben = connect(sync).yjs("notes")
    ann.presence.setLocalState({ name: "Ann" })
    await untilState(ben.presence, (states) => states.has(ann.ydoc.clientID))
    const before = client.connection.current
    cable.freeze()
    await untilState(ben.presence, (states) => !states.has(ann.ydoc.clientID))
    // So the node did not close it, which takes far longer, nor did the client.
    expect(client.connection.current).toEqual(before)
    cable.thaw()
    await untilState(ben.presence, (states) => states.get(ann.ydoc.clientID)?.["name"] === "Ann")
    expect(client.connection.current).toEqual(before)
  })

  test("[N9] stock y-websocket clients on the document see it, and are seen", async () => {
    const { node, sync } = await startNode()
    const ann = connect(sync).yjs("notes")
    ann.presence.setLocalState({ user: { name: "Ann" } })
    const socket = new WebSocket(`${node.url}/yjs/notes`)
    socket.binaryType = "arraybuffer"
    const seen = within<unknown>((resolve) => {
      socket.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
        if (!(data instanceof ArrayBuffer)) return
        const message = decodeYMessage(new Uint8Array(data))
        if (message.type !== "awareness") return
        const mine = message.entries.find(({ client }) => client === ann.ydoc.clientID)
        if (mine !== undefined) resolve(JSON.parse(new TextDecoder().decode(mine.state)))
      })
      socket.addEventListener("open", () => {
        const state = new TextEncoder().encode('{"user":{"name":"Stock"}}')
        socket.send(encodeYAwareness([{ client: 77, clock: 1, state }]).slice())
      })
      return () => "the stock client saw nobody"
    })
    await untilState(ann.presence, (states) => states.has(77))
    expect(ann.presence.getStates().get(77)).toEqual({ user: { name: "Stock" } })
    expect(await seen).toEqual({ user: { name: "Ann" } })
    socket.close()
    await untilState(ann.presence, (states) => !states.has(77))
  })

  test("handlers get what bindings expect from y-protocols", async () => {
    const { sync } = await startNode()
    const { presence } = connect(sync).yjs("notes")
    const calls: unknown[] = []
    presence.on("change", (change, origin) => calls.push([change, origin]))
    presence.setLocalState({ a: 1 })
    presence.setLocalState({ a: 2 })
    presence.setLocalState(null)
    const { clientID } = presence
    expect(presence.doc.clientID).toBe(clientID)
    const none = { added: [], updated: [], removed: [] }
    expect(calls).toEqual([
      [{ ...none, added: [clientID] }, "local"],
      [{ ...none, updated: [clientID] }, "local"],
      [{ ...none, removed: [clientID] }, "local"],
    ])
    expect(presence.getLocalState()).toBeNull()
    expect(() => presence.setLocalState({ text: "x".repeat(16 * 1024) })).toThrow(TypeError)
  })
})

test("a state that is no JSON object is refused, as others would not see it", async () => {
  const { presence } = connect((await startNode()).sync).yjs("notes")
  presence.setLocalState({ name: "Ann" })
  const circular: Record<string, unknown> = {}
  circular["self"] = circular
  const states: readonly unknown[] = [undefined, 5, "Ann", ["Ann"], true, circular]
  for (const state of states) {
    // cast: what an app in JavaScript may do.
    expect(() => presence.setLocalState(state as null)).toThrow(TypeError)
  }
  expect(presence.getLocalState()).toEqual({ name: "Ann" })
})
