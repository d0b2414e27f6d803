/**
 * Random Automerge histories: three actors edit a map, a list, a text and a counter, nested
 * values too, and merge now and then. Actors and times are fixed, so one script always gives the
 * same bytes.
 */
import * as A from "@automerge/automerge"
import fc from "fast-check"

export type Root = {
  map: Record<string, unknown>
  list: unknown[]
  text: string
  counter: A.Counter
}

export type Step = {
  readonly actor: number
  readonly kind: number
  readonly at: number
  readonly value: number
  /** Another actor to bring up to date afterwards, if it is one. */
  readonly sync: number
}

const actors = ["aa", "bb", "cc"].map((byte) => byte.repeat(16))
const texts = ["a", "hello", "😀", "é日本", "long ".repeat(80)] as const
const keys = ["k", "long key", "__proto__ ", ""] as const

function plainValue(choice: number): unknown {
  const values = [1, -(2 ** 40), 1.5, "s😀", null, true, [1, [2]], { a: { b: [] } }]
  return choice % 10 < 8 ? values[choice % 10] : [Uint8Array.of(1, 2), new Date(choice)][choice % 2]
}

type Edit = (root: Root, step: Step) => void

const edits: readonly Edit[] = [
  (root, { at, value }) => {
    root.map[keys[at % keys.length] ?? "k"] = plainValue(value)
  },
  (root, { at }) => {
    delete root.map[keys[at % keys.length] ?? "k"]
  },
  (root, { at, value }) => {
    root.list.splice(at % (root.list.length + 1), 0, plainValue(value))
  },
  (root, { at }) => {
    if (root.list.length > 0) root.list.splice(at % root.list.length, 1)
  },
  (root, { at, value }) => {
    // Automerge counts a text in UTF-16 units and cuts at code points.
    const characters = Array.from(root.text)
    const from = characters.slice(0, at % (characters.length + 1)).join("").length
    A.splice(root, ["text"], from, 0, texts[value % texts.length])
  },
  (root, { at }) => {
    const characters = Array.from(root.text)
    if (characters.length === 0) return
    const first = at % characters.length
    const from = characters.slice(0, first).join("").length
    A.splice(root, ["text"], from, characters[first]?.length ?? 1)
  },
  (root, { value }) => root.counter.increment(value - 5),
  (root, { at, value }) => {
    root.list[at % (root.list.length + 1)] = { nested: plainValue(value) }
  },
]

/** The first change that all share. */
function start(): A.Doc<Root> {
  const root = { map: {}, list: [], text: "", counter: new A.Counter(1) }
  return A.change(A.init<Root>({ actor: "00" }), { time: 0 }, (draft) => {
    Object.assign(draft, root)
  })
}

/** The changes in the order they were made, and the documents that made them. */
export function play(steps: readonly Step[]): { updates: Uint8Array[]; documents: A.Doc<Root>[] } {
  const first = start()
  const updates = A.getAllChanges(first).map((chunk) => Uint8Array.from(chunk))
  const documents = actors.map((actor) => A.clone(first, { actor }))
  for (const step of steps) {
    const before = documents[step.actor]
    if (before === undefined) continue
    const heads = A.getHeads(before)
    const after = A.change(before, { time: 0 }, (draft) => edits[step.kind]?.(draft, step))
    updates.push(...A.getChangesSince(after, heads).map((chunk) => Uint8Array.from(chunk)))
    documents[step.actor] = after
    const other = documents[step.sync]
    if (other !== undefined && step.sync !== step.actor) {
      documents[step.sync] = A.merge(other, after)
    }
  }
  A.free(first)
  return { updates, documents }
}

const anyStep: fc.Arbitrary<Step> = fc.record({
  actor: fc.nat(2),
  kind: fc.nat(edits.length - 1),
  at: fc.nat(30),
  value: fc.nat(11),
  sync: fc.nat(5),
})

export const anySteps: fc.Arbitrary<Step[]> = fc.array(anyStep, {
  minLength: 1,
  maxLength: 20,
  size: "max",
})

/** The history of such a session. */
export const anyUpdates: fc.Arbitrary<Uint8Array[]> = anySteps.map((steps) => {
  const { updates, documents } = play(steps)
  for (const document of documents) A.free(document)
  return updates
})
