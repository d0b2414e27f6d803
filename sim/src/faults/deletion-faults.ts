/**
 * Documents that are deleted and created again, and visitors who come with what they hold of any of
 * their generations: some were away meanwhile. They have names of their own, so that what nobody is
 * bound to keep is told apart from what all are. Rules [R3]–[R6].
 */
import { assert, documentIdOf, generationOf } from "@causeway/crdt/base"
import type { DocumentId } from "@causeway/crdt/base"
import {
  decodeNodeMessage,
  encodeHello,
  encodeOpen,
  encodeUpdate,
  nativeVersions,
} from "@causeway/crdt/protocol"
import { Intrusion } from "../hostile/intrusion.ts"
import type { SimRandom } from "../random.ts"
import { createReplica } from "../replica/replica.ts"
import type { HostId } from "../reachability.ts"
import type { Workload } from "../workloads/index.ts"
import type { World } from "../world.ts"
import type { Fault } from "./fault.ts"

/** Nobody reads the answers of these. */
const COMMAND = 1_000_000_001
const CHANGES = 0.3
const ZOMBIES = 0.5
const UPDATES_MAX = 4

const mortals: readonly DocumentId[] = ["mortal 1", "mortal 2"].map((name) => {
  const document = documentIdOf("yjs", name)
  assert(document !== undefined, "a short name is a document's")
  return document
})

const edits: Workload = {
  name: "mortal",
  explain: "one key after the other",
  documents: () => ({ documents: [], documentsPerClient: 0 }),
  editYjs(doc, _random, token) {
    doc.getMap("mortal").set(token, true)
  },
  editAutomerge(content, _random, token) {
    Object.assign(content, { [token]: true })
  },
}

/** Generations that visitors were told of, by name. */
const told = new WeakMap<World, Map<DocumentId, Set<number>>>()

function toldOf(world: World, document: DocumentId): Set<number> {
  const all = told.get(world) ?? new Map<DocumentId, Set<number>>()
  told.set(world, all)
  const generations = all.get(document) ?? new Set<number>()
  all.set(document, generations)
  return generations
}

const deletion: Fault = {
  name: "deletion",
  explain: "a document is deleted, created again, or visited by one who may hold an earlier life",
  row: "deletion and zombies",
  everyMs: [500, 8000],
  lastsMs: [200, 8000],
  inject(world, random) {
    const node = random.pick(world.nodes)
    const document = random.pick(mortals)
    if (!random.chance(CHANGES)) return visit(world, random, document, node.host)
    if (!node.running) return "skipped"
    const type = random.chance(0.5) ? "delete-document" : "create-document"
    node.input({ type: "command", command: COMMAND, request: { type, document } })
    return "done"
  },
}

/** Gives what ends it. */
function visit(world: World, random: SimRandom, document: DocumentId, to: HostId): () => void {
  const from = world.hostile.nextHost()
  const generations = toldOf(world, document)
  const isZombie = generations.size > 0 && random.chance(ZOMBIES)
  let held = isZombie ? random.pick([...generations]) : 0
  const asked = held
  const client = world.hostile.newClient(random)
  const intrusion = new Intrusion(world)
  const onFrame = (frame: Uint8Array): void => {
    const message = decodeNodeMessage(frame)
    if (message.type === "welcome") {
      const resume = { type: "nothing" } as const
      const open = { type: "open", channel: 1, document, generation: asked, resume } as const
      intrusion.say(encodeOpen(open))
      // Who knows what it holds writes at once, whether or not it is still there.
      if (asked > 0) write()
    }
    if (message.type === "generation") {
      held = message.generation
      generations.add(held)
    }
    if (message.type === "opened" && asked === 0) write()
  }
  const write = (): void => {
    const life = generationOf(document, held)
    const replica = createReplica(life, random, edits)
    const frames: Uint8Array[] = []
    for (let count = random.int(1, UPDATES_MAX); count > 0; count--) {
      const token = `<mortal ${held} ${random.hex(8)}>`
      for (const update of replica.edit(random, token)) {
        // Nobody is bound to keep it: it may be deleted at any time.
        world.oracle.attempts.add(from, life, token, update).forgotten = true
        const seq = frames.length + 1
        frames.push(encodeUpdate({ type: "update", channel: 1, seq, updates: [update] }))
      }
    }
    replica.close()
    intrusion.sayAll(frames, random, 100)
  }
  const hello = { type: "hello", versions: nativeVersions, client, firstPending: 1 } as const
  intrusion.open(
    { from, to, door: { type: "native" } },
    () => intrusion.say(encodeHello({ ...hello, token: "" })),
    onFrame,
  )
  return () => intrusion.hangUp()
}

export const deletionFaults: readonly Fault[] = [deletion]
