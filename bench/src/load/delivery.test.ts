import * as Y from "yjs"
import { describe, expect, test } from "vitest"
import { Delivery } from "./delivery.ts"
import { record, unitsPerUpdate } from "./recording.ts"
import { UpdateScanner } from "./update-scanner.ts"

const { client, updates } = record(0, 10)

function receive(frames: readonly Uint8Array[]): { delivery: Delivery; told: number[] } {
  const told: number[] = []
  const delivery = new Delivery(client, (first, end) => {
    for (let index = first; index < end; index += 1) told.push(index)
  })
  const scanner = new UpdateScanner()
  for (const frame of frames) {
    scanner.scan(frame, 0, (writer, start, end) => delivery.cover(writer, start, end))
  }
  return { delivery, told }
}

const all = updates.map((_, index) => index)

describe("the counter of deliveries", () => {
  test("one frame per update: each is told once, in order", () => {
    const { delivery, told } = receive(updates)
    expect([delivery.updates, delivery.gaps, delivery.strangers]).toEqual([10, 0, 0])
    expect(told).toEqual(all)
  })

  test("merged frames count like what was merged", () => {
    const merged = [updates.slice(0, 1), updates.slice(1, 8), updates.slice(8)]
    const { delivery, told } = receive(merged.map((part) => Y.mergeUpdates(part)))
    expect(delivery.updates).toBe(10)
    expect(told).toEqual(all)
  })

  test("what comes twice counts once", () => {
    const { delivery, told } = receive([...updates, ...updates, Y.mergeUpdates([...updates])])
    expect([delivery.updates, delivery.gaps]).toEqual([10, 0])
    expect(told).toEqual(all)
  })

  test("an update cut in two counts when its second half is there", () => {
    const told: number[] = []
    const delivery = new Delivery(client, (first, end) => told.push(first, end))
    delivery.cover(client, 0, unitsPerUpdate + 5)
    expect([delivery.updates, told]).toEqual([1, [0, 1]])
    delivery.cover(client, unitsPerUpdate + 5, 2 * unitsPerUpdate)
    expect([delivery.updates, told]).toEqual([2, [0, 1, 1, 2]])
  })

  test("a missing update stops the count and is noticed", () => {
    const { delivery, told } = receive(updates.filter((_, index) => index !== 4))
    expect(delivery.updates).toBe(4)
    expect(delivery.gaps).toBe(5)
    expect(told).toEqual([0, 1, 2, 3])
  })

  test("another client's clocks are not counted as the writer's", () => {
    const { delivery } = receive(record(1, 3).updates)
    expect([delivery.updates, delivery.strangers]).toEqual([0, 3])
  })
})
