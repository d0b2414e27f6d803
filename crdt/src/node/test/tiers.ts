/** A cluster of three, and clients that want to know how far their updates are saved in it. */
import { limits } from "../../base/index.ts"
import type { TierMark } from "../../protocol/index.ts"
import { commit, NativeClient, YWriter } from "./clients.ts"
import { documentNamed, must, World } from "./harness.ts"
import type { TestNode } from "./harness.ts"

export const notes = documentNamed("notes")
export const vectorsMs = 2 * limits.linkVectorIntervalMs
export const lostMs = 5000 + 2 * limits.sweepMs
const doc = new YWriter(1)

/** Three nodes that are linked, and know each other from the log. */
export function three(): { world: World; nodes: [TestNode, TestNode, TestNode] } {
  const world = new World()
  const [a, b, c] = world.mesh("a", "b", "c")
  world.advance(5000)
  return { world, nodes: [must(a), must(b), must(c)] }
}

/** A client with a document open that wants a tier; numbers begin at `first`. */
export function wanting(node: TestNode, client: number, first: number, ...marks: TierMark[]) {
  const native = new NativeClient(node)
  native.hello(client, first)
  node.world.settle()
  const fromSeq = marks.length > 0 ? 1 : first
  native.wantTier("node", first)
  for (const tier of ["quorum", "all"] as const) native.wantTier(tier, fromSeq, ...marks)
  native.open(1, notes)
  node.world.settle()
  return native
}

export function write(client: NativeClient, seq: number): void {
  client.update(1, seq, doc.put(`k${seq}`, seq))
  client.node.world.settle()
  commit(client.node)
}

export function missing(client: NativeClient, tier: "quorum" | "all"): string[] {
  const status = client.of("tier-status").findLast((one) => one.tier === tier)
  return must(status).missing.map(({ member, linked }) => `${member} ${linked}`)
}
