/**
 * Disks that hold what they held some time ago, another's, or not what was written [E1]–[E7],
 * ADR 8. Where a comment names a mutant, its patch undoes the rule, and the scenario fails.
 */
import { at } from "./scenario.ts"
import type { Scenario } from "./scenario.ts"

const two = { nodes: 2, clients: 4, stockClients: 0, seconds: 10, writesPerSecond: 8 } as const

const three = { nodes: 3, clients: 4, stockClients: 0, seconds: 15, writesPerSecond: 20 } as const

export const diskScenarios: readonly Scenario[] = [
  // Demands that an opening compares the boot record beside the database (`boot-record-ignored`):
  // there is no peer here that could notice.
  {
    name: "database put back alone",
    story:
      "a node whose database alone was put back wrote on under its origin: it gave out each" +
      " (origin, seq) behind the copy a second time",
    options: {
      ...two,
      nodes: 1,
      seed: 1,
      workload: "yjs-text",
      schedule: [at(2000, "restored-database", 4000, 1), at(4000, "crash", 200, 1)],
    },
  },
  // Demands that what peers hold of the own origin is looked into, and ends it (`rival-ignored`).
  {
    name: "folder put back thrice",
    story:
      "a node whose whole folder was put back, cut off from the others meanwhile, went on under" +
      " its old origin; it and its peers held different logs by one name for ever",
    options: {
      ...three,
      seed: 51,
      workload: "yjs-text",
      schedule: [
        at(75.843, "restored-folder", 2817, 258228674),
        at(1396.321, "isolate", 15_749, 491872668),
        at(4701.454, "restored-folder", 14_614, 959304529),
        at(6889.139, "restored-folder", 18_950, 1004968406),
      ],
    },
  },
  // Demands that two nodes that hold others' branches find that out and settle on one
  // (`fork-never-probed`).
  {
    name: "a branch that a third node adopted",
    story:
      "a folder was put back, and what its node wrote before it knew reached one side of a split," +
      " while the other held what stood there before: both kept their branch for good, and showed" +
      " different documents",
    options: {
      nodes: 4,
      clients: 4,
      stockClients: 0,
      seconds: 19,
      writesPerSecond: 20,
      writesMax: 460,
      seed: 222,
      workload: "yjs-text",
      schedule: [
        at(13_206.275, "halves", 9987, 242358870),
        at(13_354.208, "restored-folder", 6213, 80207260),
        at(18_508.67, "restored-folder", 568, 547928888),
      ],
    },
  },
  // Demands that the cut lies before the first entry that differs (`reopen-keeps-one-too-many`).
  {
    name: "cut behind the first entry that differs",
    story:
      "a node that had been put back kept the first entry that its peers held otherwise, and was" +
      " told again and again that they differ",
    options: {
      ...three,
      seed: 42,
      workload: "yjs-text",
      schedule: [
        at(9755.186, "isolate", 13_615, 289986190),
        at(9872.167, "restored-folder", 3819, 940548802),
        at(10_257.995, "restored-folder", 19_335, 450309044),
        at(11_885.642, "isolate", 10_039, 193176150),
      ],
    },
  },
  // Demands three things, and fails without any one of them: a document of which a record can't
  // be read is not read at all (`SimDisk` leaving it out instead), the node then looks through its
  // log (`damage-unnoticed`), and logs again what it can read behind it (`salvage-forgotten`).
  {
    name: "corrupt record in the middle of a log",
    story:
      "reads left out an entry that could not be read, and moved resume points past it; nobody" +
      " looked for what else was damaged, and what stood behind it was lost with it",
    options: {
      ...two,
      seed: 1,
      workload: "yjs-text",
      schedule: [
        at(3000, "corrupt-record", 1000, 2),
        at(5000, "corrupt-record", 1000, 4),
        at(7000, "corrupt-record", 1000, 7),
      ],
    },
  },
  // Demands that an opening looks at the end of every log: fails with `tail-not-checked`, and as
  // well if only ends of adopted logs are left out (`areTailsSound` in `sim/src/disk-image.ts`).
  {
    name: "torn end of an own and of an adopted log",
    story:
      "a node died in the middle of an append and trusted the damaged end of a log: of its own," +
      " which it went on behind, or of one it had adopted, whose wrong hash its peers had to take" +
      " for a fork",
    options: {
      ...two,
      writesPerSecond: 12,
      seed: 1,
      workload: "yjs-text",
      schedule: [1, 2, 3, 4, 5, 6, 7, 8].map((seed) =>
        at(500 + 1000 * seed, "torn-write", 900, seed),
      ),
    },
  },
  // Demands that a store says whose folder it is, and is not opened for anybody else: without the
  // two refusals in `SimNode.start` and `SimDisk.open`, n1 writes under n2's origin.
  {
    name: "started on a copy of another node's folder",
    story: "two nodes wrote under one origin, as one was started on a copy of the other's folder",
    options: {
      ...two,
      seed: 1,
      workload: "yjs-text",
      schedule: [at(3000, "cloned-disk", 4000, 2)],
    },
  },
  // A node starts again, and hears of its peer what that one said before its disk was gone.
  {
    name: "wiped with its vector under way",
    story:
      "the judge held an ack of `all` against a node whose peer had said that it holds the" +
      " update, and lost its disk before that arrived over a slow path",
    options: {
      ...two,
      seconds: 5,
      writesPerSecond: 20,
      seed: 22,
      workload: "yjs-text",
      schedule: [at(2000, "delay", 3000, 90), at(3076, "crash", 20, 71), at(3352, "wipe", 500, 63)],
    },
  },
  // The judge was wrong, in both.
  {
    name: "short tail that deletes most of its snapshot",
    story:
      "a node that came back was brought documents, and then the entries that deleted nearly all" +
      " of them: too short a tail to be folded, and the judge found ten times what is shown",
    options: {
      nodes: 4,
      clients: 12,
      stockClients: 0,
      seconds: 10,
      writesPerSecond: 13,
      seed: 81_027,
    },
  },
  {
    name: "at rest before the log was looked at",
    story:
      "all came to rest two seconds after half a megabyte was written, and the judge asked for a" +
      " log within its cap, for which a node looks three times, each sweep once",
    options: {
      nodes: 4,
      clients: 12,
      stockClients: 0,
      seconds: 10,
      writesPerSecond: 13,
      writesMax: 78,
      seed: 81_027,
      schedule: [at(1469.783, "crash", 919, 573721073)],
    },
  },
]
