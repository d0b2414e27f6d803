/** Whatever a workload does to documents, it does the same twice, and replicas agree about it. */
import * as Automerge from "@automerge/automerge"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import * as Y from "yjs"
import { bytesToHex, partsOfDocumentId } from "@causeway/crdt/base"
import type { DocumentId, EngineName } from "@causeway/crdt/base"
import { automergeEngine } from "@causeway/crdt/engines/automerge"
import { yjsEngine } from "@causeway/crdt/engines/yjs"
import { SimRandom } from "../random.ts"
import { checksum } from "../checksum.ts"
import { createReplica } from "../replica/replica.ts"
import type { Replica } from "../replica/replica.ts"
import { documentNamed } from "./documents.ts"
import { allWorkloads } from "./index.ts"
import { trace } from "./trace.ts"
import paper from "./traces/paper.json" with { type: "json" }
import type { Workload } from "./workload.ts"
import { placesOf, yjsRichText } from "./yjs-rich-text.ts"

const engines = { yjs: yjsEngine, automerge: automergeEngine }
const REPLICAS = 4

/** Several workloads share their edits with `mixed`, which stands for them. */
const known = new Set<unknown>()
const cases = allWorkloads.flatMap((workload) => {
  const ways = { yjs: workload.editYjs, automerge: workload.editAutomerge }
  return (["yjs", "automerge"] as const)
    .filter((engine) => ways[engine] !== undefined && !known.has(ways[engine]))
    .map((engine) => {
      known.add(ways[engine])
      return { workload, engine, title: `${workload.name}, ${engine}` }
    })
})

/** A replica with the updates it has not got yet. */
type Peer = { readonly replica: Replica; readonly inbox: Uint8Array[] }

/** Random edits, each update to each other replica at some time, in any order. */
function play(workload: Workload, engine: EngineName, seed: number, edits: number): Replica[] {
  const random = new SimRandom(seed)
  const document: DocumentId = documentNamed(engine, "shared")
  const peers: Peer[] = Array.from({ length: REPLICAS }, () => {
    return { replica: createReplica(document, random, workload), inbox: [] }
  })
  const say = (from: Peer, updates: readonly Uint8Array[]): void => {
    for (const peer of peers) if (peer !== from) peer.inbox.push(...updates)
  }
  const take = (peer: Peer, count: number): void => {
    const updates = random.shuffled(peer.inbox.splice(0))
    peer.inbox.push(...updates.slice(count))
    say(peer, peer.replica.apply(updates.slice(0, count)))
    if (random.chance(0.5)) say(peer, peer.replica.look())
  }
  for (let edit = 1; edit <= edits; edit++) {
    const peer = random.pick(peers)
    say(peer, peer.replica.edit(random, `w${edit}`))
    const reader = random.pick(peers)
    if (random.chance(0.4)) take(reader, random.int(1, 30))
  }
  // What Yjs tidies up on the way is said as well, until nobody has anything to say.
  for (let round = 0; peers.some(({ inbox }) => inbox.length > 0); round++) {
    expect(round).toBeLessThan(20)
    for (const peer of peers) {
      take(peer, peer.inbox.length)
      say(peer, peer.replica.look())
    }
  }
  return peers.map(({ replica }) => replica)
}

/** The content as the CRDT itself shows it, and every text in it. */
function shown(replica: Replica): { json: string; texts: string[] } {
  const { engine } = partsOfDocumentId(replica.document)
  if (engine === "automerge") {
    const doc = Automerge.loadIncremental(Automerge.init<object>(), replica.state())
    const json = JSON.stringify(sorted(doc))
    return { json, texts: [json] }
  }
  const doc = new Y.Doc()
  Y.applyUpdate(doc, replica.state())
  const texts = [placesOf(doc.getText("text")), placesOf(doc.getText("rich"))]
  const json = JSON.stringify({
    texts,
    formats: doc.getText("rich").toDelta(),
    paragraphs: doc.getXmlFragment("prosemirror").toJSON(),
    map: sorted(doc.getMap("map").toJSON()),
    list: doc.getArray("list").toJSON(),
    board: sorted(doc.getArray("board").toJSON()),
  })
  return { json, texts: [...texts, json] }
}

/** Map keys come in the order of arrival. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== "object" || value instanceof Automerge.Counter) {
    return value instanceof Automerge.Counter ? value.value : value
  }
  const entries = Object.entries(value).sort(([one], [two]) => (one < two ? -1 : 1))
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]))
}

describe("replicas that got everything agree, and no surrogate pair is cut", () => {
  test.each(cases)("$title", ({ workload, engine }) => {
    const big = workload.name === "big-documents"
    const runs = { numRuns: big ? 2 : engine === "yjs" ? 12 : 4 }
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 30 }), (seed) => {
        const replicas = play(workload, engine, seed, big ? 20 : 100)
        const [first, ...others] = replicas.map((replica) => {
          return { ...shown(replica), digest: bytesToHex(engines[engine].digest(replica.state())) }
        })
        for (const other of others) expect(other).toEqual(first)
        for (const text of first?.texts ?? []) {
          expect(text.isWellFormed() && !text.includes("\ufffd")).toBe(true)
        }
        for (const replica of replicas) replica.close()
      }),
      runs,
    )
  })
})

test.each(cases)("$title: the same seed, the same bytes; another seed, others", (item) => {
  const { workload, engine } = item
  const count = workload.name === "big-documents" ? 4 : 50
  const states = [5, 5, 6].map((seed) => {
    return play(workload, engine, seed, count).map((replica) => checksum(replica.state()))
  })
  expect(states[1]).toEqual(states[0])
  expect(states[2]).not.toEqual(states[0])
})

test.each(allWorkloads)("$name: its documents come from the seed and can be edited", (workload) => {
  for (let seed = 1; seed <= 10; seed++) {
    const { documents, documentsPerClient } = workload.documents(new SimRandom(seed))
    expect(workload.documents(new SimRandom(seed)).documents).toEqual(documents)
    expect(documents.length).toBeGreaterThan(0)
    expect(documentsPerClient).toBeGreaterThan(0)
    for (const document of [documents[0], documents.at(-1)]) {
      if (document === undefined) continue
      const replica = createReplica(document, new SimRandom(seed), workload)
      expect(() => replica.edit(new SimRandom(seed), "token")).not.toThrow()
    }
  }
})

test("names are unique", () => {
  expect(new Set(allWorkloads.map(({ name }) => name)).size).toBe(allWorkloads.length)
})

test("Yjs tidies up formats where people cut what others format, and that is said too", () => {
  let tidied = 0
  const [one, other] = [1, 2].map((seed) => {
    return createReplica(documentNamed("yjs", "rich"), new SimRandom(seed), yjsRichText)
  })
  const random = new SimRandom(3)
  for (let edit = 0; edit < 300; edit++) {
    const mine = one?.edit(random, `a${edit}`) ?? []
    const theirs = other?.edit(random, `b${edit}`) ?? []
    one?.apply(theirs)
    const tidiedHere = one?.look() ?? []
    other?.apply([...mine, ...tidiedHere])
    const tidiedThere = other?.look() ?? []
    one?.apply(tidiedThere)
    tidied += tidiedHere.length + tidiedThere.length
  }
  expect(tidied).toBeGreaterThan(0)
})

test("one writer alone retypes the recording to its end", () => {
  const doc = new Y.Doc()
  const memory = new Map<string, number>()
  const random = new SimRandom(1)
  while (memory.get("next") !== paper.keys.length) trace.editYjs?.(doc, random, "", memory)
  expect(doc.getText("text").toString()).toBe(paper.endContent)
})
