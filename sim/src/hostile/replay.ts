/**
 * Replays what honest hosts said on the wire, on connections of its own: in order, shuffled, or
 * with the last frame cut short. As a peer and as a stock client it repeats the frames as they
 * are; as a native client it repeats updates under an id of its own, in the documents they were
 * written for. An id that was stolen stays out: without authentication its bearer is its owner.
 */
import type { ConnectionId, DocumentId } from "@causeway/crdt/base"
import type { Endpoint } from "@causeway/crdt/node"
import {
  decodeClientMessage,
  decodeNodeMessage,
  encodeHello,
  encodeOpen,
  encodeUpdate,
  linkTags,
  nativeVersions,
} from "@causeway/crdt/protocol"
import { readLinkFrame } from "../link-frames.ts"
import type { SimRandom } from "../random.ts"
import type { Overheard } from "../sim-hostile.ts"
import type { World } from "../world.ts"
import { Intrusion } from "./intrusion.ts"
import { cutShort } from "./malformed.ts"

const FRAMES_MAX = 60
const MEAN_MS = 40

/** Gives what ends it; undefined if nothing was heard yet. */
export function replay(world: World, random: SimRandom): (() => void) | undefined {
  const ways = random.shuffled([replayLink, replayStock, replayNative])
  for (const way of ways) {
    const intrusion = way(world, random)
    if (intrusion !== undefined) return () => intrusion.hangUp()
  }
  return undefined
}

type Way = (world: World, random: SimRandom) => Intrusion | undefined

/** The last frames through doors like that, of one connection or of all. */
function heard(world: World, random: SimRandom, type: Endpoint["type"]): readonly Overheard[] {
  const isClient = type === "y-websocket" || type === "native"
  const nodes = world.nodes.length
  const all = world.hostile.overheard.filter(
    ({ door, to }) => door.type === type && (!isClient || to < nodes),
  )
  if (all.length === 0 || random.chance(0.3)) return all
  const { connection } = random.pick(all)
  return all.filter((one) => one.connection === connection)
}

function disorder(frames: readonly Uint8Array[], random: SimRandom): Uint8Array[] {
  const start = random.int(0, Math.max(0, frames.length - FRAMES_MAX))
  const some = frames.slice(start, start + FRAMES_MAX)
  if (random.chance(0.4)) return random.shuffled(some)
  const last = some.at(-1)
  if (last === undefined || random.chance(0.6)) return some
  return [...some.slice(0, -1), cutShort(last, random)]
}

const replayLink: Way = (world, random) => {
  const frames = heard(world, random, "link-accepted").map(({ frame }) => frame)
  const hellos = frames.filter((frame) => frame[0] === linkTags.hello)
  if (hellos.length === 0) return undefined
  const others = frames.filter((frame) => frame[0] !== linkTags.hello)
  const hello = random.pick(hellos)
  const { secret, spokeAs } = world.hostile
  const message = readLinkFrame(hello)
  if (secret === undefined && message.type === "hello") spokeAs.add(message.node)
  const said = [hello, ...disorder(others, random)]
  return sayTo(world, random, { type: "link-accepted" }, said)
}

const replayStock: Way = (world, random) => {
  const all = heard(world, random, "y-websocket")
  if (all.length === 0) return undefined
  const { door } = random.pick(all)
  // Through another door it would be another document's: that is writing, not replaying.
  const frames = all.filter((one) => sameRoom(one.door, door)).map(({ frame }) => frame)
  return sayTo(world, random, door, disorder(frames, random))
}

function sameRoom(one: Endpoint, other: Endpoint): boolean {
  return one.type === "y-websocket" && other.type === "y-websocket" && one.room === other.room
}

function sayTo(
  world: World,
  random: SimRandom,
  door: Endpoint,
  frames: readonly Uint8Array[],
): Intrusion {
  const intrusion = new Intrusion(world)
  const target = { from: world.hostile.nextHost(), to: random.pick(world.nodes).host, door }
  intrusion.open(target, () => intrusion.sayAll(frames, random, MEAN_MS))
  return intrusion
}

type Written = { readonly document: DocumentId; readonly updates: readonly Uint8Array[] }

const replayNative: Way = (world, random) => {
  const written = random.shuffled(writtenBy(world)).slice(0, FRAMES_MAX)
  if (written.length === 0) return undefined
  const documents = [...new Set(written.map(({ document }) => document))]
  const client = world.hostile.newClient(random)
  const hello = { type: "hello", versions: nativeVersions, client, firstPending: 1 } as const
  const opens = documents.map((document, index) => {
    return encodeOpen({
      type: "open",
      channel: index + 1,
      document,
      generation: 0,
      resume: { type: "nothing" },
    })
  })
  let seq = 1
  const updates = written.map((one) => {
    const channel = documents.indexOf(one.document) + 1
    const frame = encodeUpdate({ type: "update", channel, seq, updates: one.updates })
    seq += one.updates.length
    return frame
  })
  const intrusion = new Intrusion(world)
  const door = { type: "native" } as const
  intrusion.open(
    { from: world.hostile.nextHost(), to: random.pick(world.nodes).host, door },
    () => intrusion.say(encodeHello({ ...hello, token: "" })),
    (frame) => {
      if (decodeNodeMessage(frame).type !== "welcome") return
      for (const open of opens) intrusion.say(open)
      intrusion.sayAll(updates, random, MEAN_MS)
    },
  )
  return intrusion
}

/** Updates of native clients, with their documents as far as their opening was heard too. */
function writtenBy(world: World): Written[] {
  const channels = new Map<ConnectionId, Map<number, DocumentId>>()
  const written: Written[] = []
  for (const { connection, door, to, frame } of world.hostile.overheard) {
    if (door.type !== "native" || to >= world.nodes.length) continue
    const message = decodeClientMessage(frame)
    const known = channels.get(connection) ?? new Map<number, DocumentId>()
    channels.set(connection, known)
    if (message.type === "open") known.set(message.channel, message.document)
    if (message.type !== "update") continue
    const document = known.get(message.channel)
    if (document !== undefined) written.push({ document, updates: message.updates })
  }
  return written
}
