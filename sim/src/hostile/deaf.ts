/**
 * A client that opens documents, asks for everything and never reads a byte. Its node may keep for
 * it what its socket holds, and no more; after `congestedMs` it is closed. Rule [N13].
 */
import { partsOfDocumentId } from "@causeway/crdt/base"
import type { Millis } from "@causeway/crdt/base"
import { encodeHello, encodeOpen, nativeVersions, pingFrame } from "@causeway/crdt/protocol"
import { encodeYStep1 } from "@causeway/crdt/protocol/stock"
import type { SimRandom } from "../random.ts"
import type { World } from "../world.ts"
import { Intrusion } from "./intrusion.ts"

const PING_MS = 4000

/** Gives what ends it. */
export function connectDeaf(world: World, random: SimRandom, lastsMs: Millis): () => void {
  const from = world.hostile.nextHost()
  const to = random.pick(world.nodes).host
  const intrusion = new Intrusion(world)
  // It takes the handshake, and nothing after.
  const stall = (): void => {
    world.network.reading.stall(from, world.scheduler.nowMs + lastsMs)
  }
  const yjs = world.documents.filter((id) => partsOfDocumentId(id).engine === "yjs")
  if (yjs.length > 0 && random.chance(0.5)) {
    const room = partsOfDocumentId(random.pick(yjs)).name
    intrusion.open({ from, to, door: { type: "y-websocket", room } }, () => {
      stall()
      // Each answer is the whole document.
      const step1s = Array.from({ length: random.int(1, 30) }, () => encodeYStep1(Uint8Array.of(0)))
      intrusion.sayAll(step1s, random, 200)
    })
  } else {
    const hello = nativeHello(world, random)
    const opens = random.shuffled(world.documents).map((document, index) => {
      const resume = { type: "nothing" } as const
      return encodeOpen({ type: "open", channel: index + 1, document, generation: 0, resume })
    })
    const door = { type: "native" } as const
    intrusion.open(
      { from, to, door },
      () => {
        intrusion.say(hello)
      },
      () => {
        // The welcome is the one thing it waits for.
        stall()
        intrusion.sayAll(opens, random, 100)
        ping(world, intrusion)
      },
    )
  }
  return () => {
    intrusion.hangUp()
    world.network.dropHost(from, random.chance(0.5))
  }
}

function nativeHello(world: World, random: SimRandom): Uint8Array {
  const client = world.hostile.newClient(random)
  const versions = nativeVersions
  return encodeHello({ type: "hello", versions, client, firstPending: 1, token: "" })
}

/** It is alive; it just does not read. */
function ping(world: World, intrusion: Intrusion): void {
  world.scheduler.after(PING_MS, () => {
    if (intrusion.isOver) return
    intrusion.say(pingFrame)
    ping(world, intrusion)
  })
}
