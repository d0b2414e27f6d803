/**
 * Frames that break the protocol: noise, frames cut short, updates and records that do not decode,
 * things said out of turn, versions and clusters of elsewhere, proofs that are made up. Every one
 * is wrong or harmless, so nothing of it may leave a trace in any log or document.
 */
import { assert, originOf, parseNodeId, partsOfDocumentId } from "@causeway/crdt/base"
import { emptyHead, genesisHash } from "@causeway/crdt/log"
import type { Endpoint } from "@causeway/crdt/node"
import {
  encodeHello,
  encodeLinkEntries,
  encodeLinkProof,
  encodeLinkVector,
  encodeLinkWant,
  encodeOpen,
  encodeUpdate,
  linkTags,
  linkVersions,
  nativeVersions,
  PROOF_BYTES,
} from "@causeway/crdt/protocol"
import type { VersionRange } from "@causeway/crdt/protocol"
import { encodeYAwareness, encodeYStep1, encodeYUpdate } from "@causeway/crdt/protocol/stock"
import type { SimRandom } from "../random.ts"
import type { World } from "../world.ts"
import { hostileHello, openAndSay } from "./greeting.ts"
import { Intrusion } from "./intrusion.ts"

const HANG_UP_MS = 3000
/** No build of ours will ever come to this. */
const farFuture: VersionRange = { min: 90, max: 99 }

export function sendMalformed(world: World, random: SimRandom): void {
  const door = random.pick(doors(world, random))
  const frames = framesFor(world, random, door)
  const intrusion = new Intrusion(world)
  const to = random.pick(world.nodes).host
  const sayAll = (said: readonly Uint8Array[]): void => {
    const saidMs = intrusion.sayAll(said, random, 50)
    const hangUpMs = saidMs + random.exponential(HANG_UP_MS)
    world.scheduler.after(hangUpMs, () => intrusion.hangUp())
  }
  const target = { from: world.hostile.host, to, door }
  const isStranger = frames[1]?.[0] === linkTags.proof
  // Past the greeting there is more to be broken.
  if (!isStranger && random.chance(0.7)) {
    const [hello, ...others] = frames
    const vector = encodeLinkVector({ type: "vector", heads: new Map() })
    const more = hello?.[0] === linkTags.hello ? [hello, vector, ...others] : frames
    openAndSay(world, intrusion, target, random.chance(0.8) ? more : frames, sayAll)
  } else intrusion.open(target, () => sayAll(frames))
}

function doors(world: World, random: SimRandom): Endpoint[] {
  const names = world.documents.map((document) => partsOfDocumentId(document).name)
  const rooms = [undefined, "", "x".repeat(513), "\u{1f600}".repeat(200)]
  return [
    { type: "native" },
    { type: "native" },
    { type: "y-websocket", room: random.pick(rooms) },
    { type: "y-websocket", room: random.pick(names) },
    { type: "link-accepted" },
    { type: "link-accepted" },
  ]
}

function framesFor(world: World, random: SimRandom, door: Endpoint): Uint8Array[] {
  switch (door.type) {
    case "native":
      return nativeFrames(world, random)
    case "y-websocket":
      return stockFrames(random)
    case "link-accepted":
    case "link-dialled":
      return linkFrames(world, random)
  }
}

/** No CRDT update starts with these bytes. */
function notAnUpdate(random: SimRandom): Uint8Array {
  const bytes = random.bytes(random.int(1, 60))
  bytes.fill(0xff, 0, Math.min(12, bytes.length))
  return bytes
}

/** A frame cut short is malformed: every decoder reads to the last byte. */
export function cutShort(frame: Uint8Array, random: SimRandom): Uint8Array {
  return frame.slice(0, random.int(0, frame.length - 1))
}

/** No protocol of ours has a message of this type, perhaps never will. */
function noise(random: SimRandom): Uint8Array {
  const bytes = random.bytes(random.int(1, 80))
  bytes[0] = random.int(100, 127)
  return bytes
}

function nativeFrames(world: World, random: SimRandom): Uint8Array[] {
  const document = random.pick(world.documents)
  const hello = encodeHello({
    type: "hello",
    versions: random.chance(0.8) ? nativeVersions : farFuture,
    client: world.hostile.newClient(random),
    firstPending: random.int(1, 5),
    token: "",
  })
  const channel = random.int(1, 3)
  const open = encodeOpen({
    type: "open",
    channel,
    document,
    generation: 0,
    resume: { type: "nothing" },
  })
  const resume = { type: "summary", summary: notAnUpdate(random) } as const
  const badResume = encodeOpen({ type: "open", channel: 9, document, generation: 0, resume })
  const seq = random.pick([1, 1, 2, 900])
  const updates = Array.from({ length: random.int(1, 3) }, () => notAnUpdate(random))
  const update = encodeUpdate({ type: "update", channel, seq, updates })
  const choices = [
    [noise(random)],
    [cutShort(hello, random)],
    [update],
    [hello, hello],
    [hello, badResume],
    [hello, open, open],
    [hello, open, update, update],
    [hello, open, cutShort(update, random)],
    [hello, open, noise(random)],
  ]
  return random.pick(choices)
}

function stockFrames(random: SimRandom): Uint8Array[] {
  const update = encodeYUpdate(notAnUpdate(random))
  const state = random.bytes(40)
  const awareness = encodeYAwareness([{ client: 7, clock: 1, state }])
  const step1 = encodeYStep1(notAnUpdate(random))
  const choices = [
    [noise(random)],
    [update],
    [step1],
    [cutShort(update, random)],
    [cutShort(awareness, random)],
    [encodeYStep1(Uint8Array.of(0)), noise(random)],
  ]
  return random.pick(choices)
}

function linkFrames(world: World, random: SimRandom): Uint8Array[] {
  const node = parseNodeId("evil")
  assert(node !== undefined, "a node's name is well-formed")
  const own = originOf(node, "00000000000000ff")
  assert(own !== undefined, "an origin's name is well-formed")
  const cluster = random.chance(0.8) ? world.hostile.cluster : "elsewhere"
  const windowBytes = random.pick([0, 1, 1 << 20])
  const versions = random.chance(0.8) ? linkVersions : farFuture
  const hello = hostileHello(random, { versions, cluster, node, windowBytes, origin: own })
  const origin = random.pick([own, ...world.nodes.map(({ disk }) => disk.durable.origin)])
  const records = [notAnUpdate(random), notAnUpdate(random)]
  const run = { origin, firstSeq: random.int(1, 3), records }
  const entries = encodeLinkEntries({ type: "entries", run, previousHash: genesisHash })
  const fromSeq = random.pick([1, 2, 1e12])
  const want = encodeLinkWant({ type: "want", origin, fromSeq })
  // A message of a version that nobody agreed on.
  const tomorrows = Uint8Array.of(Math.max(...Object.values(linkTags)) + 1, 1, 2, 3)
  // Made up: nobody who has no secret can do better.
  const proof = encodeLinkProof({ type: "proof", proof: random.bytes(PROOF_BYTES) })
  const empty = encodeLinkProof({ type: "proof", proof: new Uint8Array() })
  const vector = encodeLinkVector({ type: "vector", heads: new Map([[own, emptyHead]]) })
  if (random.chance(0.4)) return [hello, random.pick([proof, empty]), vector, want, entries]
  const choices = [
    [noise(random)],
    [cutShort(hello, random)],
    [entries],
    [hello, cutShort(proof, random)],
    [hello, entries],
    [hello, want, entries],
    [hello, hello],
    [hello, cutShort(entries, random)],
    [hello, noise(random)],
    [hello, tomorrows],
  ]
  return random.pick(choices)
}
