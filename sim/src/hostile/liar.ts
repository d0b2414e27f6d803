/**
 * A peer of the same cluster that lies: about what it holds of others' origins, of its own and of
 * its victim's; it never serves what it is asked for, and sends real entries where they do not
 * belong. It knows all the logs, and the secret. What it does not do is forge entries that go on a
 * real chain: from whoever has the secret those would be entries like any other.
 */
import { assert, originOf, parseNodeId } from "@causeway/crdt/base"
import type { Millis, NodeId, OriginId } from "@causeway/crdt/base"
import { HASH_BYTES } from "@causeway/crdt/log"
import type { Head } from "@causeway/crdt/log"
import {
  decodeLinkMessage,
  encodeLinkEntries,
  encodeLinkVector,
  encodeLinkWant,
  linkPingFrame,
  linkVersions,
} from "@causeway/crdt/protocol"
import type { SimRandom } from "../random.ts"
import type { SimNode } from "../sim-node.ts"
import type { World } from "../world.ts"
import { answerToHello, hostileHello } from "./greeting.ts"
import { Intrusion } from "./intrusion.ts"

const RUN_BYTES = 4096
/** Named by a vector at once; `originsMax` is far above. */
const GHOSTS_MAX = 3000

export class Liar {
  readonly #world: World
  readonly #random: SimRandom
  readonly #victim: SimNode
  readonly #intrusion: Intrusion
  readonly #node: NodeId
  readonly #own: OriginId
  readonly #hello: Uint8Array
  /** How often it speaks, on average. */
  readonly #everyMs: Millis
  /** Whether it proves its claims on the victim's own origin with entries. */
  readonly #forges: boolean

  constructor(world: World, random: SimRandom) {
    this.#world = world
    this.#random = random
    this.#victim = random.pick(world.nodes)
    this.#intrusion = new Intrusion(world)
    // Before or after the victim's name: that decides which of two links stays.
    const node = parseNodeId(`${random.pick(["a", "z"])}liar${random.int(1, 3)}`)
    assert(node !== undefined, "a node's name is well-formed")
    this.#node = node
    this.#own = this.#ghost()
    this.#everyMs = random.logBetween(50, 2000)
    this.#forges = random.chance(0.3)
    this.#hello = this.#makeHello()
  }

  /** Gives what ends it. */
  begin(): () => void {
    const target = { from: this.#world.hostile.nextHost(), to: this.#victim.host }
    this.#intrusion.open(
      { ...target, door: { type: "link-accepted" } },
      () => this.#intrusion.say(this.#hello),
      (frame) => this.#onFrame(frame),
    )
    return () => this.#intrusion.hangUp()
  }

  #goOn(): void {
    this.#world.scheduler.after(this.#random.exponential(this.#everyMs), () => {
      if (this.#intrusion.isOver) return
      this.#intrusion.say(this.#message())
      this.#goOn()
    })
  }

  #ghost(): OriginId {
    const origin = originOf(this.#node, this.#random.hex(16))
    assert(origin !== undefined, "an origin's name is well-formed")
    return origin
  }

  #makeHello(): Uint8Array {
    const random = this.#random
    const { cluster } = this.#world.hostile
    const windowBytes = random.pick([0, 1000, 1 << 22, 2 ** 40])
    const [node, origin] = [this.#node, this.#own]
    return hostileHello(random, { versions: linkVersions, cluster, node, origin, windowBytes })
  }

  /** All that it pretends to hold. */
  #pretence(): Uint8Array {
    const heads = new Map(this.#random.chance(0.5) ? this.#truth() : [])
    for (const [origin, head] of this.#lies()) heads.set(origin, head)
    return encodeLinkVector({ type: "vector", heads })
  }

  #message(): Uint8Array {
    const say = this.#random.pick([
      () => encodeLinkVector({ type: "vector", heads: this.#lies() }),
      () => encodeLinkVector({ type: "vector", heads: this.#lies() }),
      () => this.#entries(),
      () => this.#entries(),
      () => this.#want(),
      () => linkPingFrame,
    ])
    return say()
  }

  #truth(): [OriginId, Head][] {
    return this.#random.pick(this.#world.nodes).disk.durable.heads()
  }

  /** A real origin that somebody holds. */
  #anOrigin(): OriginId {
    return this.#random.pick(this.#truth())[0]
  }

  #lies(): Map<OriginId, Head> {
    const random = this.#random
    const lies = new Map<OriginId, Head>()
    const kinds = {
      beyond: () => this.#lieBeyond(lies, this.#anOrigin()),
      otherHash: () => this.#lieBeyond(lies, this.#anOrigin(), 0),
      victims: () => this.#lieBeyond(lies, this.#victim.disk.durable.origin),
      own: () => lies.set(this.#own, this.#randomHead(random.int(1, 1e6))),
      ghosts: () => {
        const count = Math.round(random.logBetween(1, random.chance(0.1) ? GHOSTS_MAX : 30))
        for (let index = 0; index < count; index++) lies.set(this.#ghost(), this.#randomHead(5))
      },
    }
    for (const lie of random.shuffled(Object.values(kinds)).slice(0, random.int(1, 2))) lie()
    return lies
  }

  #lieBeyond(lies: Map<OriginId, Head>, origin: OriginId, by?: number): void {
    const { seq } = this.#victim.disk.durable.head(origin)
    const beyond = by ?? Math.round(this.#random.logBetween(1, 1e9))
    lies.set(origin, this.#randomHead(Math.max(1, seq + beyond)))
  }

  #randomHead(seq: number): Head {
    return { seq, hash: this.#random.bytes(HASH_BYTES) }
  }

  /** Real records: too early, again, after another hash, or as another origin's. */
  #entries(): Uint8Array {
    const random = this.#random
    const origin = this.#anOrigin()
    const log = random.pick(this.#world.nodes).disk.durable
    const { seq } = log.head(origin)
    const { seq: floor } = log.floor(origin)
    if (seq === floor) return linkPingFrame
    const held = this.#victim.disk.durable.head(origin).seq
    const { run, previousHash } = log.readOrigin(origin, random.int(floor + 1, seq), RUN_BYTES)
    const wrongHash = random.bytes(HASH_BYTES)
    const say = random.pick([
      () => encodeLinkEntries({ type: "entries", run, previousHash }),
      () => encodeLinkEntries({ type: "entries", run, previousHash: wrongHash }),
      () => {
        const gap = { ...run, firstSeq: held + random.int(2, 1000) }
        return encodeLinkEntries({ type: "entries", run: gap, previousHash })
      },
      () => {
        const ghosts = { ...run, origin: this.#ghost(), firstSeq: run.firstSeq + 1 }
        return encodeLinkEntries({ type: "entries", run: ghosts, previousHash: wrongHash })
      },
      // It goes on where the victim's log ends, by number alone.
      () => {
        const next = { ...run, firstSeq: held + 1 }
        return encodeLinkEntries({ type: "entries", run: next, previousHash: wrongHash })
      },
    ])
    return say()
  }

  #want(): Uint8Array {
    const origin = this.#random.chance(0.8) ? this.#anOrigin() : this.#ghost()
    const fromSeq = this.#random.pick([1, 1, 2, 50, 1e12])
    return encodeLinkWant({ type: "want", origin, fromSeq })
  }

  /** Asked for anything it is silent, unless it is to prove that it holds the victim's origin. */
  #onFrame(frame: Uint8Array): void {
    const proof = answerToHello(this.#world, this.#hello, frame)
    if (proof !== undefined) {
      this.#intrusion.say(proof)
      this.#intrusion.say(this.#pretence())
      this.#goOn()
      return
    }
    const message = decodeLinkMessage(frame)
    const log = this.#victim.disk.durable
    const { origin } = log
    if (!this.#forges || message.type !== "want" || message.origin !== origin) return
    const { fromSeq } = message
    if (fromSeq > log.head(origin).seq + 1 || fromSeq <= log.floor(origin).seq) return
    const { previousHash } = log.readOrigin(origin, fromSeq, 0)
    const another = this.#anOrigin()
    const { run } = log.readOrigin(another, log.floor(another).seq + 1, 0)
    if (run.records.length === 0) return
    const forged = { origin, firstSeq: fromSeq, records: run.records }
    this.#intrusion.say(encodeLinkEntries({ type: "entries", run: forged, previousHash }))
  }
}
