/** Frames past the limits: whole ones that no transport takes, and fields longer than allowed. */
import { documentIdOf, limits, originOf, parseNodeId } from "@causeway/crdt/base"
import { assert } from "@causeway/crdt/base"
import type { DocumentId, OriginId } from "@causeway/crdt/base"
import { emptyHead } from "@causeway/crdt/log"
import type { Head } from "@causeway/crdt/log"
import type { Endpoint } from "@causeway/crdt/node"
import {
  encodeHello,
  encodeLinkVector,
  encodeOpen,
  encodeClientPresence,
  encodeUpdate,
  linkVersions,
  nativeVersions,
} from "@causeway/crdt/protocol"
import { encodeYAwareness, encodeYStep1 } from "@causeway/crdt/protocol/stock"
import type { SimRandom } from "../random.ts"
import type { World } from "../world.ts"
import { hostileHello, openAndSay } from "./greeting.ts"
import { Intrusion } from "./intrusion.ts"

const HANG_UP_MS = 3000

export function sendOversized(world: World, random: SimRandom): void {
  const doors: Endpoint[] = [
    { type: "native" },
    { type: "y-websocket", room: "oversized" },
    { type: "link-accepted" },
  ]
  const door = random.pick(doors)
  const bad = random.chance(0.4) ? random.pick(["too-large", "malformed"] as const) : undefined
  const frames = framesFor(world, random, door)
  const intrusion = new Intrusion(world)
  const to = random.pick(world.nodes).host
  const target = { from: world.hostile.host, to, door }
  const said = bad === undefined ? frames : frames.slice(0, -1)
  openAndSay(world, intrusion, target, said, (all) => {
    const saidMs = intrusion.sayAll(all, random, 50)
    if (bad !== undefined) world.scheduler.after(saidMs, () => intrusion.sayBad(bad))
    const hangUpMs = saidMs + random.exponential(HANG_UP_MS)
    world.scheduler.after(hangUpMs, () => intrusion.hangUp())
  })
}

/** The last one is over a limit, those before it lead there. */
function framesFor(world: World, random: SimRandom, door: Endpoint): Uint8Array[] {
  if (door.type === "native") return nativeFrames(world, random)
  return door.type === "y-websocket" ? stockFrames(random) : linkFrames(world, random)
}

function nativeFrames(world: World, random: SimRandom): Uint8Array[] {
  const document = documentIdOf("yjs", "oversized")
  assert(document !== undefined, "a name of nine letters")
  const client = world.hostile.newClient(random)
  const hello = { type: "hello", versions: nativeVersions, client, firstPending: 1 } as const
  const greeting = encodeHello({ ...hello, token: "" })
  const open = openFrame(document, 1)
  const nothing = new Uint8Array(0)
  const updates = Array.from({ length: limits.updatesPerFrameMax + 1 }, () => nothing)
  const state = new Uint8Array(limits.presenceStateBytesMax + 1)
  const entries = [{ client: 1, clock: 1, state }]
  const choices = [
    [encodeHello({ ...hello, token: "x".repeat(limits.textBytesMax + 1) })],
    [greeting, openFrame(document, limits.summaryBytesMax + 1)],
    [greeting, open, encodeUpdate({ type: "update", channel: 1, seq: 1, updates })],
    [greeting, open, encodeClientPresence({ type: "presence", channel: 1, entries })],
  ]
  return random.pick(choices)
}

function openFrame(document: DocumentId, summaryBytes: number): Uint8Array {
  const resume = { type: "summary", summary: new Uint8Array(summaryBytes) } as const
  return encodeOpen({ type: "open", channel: 1, document, generation: 0, resume })
}

function stockFrames(random: SimRandom): Uint8Array[] {
  const state = new Uint8Array(limits.presenceStateBytesMax + 1)
  const step1 = encodeYStep1(Uint8Array.of(0))
  const choices = [
    [encodeYStep1(new Uint8Array(limits.summaryBytesMax + 1))],
    [step1, encodeYAwareness([{ client: 1, clock: 1, state }])],
  ]
  return random.pick(choices)
}

function linkFrames(world: World, random: SimRandom): Uint8Array[] {
  const node = parseNodeId("huge")
  assert(node !== undefined, "a node's name is well-formed")
  const origins = Array.from({ length: limits.originsMax + 1 }, () => random.hex(16))
  const names = origins.map((epoch) => originOf(node, epoch))
  const heads = new Map<OriginId, Head>()
  for (const name of names) if (name !== undefined) heads.set(name, emptyHead)
  const [origin] = heads.keys()
  assert(origin !== undefined, "an origin's name is well-formed")
  const { cluster } = world.hostile
  const versions = linkVersions
  const hello = hostileHello(random, { versions, cluster, node, origin, windowBytes: 1 })
  return [hello, encodeLinkVector({ type: "vector", heads })]
}
