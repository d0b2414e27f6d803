import * as Y from "yjs"
import { describe, expect, test } from "vitest"
import { record, textAfter, textName, textOf, unitsPerUpdate } from "./recording.ts"
import { UpdateScanner } from "./update-scanner.ts"

function extentsOf(update: Uint8Array): [client: number, start: number, end: number][] {
  const extents: [number, number, number][] = []
  new UpdateScanner().scan(update, 0, (client, start, end) => extents.push([client, start, end]))
  return extents
}

describe("the scanner of updates", () => {
  const { client, updates } = record(7, 40)

  test("a recorded update covers its own clocks and is about 40 bytes", () => {
    const covered = updates.map(extentsOf)
    expect(covered).toEqual(
      updates.map((_, index) => [[client, index * unitsPerUpdate, (index + 1) * unitsPerUpdate]]),
    )
    for (const update of updates) expect(Math.abs(update.length - 40)).toBeLessThanOrEqual(4)
    expect(textOf(updates)).toBe(textAfter(40))
  })

  test("merged updates cover what their parts cover", () => {
    const merged = Y.mergeUpdates(updates.slice(3, 9))
    expect(extentsOf(merged)).toEqual([[client, 3 * unitsPerUpdate, 9 * unitsPerUpdate]])
  })

  test("a whole document covers everything in one range", () => {
    const doc = new Y.Doc()
    for (const update of updates) Y.applyUpdate(doc, update)
    const state = Y.encodeStateAsUpdate(doc)
    expect(extentsOf(state)).toEqual([[client, 0, 40 * unitsPerUpdate]])
    expect(state.length).toBeLessThan(40 * unitsPerUpdate + 60)
  })

  test("a difference that starts within a struct covers only the rest", () => {
    const doc = new Y.Doc()
    for (const update of updates) Y.applyUpdate(doc, update)
    const old = new Y.Doc()
    for (const update of updates.slice(0, 5)) Y.applyUpdate(old, update)
    const difference = Y.encodeStateAsUpdate(doc, Y.encodeStateVector(old))
    expect(extentsOf(difference)).toEqual([[client, 5 * unitsPerUpdate, 40 * unitsPerUpdate]])
  })

  test("a merge with a hole in it covers both sides and not the hole", () => {
    const parts = [updates[0], updates[2]].filter((update) => update !== undefined)
    expect(extentsOf(Y.mergeUpdates(parts))).toEqual([
      [client, 0, unitsPerUpdate],
      [client, 2 * unitsPerUpdate, 3 * unitsPerUpdate],
    ])
  })

  test("deleted and collected text still counts, and so do several clients", () => {
    const doc = new Y.Doc()
    for (const update of updates) Y.applyUpdate(doc, update)
    for (const update of record(8, 2).updates) Y.applyUpdate(doc, update)
    doc.getText(textName).delete(10, 60)
    const total = new Map<number, number>()
    for (const [writer, start, end] of extentsOf(Y.encodeStateAsUpdate(doc))) {
      total.set(writer, (total.get(writer) ?? 0) + end - start)
    }
    expect(total).toEqual(
      new Map([
        [record(8, 0).client, 2 * unitsPerUpdate],
        [client, 40 * unitsPerUpdate],
      ]),
    )
  })

  test("text beyond ASCII counts in UTF-16 units, as Yjs counts it", () => {
    const doc = new Y.Doc()
    doc.clientID = 1
    doc.getText(textName).insert(0, "aé漢🙂")
    expect(extentsOf(Y.encodeStateAsUpdate(doc))).toEqual([[1, 0, 5]])
  })

  test("a cut update and one with unknown content are errors, not counts", () => {
    const whole = updates[4] ?? new Uint8Array()
    expect(() => extentsOf(whole.subarray(0, 20))).toThrow(RangeError)
    const doc = new Y.Doc()
    doc.getMap("map").set("key", 1)
    expect(() => extentsOf(Y.encodeStateAsUpdate(doc))).toThrow(RangeError)
  })
})
