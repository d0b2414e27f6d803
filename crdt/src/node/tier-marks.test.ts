/** What a tier waits for, and for how long. Rules [T2] [T6] [T7]. */
import { expect, test } from "vitest"
import { limits } from "../base/index.ts"
import type { OriginId } from "../base/index.ts"
import { HASH_BYTES } from "../log/index.ts"
import type { TierMark } from "../protocol/index.ts"
import { testOrigin } from "../testing/store-fixtures.ts"
import { openNative } from "./test/clients.ts"
import type { NativeClient } from "./test/clients.ts"
import { must, World } from "./test/harness.ts"
import { lostMs, missing, notes, three, vectorsMs, wanting, write } from "./test/tiers.ts"

/** Acked where `origin`'s log went on as no other says that it did. */
function markIn(origin: OriginId, seq: number): TierMark {
  return { toSeq: 1, heads: new Map([[origin, { seq, hash: new Uint8Array(HASH_BYTES).fill(9) }]]) }
}

/** Lets time pass for a client that is heard. */
function wait(client: NativeClient, ms: number): void {
  for (let left = ms; left > 0; left -= limits.sweepMs) {
    client.send({ type: "ping" })
    client.node.world.advance(Math.min(left, limits.sweepMs))
  }
}

function lostTo(client: NativeClient): number {
  return must(client.of("tier-status").at(-1)).lostTo
}

test("[T2] a node that is alone acks nothing of a log that it does not hold", () => {
  const client = wanting(new World().node(), 1, 2, markIn(testOrigin("gone"), 5))
  wait(client, limits.linkSilentMs)
  expect([client.ackedAt("quorum"), lostTo(client)]).toEqual([0, 0])
  wait(client, lostMs)
  expect([client.ackedAt("quorum"), lostTo(client)]).toEqual([0, 1])
})

test("[T2] what was logged before a tier was asked for comes to it too", () => {
  const { world, nodes } = three()
  const client = openNative(nodes[0], notes, 1)
  world.settle()
  write(client, 1)
  client.wantTier("quorum", 1)
  world.advance(vectorsMs)
  expect(client.ackedAt("quorum")).toBe(1)
})

test("[T6] a log whose writer may yet say that it has more is waited for longer", () => {
  const { nodes } = three()
  const [a, b] = nodes
  const client = wanting(a, 1, 2, markIn(b.origin, b.store.log.head(b.origin).seq + 5))
  wait(client, limits.linkSilentMs)
  expect(lostTo(client)).toBe(0)
  wait(client, lostMs)
  expect(lostTo(client)).toBe(1)
})

test("[T7] a member that is linked and does not save what it is sent is named too", () => {
  const { world, nodes } = three()
  const [a, , c] = nodes
  c.store.held = true
  const client = wanting(a, 1, 1)
  write(client, 1)
  world.advance(3 * limits.sweepMs)
  expect(missing(client, "all")).toEqual(["c true"])
})
