/** Clients and peers that do not mean well: each kind of attack is a fault of its own. */
import type { Millis } from "@causeway/crdt/base"
import { connectDeaf } from "../hostile/deaf.ts"
import { Liar } from "../hostile/liar.ts"
import { sendMalformed } from "../hostile/malformed.ts"
import { sendOversized } from "../hostile/oversized.ts"
import { replay } from "../hostile/replay.ts"
import { storm } from "../hostile/storm.ts"
import { withholdFirst } from "../hostile/withheld.ts"
import type { SimRandom } from "../random.ts"
import type { World } from "../world.ts"
import type { Fault, Injected } from "./fault.ts"

const row = "malformed and hostile peer or client"

type Range = readonly [Millis, Millis]
type Inject = (world: World, random: SimRandom, lastsMs: Millis) => Injected

function attack(
  name: string,
  explain: string,
  everyMs: Range,
  lastsMs: Range,
  inject: Inject,
): Fault {
  return { name, explain, row, everyMs, lastsMs, inject }
}

const malformed = attack(
  "malformed",
  "somebody connects as a client or as a peer and sends frames that break the protocol",
  [1000, 15_000],
  [1, 1],
  (world, random) => {
    sendMalformed(world, random)
    return "done"
  },
)

const oversized = attack(
  "oversized",
  "somebody sends frames or fields past the limits, or text where bytes belong",
  [3000, 30_000],
  [1, 1],
  (world, random) => {
    sendOversized(world, random)
    return "done"
  },
)

const lyingPeer = attack(
  "lying-peer",
  "a peer whose vectors claim what it does not hold, of anybody's origin, and who sends runs" +
    " with gaps, wrong hashes or long known entries",
  [4000, 40_000],
  [500, 25_000],
  // It goes on while a core has to converge: lies must not keep the truth from coming.
  (world, random) => ({ host: world.hostile.host, end: new Liar(world, random).begin() }),
)

const replayedFrames = attack(
  "replayed-frames",
  "frames of honest connections are said again on another one: in order, shuffled, cut short",
  [3000, 30_000],
  [200, 10_000],
  (world, random) => replay(world, random) ?? "skipped",
)

const deafClient = attack(
  "deaf-client",
  "a client opens documents and never reads what it is sent",
  [8000, 60_000],
  [5000, 90_000],
  (world, random, lastsMs) => {
    return { host: world.hostile.host, end: connectDeaf(world, random, lastsMs) }
  },
)

const withheldFirst = attack(
  "withheld-first",
  "a client keeps its first update to itself, for a while or for ever, and sends later ones",
  [5000, 50_000],
  [1000, 20_000],
  withholdFirst,
)

const connectionStorm: Fault = {
  name: "connection-storm",
  explain: "hundreds connect at once, from one host or several; half of them never say a word",
  row: "connection storm",
  everyMs: [15_000, 60_000],
  lastsMs: [500, 25_000],
  inject: (world, random) => ({ host: world.hostile.host, end: storm(world, random) }),
}

export const hostileFaults: readonly Fault[] = [
  malformed,
  oversized,
  lyingPeer,
  replayedFrames,
  deafClient,
  withheldFirst,
  connectionStorm,
]
