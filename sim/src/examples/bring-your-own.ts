/**
 * Your own fault model, workload and invariant: what docs/simulator.md shows. Run them with
 * `npm run sim -- --with sim/src/examples/bring-your-own.ts`; all built-in ones come along.
 */
import { documentIdOf } from "@causeway/crdt/base"
import { builtIn } from "../catalogue.ts"
import type { Catalogue } from "../catalogue.ts"
import type { Fault } from "../faults/index.ts"
import type { Invariant } from "../invariants/index.ts"
import { between } from "../reachability.ts"
import { demand } from "../violation.ts"
import type { Workload } from "../workloads/index.ts"

// A fault model: two regions and the cable between them.
const cable: Fault = {
  name: "cable",
  explain: "the cable between two regions gets slow, and then it breaks",
  row: "one-way partition",
  everyMs: [5000, 30_000],
  lastsMs: [2000, 20_000],
  inject({ nodes, network, scheduler }, random, lastsMs) {
    if (nodes.length < 2) return "skipped"
    const east = nodes.filter((_, index) => index % 2 === 0).map(({ host }) => host)
    const west = nodes.filter((_, index) => index % 2 === 1).map(({ host }) => host)
    const path = between(east, west)
    const ends = [network.reachability.slow(path, random.logBetween(5, 50))]
    scheduler.after(lastsMs / 2, () => {
      // The run may have ended the fault early, when it heals everything.
      if (ends.length > 0) ends.push(network.reachability.cut(path))
    })
    return () => {
      for (const end of ends.splice(0)) end()
    }
  },
}

// A workload: polls, each a map from voter to choice.
const votes: Workload = {
  name: "votes",
  explain: "people vote in polls and change their minds",
  documents(random) {
    const names = Array.from({ length: random.int(2, 5) }, (_, index) => `poll ${index + 1}`)
    const documents = names.map((name) => documentIdOf("yjs", name))
    return { documents: documents.filter((one) => one !== undefined), documentsPerClient: 2 }
  },
  editYjs(doc, random, token) {
    const voter = `voter ${random.int(1, 40)}`
    doc.getMap("votes").set(voter, { choice: random.pick(["yes", "no"]), token })
  },
}

// An invariant: what all of it may cost on disk.
const amplification: Invariant = {
  name: "amplification",
  explain: "a node logs at most four bytes for each byte that clients wrote",
  watch() {
    const allowance = 1_000_000
    let written = 0
    const logged = new Map<number, number>()
    return {
      onWrite(_writer, _document, _token, update) {
        written += update.length
      },
      onDurable(node, { own, adopted }) {
        const records = [...own, ...adopted.flatMap((run) => run.records)]
        const bytes = records.reduce((sum, record) => sum + record.length, logged.get(node) ?? 0)
        logged.set(node, bytes)
        demand(bytes <= 4 * written + allowance, "amplification", () => {
          return `node ${node} logged ${bytes} bytes for ${written} that were written`
        })
      },
    }
  },
}

/** All built-in faults and invariants with yours; only your workload. */
export const catalogue: Catalogue = {
  faults: [...builtIn.faults, cable],
  workloads: [votes],
  invariants: [...builtIn.invariants, amplification],
}
