/**
 * Splits as nodes report them ([P1]–[P3]). Where a comment names a mutant, its patch undoes the
 * rule, and the scenario fails.
 */
import { at } from "./scenario.ts"
import type { Scenario } from "./scenario.ts"

export const partitionScenarios: readonly Scenario[] = [
  // Demands a report of both sides (`partition-unreported`) that counts what was written before
  // the loss was noticed (`partition-counted-late`) and what members bring along
  // (`partition-brought-uncounted`).
  {
    name: "split noticed late",
    story:
      "a cut is noticed after 15 s of silence; a report that began there would leave out what was" +
      " written until then, and one that ended with the first link what the others had",
    options: {
      nodes: 3,
      clients: 4,
      stockClients: 0,
      seconds: 35,
      writesPerSecond: 8,
      seed: 1,
      workload: "yjs-text",
      schedule: [at(5000, "isolate", 25_000, 1)],
    },
  },
  // A cut node whose other links flap: losses within one split, and returns in between.
  {
    name: "split with returns in between",
    story:
      "what a member wrote between two losses of one split is no longer its side's: it came live," +
      " and a report that counted by logs alone would count it on both",
    options: {
      nodes: 3,
      clients: 4,
      stockClients: 0,
      seconds: 45,
      writesPerSecond: 8,
      seed: 2,
      workload: "yjs-text",
      schedule: [
        at(3000, "isolate", 19_000, 5),
        at(24_000, "isolate", 3000, 5),
        at(28_000, "halves", 12_000, 7),
      ],
    },
  },
  // A loss right after a return, before anything of what was written meanwhile has come.
  {
    name: "return too short for entries to come",
    story:
      "the judge counted twice what a member had written before a return within the split, as it" +
      " was still lacked after the next one, and demanded it of the report",
    options: {
      nodes: 2,
      clients: 2,
      stockClients: 0,
      seconds: 16,
      writesPerSecond: 4,
      seed: 5,
      workload: "yjs-text",
      schedule: [at(2000, "isolate", 7000, 1), at(10_262, "isolate", 2000, 1)],
    },
  },
  // Digests that are compared after a heal and before nodes have looked through what came with it.
  {
    name: "digests compared right after a heal",
    story:
      "the judge took it for unrest that nodes with many documents went down their trees, which" +
      " stood for what was there during the split",
    options: {
      nodes: 2,
      clients: 4,
      stockClients: 0,
      seconds: 24,
      writesPerSecond: 8,
      seed: 18,
      workload: "many-documents",
      schedule: [at(1000, "isolate", 22_000, 1)],
    },
  },
]
