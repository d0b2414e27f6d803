/**
 * Runs that once broke a promise, by name: what went wrong, and the options that showed it. The
 * bug is fixed, the run stays. A change of the simulator's own draws can make a seed harmless, so
 * newer ones pin their faults, and each bug of the product also has a test beside the code that
 * was wrong, where one was possible.
 */
import { deletionScenarios } from "./deletions.ts"
import { diskScenarios } from "./disks.ts"
import { partitionScenarios } from "./partitions.ts"
import { pullAndClientScenarios } from "./pulls-and-clients.ts"
import { at } from "./scenario.ts"
import type { Scenario } from "./scenario.ts"
import { tabScenarios } from "./tabs.ts"

const small = { nodes: 3, clients: 4, stockClients: 1, seconds: 20, writesPerSecond: 10 } as const

const fewWrites = {
  nodes: 3,
  clients: 4,
  stockClients: 2,
  seconds: 20,
  writesPerSecond: 4,
} as const

export const scenarios: readonly Scenario[] = [
  {
    name: "want withdrawn by a third node",
    story:
      "entries came while the store failed and were dropped; asking for them again was called" +
      " off, once a second and for ever, by a peer that lacked them too",
    options: {
      ...small,
      seed: 18,
      workload: "mixed",
      faults: ["store-failed", "store-full", "isolate", "crash"],
    },
  },
  {
    name: "thousands of origins of a liar",
    story:
      "a peer claimed thousands of origins that nobody has; it was asked for each of them, all at" +
      " once and again every few seconds",
    options: {
      nodes: 2,
      clients: 2,
      stockClients: 0,
      seconds: 12,
      writesPerSecond: 3,
      seed: 548,
      workload: "yjs-text",
      faults: ["lying-peer:1"],
    },
  },
  {
    name: "late hello closed for good",
    story:
      "a node's clock leapt ahead while a client's hello was on its way; the client was closed" +
      " with a permanent code and never came back",
    options: {
      ...fewWrites,
      seed: 9,
      workload: "mixed",
      schedule: [
        at(2299, "clock-jump", 1, 484631806),
        at(3034, "client-move", 1, 384864464),
        at(4377, "clock-jump", 1, 360143784),
        at(6688, "clock-jump", 1, 654045148),
        at(11_235, "client-move", 1, 410875681),
        at(15_455, "clock-jump", 1, 510838182),
      ],
    },
  },
  {
    name: "presence of a reopened document overlooked",
    story:
      "a client closed a document and opened it again; its presence clock began at 1 anew, and" +
      " whoever remembered a higher one did not see its cursor any more",
    options: {
      ...fewWrites,
      seed: 13,
      workload: "mixed",
      schedule: [
        at(888, "reopen", 360, 683950126),
        at(1178, "isolate", 709, 326953984),
        at(4686, "reopen", 13, 696889091),
        at(6491, "reopen", 30, 131718944),
        at(7591, "client-move", 1, 1052747159),
        at(8914, "client-move", 1, 221410672),
        at(10_691, "reopen", 23, 969975393),
        at(11_313, "isolate", 6988, 519138203),
        at(12_095, "client-move", 1, 915954969),
        at(13_907, "reopen", 3789, 51264752),
        at(14_890, "client-move", 1, 126036793),
        at(17_475, "client-move", 1, 118449066),
        at(19_291, "client-move", 1, 175811459),
      ],
    },
  },
  {
    name: "difference for one node sent to another",
    story:
      "with a megabyte of others' updates waiting, a node refused a client's for want of" +
      " predecessors; the client sent what that node lacked in its place, then went to another," +
      " which lacked more, took it, and acked an update of which it had only a part",
    options: {
      nodes: 3,
      clients: 4,
      stockClients: 0,
      seconds: 12,
      writesPerSecond: 8,
      seed: 9966,
      workload: "hot-document",
      schedule: [
        at(1500, "withheld-first", 2000, 276),
        at(5000, "isolate", 11_000, 158077),
        at(5001, "isolate", 11_000, 225352),
        at(6000, "slow-disk", 9000, 212202),
        at(6001, "slow-disk", 9000, 957842),
        at(7000, "crash", 1500, 386699),
        at(7500, "reopen", 900, 644006),
        at(8000, "client-move", 1, 551226),
        at(8200, "client-crash", 700, 443638),
        at(8500, "client-move", 1, 780582),
        at(9000, "crash", 1500, 891329),
        at(9500, "client-crash", 700, 600743),
        at(9700, "reopen", 900, 207559),
        at(10_000, "client-move", 1, 44678),
        at(10_500, "client-move", 1, 788903),
        at(11_000, "crash", 1500, 863662),
        at(11_500, "client-crash", 700, 294051),
        at(11_700, "reopen", 900, 993307),
      ],
    },
  },
  {
    name: "gone while somebody was not told",
    story:
      "a session whose socket was full when others left was never told so: their cursors stayed" +
      " on its screen for ever",
    options: {
      nodes: 3,
      clients: 4,
      stockClients: 1,
      seconds: 12,
      writesPerSecond: 8,
      writesMax: 79,
      seed: 221,
      schedule: [
        at(3391.348, "client-wipe", 377, 303900765),
        at(3629.974, "slow-disk", 3919, 849062492),
        at(3787.479, "crash", 2656, 497690229),
        at(5063.955, "client-wipe", 12, 592035403),
        at(5447.064, "slow-disk", 7798, 844213403),
        at(5628.061, "crash", 254, 643632957),
        at(6784.573, "client-wipe", 504, 912193478),
        at(7662.534, "client-wipe", 730, 942336976),
        at(8011.128, "client-wipe", 196, 389876989),
        at(8081.022, "client-wipe", 4127, 639849001),
        at(8170.387, "client-wipe", 19, 534743616),
        at(9901.187, "crash", 15, 789276260),
        at(10110.273, "client-wipe", 40, 340732111),
        at(11747.528, "client-wipe", 503, 84063656),
      ],
    },
  },
  // Demands that documents of a page that never ended stand for no more than what their sender had
  // said before (`TransferIn.#write`).
  {
    name: "page of a transfer that never ended",
    story:
      "a state transfer whose first page was cut short went on with another peer, and claimed all" +
      " that this one held, also of the documents that had come before and were written to since",
    options: {
      nodes: 3,
      clients: 6,
      stockClients: 1,
      seconds: 20,
      writesPerSecond: 10,
      seed: 5,
      faults: [
        "withheld-first:2",
        "client-move:2",
        "isolate:4",
        "slow-disk:4",
        "crash:6",
        "reopen:3",
      ],
    },
  },
  ...diskScenarios,
  ...partitionScenarios,
  ...pullAndClientScenarios,
  ...deletionScenarios,
  ...tabScenarios,
]
