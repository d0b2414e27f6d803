/**
 * Proof that the simulator would notice: each case plants one bug around the real cores, the
 * store or the disk, and names the invariants that may catch it. A case that runs clean fails.
 */
import * as Y from "yjs"
import { describe, expect, test } from "vitest"
import type { OriginId } from "@causeway/crdt/base"
import type { ClientEffect, ClientInput } from "@causeway/crdt/client"
import { chainRecords, decodeRecord, emptyHead, encodeRecord, MemoryLog } from "@causeway/crdt/log"
import type { Head } from "@causeway/crdt/log"
import type { Effect, Input } from "@causeway/crdt/node"
import type { AppendBatch, Store } from "@causeway/crdt/ports"
import {
  decodeClientMessage,
  decodeLinkMessage,
  decodeNodeMessage,
  encodeAck,
  encodeLinkEntries,
  encodeLinkVector,
  encodeReject,
  encodeUpdates,
} from "@causeway/crdt/protocol"
import { builtIn } from "./catalogue.ts"
import { realParts } from "./parts.ts"
import type { Parts } from "./parts.ts"
import { runToEnd } from "./run.ts"

const seedsMax = 8

type Planted = {
  readonly bug: string
  readonly caughtBy: readonly string[]
  readonly parts: () => Parts
}

/** Changes what node cores do; `spoil` sees one step's effects and gives others. */
function nodesThat(
  spoil: (effects: Effect[], input: Input, life: Map<number, string>) => Effect[],
): Parts {
  return {
    ...realParts,
    makeNode(config, nowMs) {
      const core = realParts.makeNode(config, nowMs)
      const doors = new Map<number, string>()
      return {
        status: () => core.status(),
        nextDeadline: () => core.nextDeadline(),
        step(input, atMs, effects) {
          if (input.type === "opened") doors.set(input.connection, input.endpoint.type)
          const own: Effect[] = []
          core.step(input, atMs, own)
          effects.push(...spoil(own, input, doors))
        },
      }
    },
  }
}

function clientsThat(
  spoil: (effects: ClientEffect[]) => ClientEffect[],
  swallows: (input: ClientInput) => boolean = () => false,
): Parts {
  return {
    ...realParts,
    makeClient(options) {
      const core = realParts.makeClient(options)
      return {
        get connection() {
          return core.connection
        },
        get pending() {
          return core.pending
        },
        get storing() {
          return core.storing
        },
        pendingUpdates: (document) => core.pendingUpdates(document),
        resumeOf: (document) => core.resumeOf(document),
        nextDeadline: () => core.nextDeadline(),
        step(input, nowMs, effects) {
          if (swallows(input)) return
          const own: ClientEffect[] = []
          core.step(input, nowMs, own)
          effects.push(...spoil(own))
        },
      }
    },
  }
}

/** Rewrites each frame that leaves through one kind of door; undefined swallows it. */
function framesThat(
  door: "native" | "link",
  spoil: (frame: Uint8Array) => Uint8Array | undefined,
): Parts {
  return nodesThat((effects, _input, doors) =>
    effects.flatMap((effect): Effect[] => {
      if (effect.type !== "send") return [effect]
      if (doors.get(effect.to[0] ?? -1)?.startsWith(door) !== true) return [effect]
      const frames = effect.frames.map(spoil).filter((frame) => frame !== undefined)
      return [{ ...effect, frames }]
    }),
  )
}

function storeThat(
  append: (store: Store, ...rest: Parameters<Store["append"]>) => void,
): Parts["wrapStore"] {
  return (store) => ({
    opened: store.opened,
    append: (batch, done) => append(store, batch, done),
    read: (query, done) => store.read(query, done),
    close: (done) => store.close(done),
  })
}

/** What a store will answer, before it has done anything. */
class Foresight {
  readonly #heads: Map<OriginId, Head>
  readonly #own: OriginId

  constructor({ opened }: Store) {
    this.#heads = new Map(opened.heads)
    this.#own = opened.origin
  }

  answer({ own, adopted }: AppendBatch): Parameters<Parameters<Store["append"]>[1]>[0] {
    const firstSeq = (this.#heads.get(this.#own)?.seq ?? 0) + 1
    const runs = [{ origin: this.#own, records: own }, ...adopted]
    const heads = runs
      .filter(({ records }) => records.length > 0)
      .map(({ origin, records }) => {
        const head = chainRecords(this.#heads.get(origin) ?? emptyHead, origin, records)
        this.#heads.set(origin, head)
        return [origin, head] as const
      })
    return { ok: true, firstSeq, heads }
  }
}

function every(count: number): () => boolean {
  let calls = 0
  return () => {
    calls += 1
    return calls % count === 0
  }
}

const anyUpdate = ((): Uint8Array => {
  const doc = new Y.Doc()
  doc.clientID = 666
  doc.getMap("map").set("phantom", "never written")
  return Y.encodeStateAsUpdate(doc)
})()

const planted: readonly Planted[] = [
  {
    bug: "the store says done before the disk is",
    caughtBy: ["nothing-unlogged-seen", "no-acked-write-lost", "vector-honesty"],
    parts() {
      const foresight = new WeakMap<Store, Foresight>()
      const wrapStore = storeThat((store, batch, done) => {
        const oracle = foresight.get(store) ?? new Foresight(store)
        foresight.set(store, oracle)
        const result = oracle.answer(batch)
        store.read({ type: "origin", origin: store.opened.origin, fromSeq: 1, bytesMax: 0 }, () =>
          done(result),
        )
        store.append(batch, () => undefined)
      })
      return { ...realParts, wrapStore }
    },
  },
  {
    bug: "a node acks an update when it arrives",
    caughtBy: ["no-acked-write-lost"],
    parts: () =>
      nodesThat((effects, input, doors) => {
        if (input.type !== "frame" || doors.get(input.connection) !== "native") return effects
        if (input.frame[0] !== 5) return effects
        let message: ReturnType<typeof decodeClientMessage>
        try {
          message = decodeClientMessage(input.frame)
        } catch {
          return effects
        }
        if (message.type !== "update") return effects
        const seq = message.seq + message.updates.length - 1
        const frame = encodeAck({ type: "ack", tier: "node", seq, marks: [] })
        return [{ type: "send", to: [input.connection], frames: [frame] }, ...effects]
      }),
  },
  {
    bug: "adopted entries are dropped on the way to the disk",
    caughtBy: ["vector-honesty", "nothing-unlogged-seen"],
    parts() {
      const foresight = new WeakMap<Store, Foresight>()
      const wrapStore = storeThat((store, batch, done) => {
        const oracle = foresight.get(store) ?? new Foresight(store)
        foresight.set(store, oracle)
        const result = oracle.answer(batch)
        store.append({ own: batch.own, adopted: [] }, (real) => done(real.ok ? result : real))
      })
      return { ...realParts, wrapStore }
    },
  },
  {
    bug: "vectors are one ahead",
    caughtBy: ["vector-honesty"],
    parts: () =>
      framesThat("link", (frame) => {
        const message = decodeLinkMessage(frame)
        if (message.type !== "vector") return frame
        const heads = new Map([...message.heads].map(([o, h]) => [o, { ...h, seq: h.seq + 1 }]))
        return encodeLinkVector({ type: "vector", heads })
      }),
  },
  {
    bug: "a peer is sent another record under a known name",
    caughtBy: ["no-fork"],
    parts: () =>
      framesThat("link", (frame) => {
        const message = decodeLinkMessage(frame)
        if (message.type !== "entries") return frame
        const records = message.run.records.map((record) => {
          const fields = decodeRecord(record)
          return encodeRecord({ ...fields, atMs: fields.atMs + 1 })
        })
        return encodeLinkEntries({ ...message, run: { ...message.run, records } })
      }),
  },
  {
    bug: "deletions are left out of what clients are sent",
    caughtBy: ["resume-honesty"],
    parts: () =>
      framesThat("native", (frame) => {
        const message = decodeNodeMessage(frame)
        if (message.type !== "updates") return frame
        const updates = message.updates.map(withoutDeletions)
        return encodeUpdates({ ...message, updates })
      }),
  },
  {
    bug: "every seventh live frame to clients is lost",
    caughtBy: ["resume-honesty"],
    parts() {
      const lose = every(7)
      return framesThat("native", (frame) => {
        const message = decodeNodeMessage(frame)
        if (message.type !== "updates" || message.complete) return frame
        return lose() ? undefined : frame
      })
    },
  },
  {
    bug: "a disk forgets the end of its log when the node dies",
    caughtBy: ["no-acked-write-lost"],
    parts: () => ({
      ...realParts,
      reopenLog(log) {
        const { seq } = log.head(log.origin)
        const shorter = new MemoryLog(log.origin)
        for (const [origin, head] of log.heads()) {
          if (head.seq === 0) continue
          const { run } = log.readOrigin(origin, 1, Infinity)
          const kept = origin === log.origin ? run.records.slice(0, seq - 1) : run.records
          shorter.appendRun({ ...run, records: kept })
        }
        return shorter
      },
    }),
  },
  {
    bug: "a batch is logged twice",
    caughtBy: ["logged-once"],
    parts: () => ({
      ...realParts,
      wrapStore: storeThat((store, batch, done) =>
        store.append({ ...batch, own: [...batch.own, ...batch.own] }, done),
      ),
    }),
  },
  {
    bug: "a node logs what nobody wrote",
    caughtBy: ["no-phantom"],
    parts: () => ({
      ...realParts,
      wrapStore: storeThat((store, batch, done) => {
        const own = batch.own.map((record) => {
          const fields = decodeRecord(record)
          const isYjs = fields.document.startsWith("yjs:")
          return isYjs ? encodeRecord({ ...fields, body: anyUpdate }) : record
        })
        store.append({ ...batch, own }, done)
      }),
    }),
  },
  {
    bug: "a node refuses good updates for good",
    caughtBy: ["honest-client-refused"],
    parts: () =>
      framesThat("native", (frame) => {
        const message = decodeNodeMessage(frame)
        if (message.type !== "ack" || message.seq < 5) return frame
        return encodeReject({ type: "reject", seq: 5, code: "invalid-update", message: "planted" })
      }),
  },
  {
    bug: "a node dials each peer once and never again",
    caughtBy: ["liveness", "convergence"],
    parts() {
      const dialled = new Map<string, number>()
      return nodesThat((effects) =>
        effects.filter((effect) => {
          if (effect.type !== "dial") return true
          const count = (dialled.get(effect.address) ?? 0) + 1
          dialled.set(effect.address, count)
          return count <= 2
        }),
      )
    },
  },
  {
    bug: "a client connects once and never again",
    caughtBy: ["liveness"],
    parts() {
      const connected = new Map<number, number>()
      return clientsThat((effects) =>
        effects.filter((effect) => {
          if (effect.type !== "connect") return true
          connected.set(effect.socket, (connected.get(effect.socket) ?? 0) + 1)
          return effect.socket === 1
        }),
      )
    },
  },
  {
    bug: "a client's resume point moves without its updates",
    caughtBy: ["resume-honesty"],
    parts() {
      const lose = every(5)
      return clientsThat((effects) =>
        effects.map((effect) =>
          effect.type === "deliver" && effect.updates.length > 0 && lose()
            ? { ...effect, updates: [] }
            : effect,
        ),
      )
    },
  },
  {
    bug: "a client forgets an update it has not sent yet",
    caughtBy: ["no-write-lost"],
    parts() {
      const lose = every(9)
      return clientsThat(
        (effects) => effects,
        (input) => input.type === "local-update" && lose(),
      )
    },
  },
  {
    bug: "a core asks to be woken at once, always",
    caughtBy: ["liveness"],
    parts: () => ({
      ...realParts,
      makeNode(config, nowMs) {
        const core = realParts.makeNode(config, nowMs)
        return {
          status: () => core.status(),
          nextDeadline: () => ({ atMs: nowMs, reason: "planted" }),
          step: (input, atMs, effects) => core.step(input, atMs, effects),
        }
      },
    }),
  },
]

function withoutDeletions(update: Uint8Array): Uint8Array {
  try {
    const { ds } = Y.decodeUpdate(update)
    if (ds.clients.size === 0) return update
    // Only deletions: nothing is left. Otherwise the delete set at the end is replaced.
    const empty = Uint8Array.of(0, 0)
    const { structs } = Y.decodeUpdate(update)
    return structs.length === 0 ? empty : update
  } catch {
    return update
  }
}

describe("the simulator notices", () => {
  test.each(planted)("$bug", ({ caughtBy, parts }) => {
    for (let seed = 1; seed <= seedsMax; seed++) {
      const faults = ["crash", "client-move", "isolate"]
      const size = { nodes: 3, clients: 4, stockClients: 1, seconds: 15, writesPerSecond: 8 }
      const { failure } = runToEnd({ seed, ...size, faults }, builtIn, parts())
      if (failure === undefined) continue
      expect(caughtBy, `seed ${seed}: ${failure.message}`).toContain(failure.invariant)
      return
    }
    expect.fail(`not noticed in ${seedsMax} seeds`)
  })

  test("and says nothing where nothing is planted", () => {
    for (let seed = 1; seed <= seedsMax; seed++) {
      const faults = ["crash", "client-move", "isolate"]
      const size = { nodes: 3, clients: 4, stockClients: 1, seconds: 15, writesPerSecond: 8 }
      expect(runToEnd({ seed, ...size, faults }).failure).toBeUndefined()
    }
  })
})
