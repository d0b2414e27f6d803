import { expect, test } from "vitest"
import { encodeRecord } from "../log/index.ts"
import type { Head, LogEntry } from "../log/index.ts"
import { limits } from "../base/index.ts"
import type { OriginId } from "../base/index.ts"
import { testNode, testOrigin } from "../testing/store-fixtures.ts"
import { Holdings } from "./holdings.ts"
import { Members } from "./members.ts"

const [a1, b1, b2, c1] = [
  testOrigin("a"),
  testOrigin("b"),
  testOrigin("b", 2),
  testOrigin("c"),
] as const

type Address = {
  readonly address: string
  readonly node?: string
  readonly isLearnt?: boolean
  readonly state?: string
}

function membersOf(
  held: readonly (readonly [OriginId, number])[],
  addresses: readonly Address[] = [],
  records: readonly LogEntry[] = [],
): Members {
  const heads = held.map(([origin, seq]): [OriginId, Head] => [
    origin,
    { seq, hash: new Uint8Array(16) },
  ])
  const dials = addresses.map(({ address, node, isLearnt = false, state = "waiting" }) => ({
    address,
    isLearnt,
    node: node === undefined ? undefined : testNode(node),
    state: { state },
  }))
  return new Members(a1, new Holdings(heads), { all: () => dials }, records)
}

function retireOf(...origins: OriginId[]): Uint8Array {
  return encodeRecord({ kind: "retire", atMs: 1, origins })
}

function memberAt(origin: OriginId, address: string, atMs = 1): LogEntry {
  return { origin, seq: 1, record: encodeRecord({ kind: "member", atMs, address }) }
}

test("[M1] the node itself, and every node with an entry in the log, once", () => {
  const members = membersOf([
    [a1, 0],
    [b2, 3],
    [b1, 1],
    [c1, 0],
  ])
  expect(members.active()).toEqual(["a", "b"])
  expect([members.unknown, members.count, members.quorum]).toEqual([0, 2, 2])
})

test("[M1] as many origins may greet as a vector may name, and those again", () => {
  const members = membersOf([])
  const origins = Array.from({ length: limits.originsMax }, (_, index) => testOrigin(`n${index}`))
  for (const origin of origins) {
    expect(members.hasRoomFor(origin)).toBe(true)
    members.onGreeted(origin)
  }
  expect(members.hasRoomFor(b1)).toBe(false)
  expect(origins.every((origin) => members.hasRoomFor(origin))).toBe(true)
})

test("[M1] a node that greeted us counts before it has an entry", () => {
  const members = membersOf([])
  members.onGreeted(c1)
  expect(members.active()).toEqual(["a", "c"])
})

test("[M2] a configured address that nobody answered from counts as a member", () => {
  const members = membersOf(
    [[b1, 1]],
    [
      { address: "b:1", node: "b" },
      { address: "c:1" },
      { address: "d:1" },
      { address: "me:1", state: "self" },
      { address: "told:1", isLearnt: true },
    ],
  )
  expect([members.unknown, members.count, members.quorum]).toEqual([2, 4, 3])
})

test("[M2] an address that led to a node counts on until that node has proved who it is", () => {
  const members = membersOf([[a1, 1]], [{ address: "b:1", node: "b" }])
  expect([members.unknown, members.count, members.quorum]).toEqual([1, 2, 2])
  members.onGreeted(b1)
  expect([members.unknown, members.count]).toEqual([0, 2])
  const retired = membersOf([[b1, 1]], [{ address: "b:1", node: "b" }])
  retired.onDurable(a1, retireOf(b1))
  expect([retired.unknown, retired.count]).toEqual([0, 1])
})

test("[M2] unless a member said in the log that it is reached there", () => {
  const addresses = [{ address: "b:1" }, { address: "c:1" }]
  const members = membersOf([[b1, 1]], addresses, [memberAt(b1, "b:1")])
  expect(members.unknown).toBe(1)
  expect(members.addressOf(testNode("b"))).toBe("b:1")
  members.onDurable(b2, memberAt(b2, "b:2", 2).record)
  members.onDurable(b1, memberAt(b1, "b:0", 0).record)
  expect(members.addressOf(testNode("b"))).toBe("b:2")
  expect(members.unknown).toBe(2)
})

test.each([1, 2, 3, 4, 5, 6, 7])("[M2] two quorums of %d members have one in common", (count) => {
  const members = membersOf(
    [],
    Array.from({ length: count - 1 }, (_, index) => ({ address: `n${index}` })),
  )
  expect(members.count).toBe(count)
  expect(2 * members.quorum).toBeGreaterThan(count)
  expect(2 * (members.quorum - 1)).toBeLessThanOrEqual(count)
})

test("[M4] a member leaves when all its origins are retired, and is back with a fresh one", () => {
  const entry = { origin: a1, seq: 1, record: retireOf(b1) }
  const members = membersOf(
    [
      [b1, 5],
      [b2, 3],
    ],
    [],
    [entry],
  )
  expect(members.isRetired(b1)).toBe(true)
  expect(members.active()).toEqual(["a", "b"])
  expect(members.originsOf(testNode("b"))).toEqual([b2])
  members.onDurable(c1, retireOf(b2))
  expect(members.active()).toEqual(["a"])
  members.onGreeted(b2)
  expect(members.active()).toEqual(["a"])
  members.onGreeted(testOrigin("b", 3))
  expect(members.active()).toEqual(["a", "b"])
})

test("[M4] a node is a member of its own cluster even if it is retired", () => {
  const members = membersOf([[a1, 1]])
  members.onDurable(b1, retireOf(a1))
  expect(members.active()).toEqual(["a"])
})
