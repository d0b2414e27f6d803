/**
 * A client whose updates all build on its first one, which it keeps to itself, for a while or for
 * ever. What it writes is real: logged, relayed and shown once the first one comes. Until then it
 * waits, within bounds that hit this client and no other. Rules [N14] [Y8].
 */
import { limits, partsOfDocumentId, utf8Encode } from "@causeway/crdt/base"
import type { DocumentId, Millis } from "@causeway/crdt/base"
import type { Endpoint } from "@causeway/crdt/node"
import {
  decodeNodeMessage,
  encodeHello,
  encodeOpen,
  encodeUpdate,
  nativeVersions,
} from "@causeway/crdt/protocol"
import { encodeYStep1, encodeYUpdate } from "@causeway/crdt/protocol/stock"
import type { SimRandom } from "../random.ts"
import { createReplica } from "../replica/replica.ts"
import type { HostId } from "../reachability.ts"
import type { Workload } from "../workloads/index.ts"
import type { World } from "../world.ts"
import { Intrusion } from "./intrusion.ts"

const edits: Workload = {
  name: "withheld",
  explain: "one thing after the other, each after the one before",
  documents: () => ({ documents: [], documentsPerClient: 0 }),
  editYjs(doc, _random, token) {
    const text = doc.getText("withheld")
    text.insert(text.length, token)
  },
  editAutomerge(content, _random, token) {
    // As bytes it is one operation, as text one for each letter.
    Object.assign(content, { withheld: utf8Encode(token) })
  },
}

const BYTES_MAX = 1.2 * limits.pendingBytesMax
const UPDATES_MAX = 12

/** Gives what ends it. */
export function withholdFirst(world: World, random: SimRandom, lastsMs: Millis): () => void {
  const from = world.hostile.nextHost()
  const document = random.pick(world.documents)
  const [first, ...others] = makeUpdates(world, random, from, document, undefined)
  const intrusion = new Intrusion(world)
  const target = { from, to: random.pick(world.nodes).host }
  const isYjs = partsOfDocumentId(document).engine === "yjs"
  const say = isYjs && random.chance(0.5) ? sayStock : sayNative
  const meanMs = lastsMs / (2 * (others.length + 1))
  const parts = random.chance(0.6) && first !== undefined ? [...others, first] : others
  say(world, random, intrusion, target, document, parts, meanMs)
  return () => intrusion.hangUp()
}

/**
 * Past the limit at once, and for ever: whoever else sends what waits is refused there. Once a run
 * for each document, as all of it costs memory and time on every node. Gives what ends it.
 */
export function leaveWaiting(
  world: World,
  random: SimRandom,
  document: DocumentId,
  to: HostId,
): () => void {
  const left = leftWaiting.get(world) ?? new Set()
  leftWaiting.set(world, left)
  if (left.has(document)) return () => undefined
  left.add(document)
  const from = world.hostile.nextHost()
  const [, ...others] = makeUpdates(world, random, from, document, UPDATES_MAX)
  const intrusion = new Intrusion(world)
  sayNative(world, random, intrusion, { from, to }, document, others, 1)
  return () => intrusion.hangUp()
}

const leftWaiting = new WeakMap<World, Set<DocumentId>>()

/** Now and then, or if it has to be, so big that what waits of them passes the limit. */
function makeUpdates(
  world: World,
  random: SimRandom,
  host: HostId,
  document: DocumentId,
  bigCount: number | undefined,
): Uint8Array[] {
  const replica = createReplica(document, random, edits)
  const isBig = bigCount !== undefined || random.chance(0.05)
  const updates: Uint8Array[] = []
  let bytes = 0
  // More of it than the limit only costs memory.
  const count = bigCount ?? random.int(2, UPDATES_MAX)
  for (let index = count; index > 0 && bytes < BYTES_MAX; index--) {
    const size = Math.round(isBig ? random.between(50_000, 400_000) : random.logBetween(1, 500))
    const token = `<withheld ${random.hex(8)} ${"x".repeat(size)}>`
    for (const update of replica.edit(random, token)) {
      // Nobody is to rely on any of it: it may never come to light.
      world.oracle.attempts.add(host, document, token.slice(0, 20), update).forgotten = true
      updates.push(update)
      bytes += update.length
    }
  }
  replica.close()
  return updates
}

type Say = (
  world: World,
  random: SimRandom,
  intrusion: Intrusion,
  target: { readonly from: HostId; readonly to: HostId },
  document: DocumentId,
  updates: readonly Uint8Array[],
  meanMs: Millis,
) => void

const sayStock: Say = (_world, random, intrusion, target, document, updates, meanMs) => {
  const door: Endpoint = { type: "y-websocket", room: partsOfDocumentId(document).name }
  intrusion.open({ ...target, door }, () => {
    const frames = [encodeYStep1(Uint8Array.of(0)), ...updates.map(encodeYUpdate)]
    intrusion.sayAll(frames, random, meanMs)
  })
}

/** Says what is refused for now again, once: it goes on where it may. */
const sayNative: Say = (world, random, intrusion, target, document, updates, meanMs) => {
  const client = world.hostile.newClient(random)
  const hello = { type: "hello", versions: nativeVersions, client, firstPending: 1 } as const
  const frames = updates.map((update, index) =>
    encodeUpdate({ type: "update", channel: 1, seq: index + 1, updates: [update] }),
  )
  const onFrame = (frame: Uint8Array): void => {
    const message = decodeNodeMessage(frame)
    if (message.type === "welcome") {
      const resume = { type: "nothing" } as const
      intrusion.say(encodeOpen({ type: "open", channel: 1, document, generation: 0, resume }))
    }
    if (message.type === "opened") intrusion.sayAll(frames, random, meanMs)
    const refused = message.type === "reject" ? frames[message.seq - 1] : undefined
    if (refused !== undefined) intrusion.sayAll([refused], random, 1000)
  }
  intrusion.open(
    { ...target, door: { type: "native" } },
    () => intrusion.say(encodeHello({ ...hello, token: "" })),
    onFrame,
  )
}
