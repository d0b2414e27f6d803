/** A window counts what its receiver may still confirm, and nothing else. */
import { expect, test } from "vitest"
import { assert, originOf, parseNodeId } from "@causeway/crdt/base"
import type { OriginId } from "@causeway/crdt/base"
import { HASH_BYTES } from "@causeway/crdt/log"
import type { Effect, NodeEvent } from "@causeway/crdt/node"
import { encodeLinkEntries, linkVersions } from "@causeway/crdt/protocol"
import { builtIn } from "../catalogue.ts"
import { Cluster } from "../cluster.ts"
import { hostileHello } from "../hostile/greeting.ts"
import { drawProfile } from "../options.ts"
import { SimRandom } from "../random.ts"
import { BoundedWindows } from "./bounded-windows.ts"

const WINDOW_BYTES = 100
const connection = 1

const peer = parseNodeId("peer")
const stranger = parseNodeId("stranger")
assert(peer !== undefined && stranger !== undefined, "names of nodes")

function originNumbered(epoch: string): OriginId {
  const origin = peer === undefined ? undefined : originOf(peer, epoch.repeat(16))
  assert(origin !== undefined, "an origin's name")
  return origin
}

const forked = originNumbered("1")
const other = originNumbered("2")

/** An entry that is greater than the window, which it may exceed alone. */
function entryOf(origin: OriginId): Effect {
  const run = { origin, firstSeq: 1, records: [new Uint8Array(WINDOW_BYTES + 1)] }
  const previousHash = new Uint8Array(HASH_BYTES)
  const frames = [encodeLinkEntries({ type: "entries", run, previousHash })]
  return { type: "send", to: [connection], frames }
}

/** What tells the invariant of a node's effects: it has a link up, to a peer with that window. */
function linked(): (effect: Effect) => void {
  const options = { nodes: 1, clients: 0, stockClients: 0, seconds: 1, writesPerSecond: 1, seed: 1 }
  const random = new SimRandom(1)
  const world = new Cluster(options, drawProfile(options, random, builtIn), random)
  const [node] = world.nodes
  assert(node !== undefined && peer !== undefined, "a node")
  const windows = new BoundedWindows(world)
  windows.onNodeInput(node, { type: "opened", connection, endpoint: { type: "link-accepted" } })
  const whose = { node: peer, origin: other, cluster: "c", windowBytes: WINDOW_BYTES }
  const frame = hostileHello(random, { versions: linkVersions, ...whose })
  windows.onNodeInput(node, { type: "frame", connection, frame })
  const tell = (effect: Effect): void => windows.onNodeEffect(node, effect)
  tell({ type: "emit", event: { type: "link-up", peer, connection } })
  return tell
}

function forkWith(who: typeof peer): Effect {
  assert(who !== undefined, "a node's name")
  const event: NodeEvent = { type: "fork-detected", origin: forked, seq: 1, peer: who }
  return { type: "emit", event }
}

test("[L3] a full window takes no more entries", () => {
  const tell = linked()
  tell(entryOf(forked))
  expect(() => tell(entryOf(other))).toThrow("fill a window")
})

test("[X1] what was sent of a log that the peer holds otherwise fills its window no more", () => {
  const tell = linked()
  tell(entryOf(forked))
  tell(forkWith(peer))
  tell(entryOf(other))
  tell(forkWith(peer))
  expect(() => tell(entryOf(forked))).toThrow("fill a window")
})

test("[X1] a fork with one peer empties no other's window", () => {
  const tell = linked()
  tell(entryOf(forked))
  tell(forkWith(stranger))
  expect(() => tell(entryOf(other))).toThrow("fill a window")
})
