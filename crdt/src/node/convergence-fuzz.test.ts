/**
 * Random topologies, cuts (silent ones too), commits, crashes and failing disks, with frames and
 * answers in any order: once all can talk again every node holds every entry, and equal logs give
 * equal documents. Rules [L9] [L6] [D1].
 */
import fc from "fast-check"
import { expect, test } from "vitest"
import { limits } from "../base/index.ts"
import { bodyOf } from "../log/index.ts"
import { StockClient, YWriter } from "./test/clients.ts"
import { documentNamed, engines, must, World } from "./test/harness.ts"
import type { TestNode } from "./test/harness.ts"

const notes = documentNamed("notes")
const names = ["a", "b", "c", "d"]

type Step = {
  readonly kind: number
  readonly who: number
  readonly other: number
  readonly value: number
}

const scripts = fc.record({
  count: fc.integer({ min: 2, max: 4 }),
  /** Which pairs dial each other; the first node is dialled by all, so all can be reached. */
  dials: fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
  seed: fc.nat(),
  steps: fc.array(
    fc.record({
      kind: fc.nat({ max: 13 }),
      who: fc.nat({ max: 3 }),
      other: fc.nat({ max: 3 }),
      value: fc.nat({ max: 99 }),
    }),
    { maxLength: 80 },
  ),
})

type Script = typeof scripts extends fc.Arbitrary<infer Value> ? Value : never

class Cluster {
  readonly world: World
  readonly nodes: TestNode[]
  /** What was acked in the only way that stock clients see: shown to a reader of the same node. */
  #edits = 0

  constructor({ count, dials, seed }: Script) {
    this.world = new World(seed)
    const chosen = names.slice(0, count)
    this.nodes = chosen.map((name, from) => {
      const peers = chosen.filter(
        (_, to) => to !== from && (to === 0 || dials[from * 3 + (to % 3)]),
      )
      return this.world.node(name, { peers })
    })
  }

  at(index: number): TestNode {
    return must(this.nodes[index % this.nodes.length])
  }

  step({ kind, who, other, value }: Step): void {
    const { world } = this
    const [node, peer] = [this.at(who), this.at(other)]
    if (kind <= 2) this.edit(node)
    else if (kind === 3 && node !== peer) world.cut(node, peer, value % 3 === 0)
    else if (kind === 4) world.heal(node, peer)
    else if (kind === 5 && value % 3 === 0) node.crash(value % 2 === 0)
    else if (kind === 6) node.store.appendFailure = value % 2 === 0 ? "store-full" : undefined
    else if (kind === 7) world.pass(value * 20)
    else this.act(value)
  }

  /** Some of what could happen next. */
  act(value: number): void {
    for (let count = 0; count < value; count++) {
      const actions = this.world.actions()
      actions[(value * 7 + count * 13) % Math.max(1, actions.length)]?.()
    }
  }

  edit(node: TestNode): void {
    const client = new StockClient(node, "notes")
    client.update(new YWriter(++this.#edits).put(`k${this.#edits}`, this.#edits))
    client.update(new YWriter(++this.#edits).put("shared", this.#edits))
  }

  heal(): void {
    for (const node of this.nodes) {
      node.store.appendFailure = undefined
      for (const peer of this.nodes) this.world.heal(node, peer)
    }
    const rounds = limits.linkSilentMs + limits.linkBackoffMsMax + 3 * limits.linkWantMs
    this.world.advance(rounds)
  }
}

function headsOf(node: TestNode): unknown[] {
  return node.store.log.heads().filter(([, { seq }]) => seq > 0)
}

function digestOf(node: TestNode): Uint8Array {
  const bodies = node.store.log.readDocument(notes).entries.map(({ record }) => bodyOf(record))
  return engines.yjs.digest(engines.yjs.merge(bodies))
}

test("[L9] [L6] [D1] all nodes end with equal heads and equal documents", () => {
  fc.assert(
    fc.property(scripts, (script) => {
      const cluster = new Cluster(script)
      for (const step of script.steps) cluster.step(step)
      cluster.heal()
      const [first, ...others] = cluster.nodes
      for (const node of others) {
        expect(headsOf(node)).toEqual(headsOf(must(first)))
        expect(digestOf(node)).toEqual(digestOf(must(first)))
        expect(node.core.status().vector).toEqual(must(first).core.status().vector)
      }
      const forks = cluster.nodes.flatMap((node) => node.eventsOf("fork-detected"))
      expect(forks).toEqual([])
    }),
    { numRuns: 150 },
  )
})
