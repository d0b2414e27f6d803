import * as Y from "yjs"
import { expect, test } from "vitest"
import { encodeShown } from "./shown.ts"

test("[N4] what waits for predecessors is not passed on, and goes on waiting", () => {
  const updates: Uint8Array[] = []
  const writer = new Y.Doc()
  writer.on("update", (update: Uint8Array) => updates.push(update))
  writer.getText("text").insert(0, "first ")
  writer.getText("text").insert(6, "second".repeat(1000))
  const [first = new Uint8Array(), second = new Uint8Array()] = updates
  const reader = new Y.Doc()
  reader.getText("own").insert(0, "mine")
  Y.applyUpdate(reader, second)

  const shown = encodeShown(reader)
  expect(Y.encodeStateAsUpdate(reader).length).toBeGreaterThan(6000)
  expect(shown.length).toBeLessThan(100)
  const other = new Y.Doc()
  Y.applyUpdate(other, shown)
  expect(other.getText("own").toString()).toBe("mine")

  Y.applyUpdate(reader, first)
  expect(reader.getText("text").toString()).toBe(`first ${"second".repeat(1000)}`)
})
