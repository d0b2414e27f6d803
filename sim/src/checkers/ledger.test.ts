/** What a ledger makes of a disk whose snapshot is damaged while its entries are deleted. */
import { expect, test } from "vitest"
import * as Y from "yjs"
import { assert, documentIdOf, originOf, parseNodeId } from "@causeway/crdt/base"
import { VersionVector } from "@causeway/crdt/clock"
import { encodeRecord } from "@causeway/crdt/log"
import type { AppendBatch } from "@causeway/crdt/ports"
import { DiskImage } from "../disk-image.ts"
import { engines } from "../engine-cache.ts"
import { Attempts } from "./attempts.ts"
import { Ledger } from "./ledger.ts"
import type { DiskView } from "./ledger.ts"

const node = parseNodeId("n1")
assert(node !== undefined, "a node's name")
const origin = originOf(node, "0123456789abcdef")
const fresh = originOf(node, "fedcba9876543210")
assert(origin !== undefined && fresh !== undefined, "an origin's name")
const document = documentIdOf("yjs", "note")
assert(document !== undefined, "a document's name")

/** One update in the log and in a snapshot; `write` is what a disk does with a batch. */
function folded() {
  assert(origin !== undefined && document !== undefined && node !== undefined, "names")
  const replica = new Y.Doc()
  replica.getText().insert(0, "typed")
  const body = Y.encodeStateAsUpdate(replica)
  const attempts = new Attempts(engines)
  const { ops } = attempts.add(9, document, "typed", body)
  const image = new DiskImage(node, origin)
  const disk: DiskView = {
    durable: image.log,
    get hasDamage() {
      return image.hasDamage
    },
    isDamaged: (dot) => image.isDamaged(dot),
    isSnapshotDamaged: (id) => image.isSnapshotDamaged(id),
  }
  const ledger = new Ledger(attempts)
  ledger.addNode(1, disk)
  const write = (batch: Partial<AppendBatch>): void => {
    const whole = { own: [], adopted: [], ...batch }
    ledger.onDurable(1, whole, image.log.append(whole))
  }
  write({ own: [encodeRecord({ kind: "update", document, author: undefined, atMs: 0, body })] })
  write({ snapshots: [{ document, state: body, folded: new VersionVector([[origin, 1]]) }] })
  const damage = (): void => {
    assert(document !== undefined, "a document's name")
    image.damageSnapshot(document)
    ledger.onDiskChanged(1, "damaged")
  }
  const reopen = (): void => {
    const mint = { origin: () => fresh ?? origin, boot: () => "boot" }
    image.open({ why: "corrupt" }, mint)
    ledger.onDiskChanged(1, "renewed")
  }
  return { ledger, ops, id: document, floors: [[origin, 1]] as const, write, damage, reopen }
}

test("entries that are deleted under a damaged snapshot are lost by the damage", () => {
  const { ledger, ops, id, floors, write, damage, reopen } = folded()
  damage()
  // They are in the log still.
  expect(ledger.holdings(1).coverage(id).has(ops)).toBe(true)
  expect(ledger.excused(id)).toBeUndefined()
  write({ floors })
  expect(ledger.holdings(1).coverage(id).has(ops)).toBe(false)
  expect(ledger.holdings(1).lacks(id, ops)).toBeUndefined()
  expect(ledger.excused(id)?.has(ops)).toBe(true)
  reopen()
  expect(ledger.holdings(1).lacks(id, ops)).toBeDefined()
})

test("entries that an opening can still read are owed, whatever the snapshot", () => {
  const { ledger, ops, id, damage, reopen } = folded()
  damage()
  reopen()
  expect(ledger.holdings(1).coverage(id).has(ops)).toBe(true)
})

test("a sound snapshot holds what a floor deletes", () => {
  const { ledger, ops, id, floors, write } = folded()
  write({ floors })
  expect(ledger.holdings(1).coverage(id).has(ops)).toBe(true)
  expect(ledger.excused(id)).toBeUndefined()
})
