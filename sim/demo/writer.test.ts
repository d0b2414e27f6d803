/** Two writers whose replicas exchange updates only when the test lets them. */
import { expect, onTestFinished, test } from "vitest"
import * as Y from "yjs"
import { Editor, holds, replayLocally, textName } from "./editor.ts"
import { Replay } from "./replay.ts"
import { loadTrace } from "./trace.ts"
import type { Transaction } from "./trace.ts"
import { until } from "./wait.ts"

const trace = loadTrace()
const start = { ...trace, transactions: trace.transactions.slice(0, 1500) }
const { signal } = new AbortController()

test("the trace is all there", () => {
  const { transactions, endContent } = trace
  expect(transactions).toHaveLength(26_078)
  expect(transactions.filter(({ agent }) => agent === 0)).toHaveLength(12_124)
  expect(endContent).toHaveLength(21_362)
})

test("a replica holds a transaction only with every insertion and deletion of it", () => {
  const editor = new Editor(0)
  const type = (position: number, deleted: number, text: string): Transaction => {
    return { index: 0, agent: 0, needs: 0, patches: [{ position, deleted, text }] }
  }
  const inserted = editor.type(type(0, 0, "abcdef"))
  const deleted = editor.type(type(1, 3, ""))
  const both = editor.type(type(0, 1, "x"))
  const replica = new Y.Doc()
  const seen = () => [inserted, deleted, both].map((typed) => holds(replica, typed))
  expect(seen()).toEqual([false, false, false])
  Y.applyUpdate(replica, inserted.update)
  expect(seen()).toEqual([true, false, false])
  replica.getText(textName).delete(1, 2)
  expect(seen()).toEqual([true, false, false])
  Y.applyUpdate(replica, deleted.update)
  expect(seen()).toEqual([true, true, false])
  Y.applyUpdate(replica, both.update)
  expect(seen()).toEqual([true, true, true])
})

test("writers stand still until they have received what the next transaction needs", async () => {
  const network = new Network()
  const replay = replayOn(network)
  replay.allow(start.transactions.length)
  const first = start.transactions.find(({ needs }) => needs > 0)
  if (first === undefined) throw new Error("nobody needs the other")
  // Up to there one types alone; the first that needs the other's comes from the other.
  const alone = start.transactions.filter(({ agent }) => agent !== first.agent)
  const stuckAt = alone.findIndex(({ needs }) => needs > 0)
  await until("the one types all it can", () => replay.written === stuckAt)
  expect(replay.writers.map(({ state }) => state.includes(" needs "))).toEqual([true, true])
  network.exchange()
  await until("they type on", () => replay.written > stuckAt)
})

test("whatever is received when, both replicas end at the text of a local replay", async () => {
  const network = new Network()
  const replay = replayOn(network)
  replay.allow(700)
  const exchange = setInterval(() => network.exchange(), 1)
  onTestFinished(() => clearInterval(exchange))
  await replay.reaches(700, 20_000, signal)
  expect(replay.written).toBe(700)
  replay.allow(start.transactions.length)
  await replay.reaches(start.transactions.length, 20_000, signal)
  network.exchange()
  const expected = replayLocally(start)
  expect(network.replicas.map((each) => each.getText(textName).toString())).toEqual([
    expected,
    expected,
  ])
})

function replayOn(network: Network): Replay {
  const replay = new Replay(start, network.replicas)
  onTestFinished(() => replay.stop())
  return replay
}

/** Passes on what each replica lacks as one merged update, as a node does after a reconnect. */
class Network {
  readonly replicas = [new Y.Doc(), new Y.Doc()] as const

  exchange(): void {
    const [left, right] = this.replicas
    Y.applyUpdate(left, Y.encodeStateAsUpdate(right, Y.encodeStateVector(left)))
    Y.applyUpdate(right, Y.encodeStateAsUpdate(left, Y.encodeStateVector(right)))
  }
}
