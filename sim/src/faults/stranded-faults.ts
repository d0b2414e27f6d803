/**
 * Clients that go on elsewhere, upon edits that only a node has which nobody can reach: what they
 * say there waits for predecessors. Where a megabyte waits in the document already, it is refused
 * for now and has to be mended or shelved [N14] [C3].
 */
import type { DocumentId } from "@causeway/crdt/base"
import { leaveWaiting } from "../hostile/withheld.ts"
import { between } from "../reachability.ts"
import type { SimRandom } from "../random.ts"
import type { SimWriter } from "../writer.ts"
import { nodeHosts } from "./hosts.ts"
import type { Fault } from "./fault.ts"

/** Of the time that it lasts: the client can still reach its node, then nobody can. */
const TOGETHER = 0.4
/** Until others have what somebody left waiting. */
const SPREADS = 0.15

const stranded: Fault = {
  name: "stranded",
  explain:
    "a client's node loses all others and then that client, which goes on elsewhere upon edits" +
    " that nobody has there, perhaps where a megabyte waits already, perhaps without its replica",
  row: "client-side split, moving clients",
  everyMs: [20_000, 150_000],
  lastsMs: [2000, 20_000],
  inject(world, random, lastsMs) {
    const { reachability } = world.network
    const natives = world.writers.filter(({ kind }) => kind === "native")
    const writer = random.shuffled(natives).find(({ node, replicas }) => {
      return node !== undefined && replicas.length > 0
    })
    const node = writer?.node
    const others = nodeHosts(world).filter((host) => host !== node)
    if (writer === undefined || node === undefined || others.length === 0) return "skipped"
    const { document } = random.pick(writer.replicas)
    const ends: (() => void)[] = []
    if (random.chance(0.5)) ends.push(leaveWaiting(world, random, document, random.pick(others)))
    let isOver = false
    const later = (share: number, act: () => void): void => {
      world.scheduler.after(lastsMs * share, () => {
        if (!isOver) act()
      })
    }
    later(SPREADS, () => ends.push(reachability.cut(between([node], others))))
    later(TOGETHER, () => {
      ends.push(reachability.cut(between([node], [writer.host])))
      ends.push(losesReplica(writer, document, random))
    })
    return () => {
      isOver = true
      for (const end of ends) end()
    }
  },
}

/** Perhaps: what is in its outbox has to be said all the same. Gives what ends that. */
function losesReplica(writer: SimWriter, document: DocumentId, random: SimRandom): () => void {
  const kind = random.pick(["stays", "stays", "closes", "crashes"])
  if (kind === "closes" && writer.running) {
    writer.close(document)
    return () => writer.open(document)
  }
  if (kind === "crashes" && writer.running) {
    writer.crash("kept")
    writer.start()
  }
  return () => undefined
}

export const strandedFaults: readonly Fault[] = [stranded]
