/** Starts things for one test and stops them when it ends, in reverse order. */
import { onTestFinished } from "vitest"
import { Cluster } from "../../demo/cluster.ts"
import { StockClient } from "../../demo/stock-client.ts"

/** CI replays the whole trace and kills more often. */
export const isFull = process.env["CAUSEWAY_FULL_TRACE"] === "1"

export async function startCluster(...names: readonly string[]): Promise<Cluster> {
  const cluster = await Cluster.start(names)
  onTestFinished(() => cluster.close())
  return cluster
}

/** A stock client of the cluster's node of that name, synced. */
export async function joinAt(cluster: Cluster, name: string, room: string): Promise<StockClient> {
  const client = new StockClient(cluster.node(name).url, room)
  onTestFinished(() => client.destroy())
  await client.synced()
  return client
}
