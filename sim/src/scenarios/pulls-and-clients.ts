/** Entries that are asked for, and updates that are sent: who waits for what, and how long. */
import { at } from "./scenario.ts"
import type { Scenario } from "./scenario.ts"

export const pullAndClientScenarios: readonly Scenario[] = [
  // Demands that only the peer that was asked can say that nothing more is to come: with
  // `else this.#wants.delete(origin)` in `LinkPull.pullFrom`, nodes stay apart for good.
  {
    name: "pull called off by a node that lacks it too",
    story:
      "what came while the store failed was dropped; asking for it again was called off by the" +
      " vector of a third node, which lacked it as well, once a second and for ever",
    options: {
      nodes: 3,
      clients: 4,
      stockClients: 0,
      seconds: 10,
      writesPerSecond: 10,
      seed: 1,
      workload: "yjs-text",
      schedule: [
        at(2000, "store-failed", 3000, 4),
        at(2000, "store-failed", 3000, 2),
        at(3000, "isolate", 1000, 1),
        at(6000, "store-full", 2000, 4),
        at(6000, "store-full", 2500, 2),
        at(8500, "store-full", 1000, 1),
        at(8500, "store-full", 1000, 4),
      ],
    },
  },
  // Demands that who claims entries and brings none when asked keeps nobody from documents [K8]:
  // without `unserved` in `LinkPull.#isElsewhereWhole` n5 asks n1, which can't read, for ever.
  {
    name: "entries claimed by a node that can't read them",
    story:
      "a node was put back to before entries that most of its peers held as documents alone; one" +
      " still had them, on a disk that failed, and was asked again and again, for ever, while all" +
      " others would have sent documents",
    options: {
      nodes: 5,
      clients: 0,
      stockClients: 0,
      seconds: 20,
      writesPerSecond: 19,
      writesMax: 0,
      seed: 5036,
      workload: "many-documents",
      schedule: [
        at(7117.776, "restored-database", 16_955, 868719718),
        at(13_835.626, "wipe", 0, 151082037),
        at(19_571.727, "store-failed", 464, 304927967),
      ],
    },
  },
  // Demands that a connection begins with the number its hello named: an app that hands in what no
  // node takes, between hello and welcome, makes it void. Without `greet` in `Outbox.connected`
  // the client begins behind it, the node waits for it, and c1 never gets rid of anything again.
  {
    name: "number void between hello and welcome",
    story:
      "a client's oldest number became void between its hello and the welcome; the client began" +
      " with the next one, for which no node was ready, and its outbox stood still for ever",
    options: {
      nodes: 2,
      clients: 2,
      stockClients: 0,
      seconds: 30,
      writesPerSecond: 5,
      seed: 6,
      workload: "hot-document",
      schedule: [
        at(6569.435, "client-move", 1, 452287319),
        at(7051.6, "client-move", 1, 877469593),
        at(11_320.706, "client-move", 1, 979556855),
      ],
    },
  },
  // Demands that acks move the resume point of sessions alone that have all before it: with
  // `marks-for-lagging` a client that reads nothing for six seconds skips what it was not sent.
  {
    name: "resume point past what a lagging session was not sent",
    story:
      "a client that had fallen behind had its own updates acked, and its resume point jumped to" +
      " them, past others' updates that it had not been sent; it never got them",
    options: {
      nodes: 3,
      clients: 6,
      stockClients: 2,
      seconds: 9,
      writesPerSecond: 40,
      writesMax: 300,
      seed: 16,
      workload: "automerge-counters",
      schedule: [at(2253.214, "stall", 5911, 971724537)],
    },
  },
  // Demands that a client mends what a node refuses for want of predecessors [N14]: with nothing
  // done in `Repairs.refused` and `answered`, c3 sends the same update again for ever.
  {
    name: "upon edits that only an unreachable node has",
    story:
      "a client went on at a node that lacked what its updates build on, where a megabyte of" +
      " somebody's waited already; the update was refused for now, again and again, and blocked" +
      " the client's whole outbox",
    options: {
      nodes: 3,
      clients: 4,
      stockClients: 0,
      seconds: 12,
      writesPerSecond: 10,
      seed: 8,
      workload: "yjs-text",
      schedule: [
        at(7335.298, "stranded", 3789, 237797482),
        at(8338.357, "stranded", 3237, 835857152),
      ],
    },
  },
]
