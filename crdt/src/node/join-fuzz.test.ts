/**
 * Sessions that join, write, fall behind, leave and come back while answers of the store, jobs
 * and frames arrive in any order. In the end everybody who is live holds the merged log, and what
 * was acked is in it. Rules [N4] [N13] and [Y3], whatever the interleaving.
 */
import fc from "fast-check"
import { expect, test } from "vitest"
import * as Y from "yjs"
import { bodyOf } from "../log/index.ts"
import { documentNamed, engines, World } from "./test/harness.ts"
import type { TestNode } from "./test/harness.ts"
import { NativeReplica, StockReplica } from "./test/replicas.ts"
import type { Replica } from "./test/replicas.ts"

const notes = documentNamed("notes")

type Step = { readonly kind: number; readonly who: number; readonly value: number }

const steps = fc.array(
  fc.record({ kind: fc.nat({ max: 15 }), who: fc.nat({ max: 5 }), value: fc.nat({ max: 99 }) }),
  { minLength: 10, maxLength: 120 },
)

const failures = [undefined, undefined, "store-failed"] as const

function stateOf(node: TestNode): Uint8Array {
  const entries = node.store.log.readDocument(notes).entries
  return engines.yjs.merge(entries.map(({ record }) => bodyOf(record)))
}

class Run {
  readonly world = new World()
  readonly nodes = [this.world.node("n1", { peers: ["n2"] }), this.world.node("n2")] as const
  readonly replicas: Replica[] = []

  node(value: number): TestNode {
    return this.nodes[value % 4 === 0 ? 1 : 0]
  }

  step({ kind, who, value }: Step): void {
    const { replicas } = this
    const replica = replicas[who % Math.max(1, replicas.length)]
    if (kind <= 1 && replicas.length < 6) this.join(kind, value)
    else if (kind <= 4) replica?.edit(value)
    else if (kind === 5) replica?.congested()
    else if (kind === 6) replica?.drained()
    else if (kind === 7) replica?.reconnect(this.node(value), value)
    else if (kind === 8) replica?.resend()
    else this.stepWorld(kind, value)
  }

  stepWorld(kind: number, value: number): void {
    if (kind === 9) this.world.pass(value * 2)
    else if (kind === 10) this.nodes[0].store.appendFailure = failures[value % 3]
    else for (let count = 0; count <= value % 7; count++) this.act(value + count * 31)
  }

  join(kind: number, value: number): void {
    const index = this.replicas.length + 1
    const node = this.node(value)
    const isNative = kind === 0
    this.replicas.push(
      isNative
        ? new NativeReplica(node, notes, index, value)
        : new StockReplica(node, notes, index),
    )
  }

  /** Any of what could happen next. */
  act(choice: number): void {
    const actions = this.world.actions()
    actions[choice % Math.max(1, actions.length)]?.()
  }

  finish(): void {
    for (const { store } of this.nodes) store.appendFailure = undefined
    for (const replica of this.replicas) replica.drained()
    this.world.advance(6000)
    for (const replica of this.replicas) replica.resend()
    this.world.advance(7000)
    for (const replica of this.replicas) if (!replica.isLive) replica.reconnect(this.nodes[0], 1)
    this.world.advance(7000)
  }
}

function contentOf(doc: Y.Doc): unknown {
  return { map: doc.getMap("map").toJSON(), text: doc.getText("text").toJSON() }
}

test("[N4] [N13] [Y3] [D2] who joins, lags or comes back while commits run misses nothing", () => {
  fc.assert(
    fc.property(steps, (script) => {
      const run = new Run()
      for (const step of script) run.step(step)
      run.finish()
      const [first, second] = run.nodes.map(stateOf)
      const merged = new Y.Doc()
      Y.applyUpdate(merged, first ?? new Uint8Array())
      const wanted = contentOf(merged)
      for (const replica of run.replicas) {
        expect(replica.isLive).toBe(true)
        expect(contentOf(replica.doc)).toEqual(wanted)
        expect(replica.unacked).toBe(0)
      }
      const digests = [first, second].map((state) => engines.yjs.digest(state ?? new Uint8Array()))
      expect(digests[1]).toEqual(digests[0])
    }),
    { numRuns: 150 },
  )
})
