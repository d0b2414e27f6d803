/** Counters, where each increment counts once and no two are the same. */
import * as Automerge from "@automerge/automerge"
import { numbered } from "./documents.ts"
import type { Workload } from "./workload.ts"

const COUNTERS = 8

export const automergeCounters: Workload = {
  name: "automerge-counters",
  explain: "votes and stock levels: many clients count up and down at once in Automerge",
  weight: 2,
  documents(random) {
    const count = random.int(1, 2)
    const documents = numbered("automerge", "stock", count)
    return { documents, documentsPerClient: count }
  },
  editAutomerge(content, random, token) {
    content.counts ??= {}
    const key = `item ${random.int(1, COUNTERS)}`
    const { counts } = content
    const counter = counts[key]
    if (counter === undefined) counts[key] = new Automerge.Counter(random.int(0, 9))
    else if (random.chance(0.03)) delete counts[key]
    else if (random.chance(0.3)) counter.decrement(random.int(1, 5))
    else counter.increment(random.int(1, 5))
    content.map ??= {}
    if (random.chance(0.2)) content.map[`last ${random.int(0, 3)}`] = token
  },
}
