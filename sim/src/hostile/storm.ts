/** Hundreds of connections at once; half of them never say a word. */
import { partsOfDocumentId } from "@causeway/crdt/base"
import type { Endpoint } from "@causeway/crdt/node"
import { encodeHello, encodeOpen, nativeVersions } from "@causeway/crdt/protocol"
import { encodeYStep1 } from "@causeway/crdt/protocol/stock"
import type { SimRandom } from "../random.ts"
import type { World } from "../world.ts"
import { Intrusion } from "./intrusion.ts"

/** Gives what ends it. */
export function storm(world: World, random: SimRandom): () => void {
  const count = Math.round(random.logBetween(100, 400))
  const hosts = Array.from({ length: random.int(1, 8) }, () => world.hostile.nextHost())
  const nodes = random.chance(0.6) ? [random.pick(world.nodes)] : world.nodes
  const withinMs = random.logBetween(1, 3000)
  const intrusions: Intrusion[] = []
  let isOver = false
  for (let index = 0; index < count; index++) {
    world.scheduler.after(random.between(0, withinMs), () => {
      if (isOver) return
      const target = { from: random.pick(hosts), to: random.pick(nodes).host }
      intrusions.push(connect(world, random, target))
    })
  }
  return () => {
    isOver = true
    for (const intrusion of intrusions) intrusion.hangUp()
  }
}

function connect(
  world: World,
  random: SimRandom,
  target: { readonly from: number; readonly to: number },
): Intrusion {
  const intrusion = new Intrusion(world)
  const document = random.pick(world.documents)
  const { name } = partsOfDocumentId(document)
  const doors: Endpoint[] = [
    { type: "native" },
    { type: "y-websocket", room: name },
    { type: "link-accepted" },
  ]
  const door = random.pick(doors)
  const isSilent = random.chance(0.5)
  const frames: Uint8Array[] = []
  if (door.type === "native") {
    const client = world.hostile.newClient(random)
    const hello = { type: "hello", versions: nativeVersions, client, firstPending: 1 } as const
    frames.push(encodeHello({ ...hello, token: "" }))
    const resume = { type: "nothing" } as const
    frames.push(encodeOpen({ type: "open", channel: 1, document, generation: 0, resume }))
  } else if (door.type === "y-websocket") frames.push(encodeYStep1(Uint8Array.of(0)))
  intrusion.open({ ...target, door }, () => {
    // A native client's second frame may only follow the welcome: too early is one more attack.
    if (!isSilent) intrusion.sayAll(frames, random, 300)
  })
  return intrusion
}
