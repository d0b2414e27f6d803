/**
 * How an attacker who has the cluster's secret gets past the greeting: a hello of its own, and a
 * proof that is right. What it says after that is its own affair. Rule [L12].
 */
import { proofOf } from "@causeway/crdt/node"
import { encodeLinkHello, encodeLinkProof, linkTags, NONCE_BYTES } from "@causeway/crdt/protocol"
import type { LinkHello } from "@causeway/crdt/protocol"
import type { SimRandom } from "../random.ts"
import type { World } from "../world.ts"
import type { Intrusion, Target } from "./intrusion.ts"

export function hostileHello(
  random: SimRandom,
  hello: Omit<LinkHello, "type" | "nonce" | "address">,
): Uint8Array {
  const nonce = random.bytes(NONCE_BYTES)
  return encodeLinkHello({ type: "hello", ...hello, nonce, address: "" })
}

/** What a dialler that said `hello` answers to the node's; undefined for all other frames. */
export function answerToHello(
  world: World,
  hello: Uint8Array,
  frame: Uint8Array,
): Uint8Array | undefined {
  if (frame[0] !== linkTags.hello) return undefined
  const { secret } = world.hostile
  const hellos = { dialler: hello, acceptor: frame }
  const proof = secret === undefined ? new Uint8Array() : proofOf(secret, "dialler", hellos)
  return encodeLinkProof({ type: "proof", proof })
}

/** Opens a door and says `frames`; through a link's, a hello that comes first is proved first. */
export function openAndSay(
  world: World,
  intrusion: Intrusion,
  target: Target,
  frames: readonly Uint8Array[],
  say: (frames: readonly Uint8Array[]) => void,
): void {
  const [hello, ...others] = frames
  if (target.door.type !== "link-accepted" || hello?.[0] !== linkTags.hello) {
    intrusion.open(target, () => say(frames))
    return
  }
  intrusion.open(
    target,
    () => intrusion.say(hello),
    (frame) => {
      const proof = answerToHello(world, hello, frame)
      if (proof === undefined) return
      intrusion.say(proof)
      say(others)
    },
  )
}
