/**
 * Random Yjs histories: three clients (one of which never collects garbage, one of which undoes)
 * edit text with formats and embeds, maps, arrays, nested types and XML, and sync now and then.
 * All edits of text fall on code points: a format that ends inside one makes Yjs itself diverge,
 * which has its own test.
 */
import fc from "fast-check"
import * as Y from "yjs"

export type Step = {
  readonly client: number
  readonly kind: number
  readonly at: number
  readonly value: number
  /** Another client to bring up to date afterwards, if it is one. */
  readonly sync: number
}

const clientIds = [7, 4_000_000_001, 300_000] as const
const texts = ["a", "hello", "😀", "é日本", " x"] as const
const keys = ["k", "long key", "__proto__", ""] as const

/** Made anew each time, as Yjs keeps what it is given. */
function plainValue(choice: number): unknown {
  const values = [
    1,
    -0,
    2 ** 40,
    1.5,
    "s😀",
    null,
    true,
    [1, { nested: [] }],
    { b: 1, a: { z: null } },
    Uint8Array.of(1, 2, 3),
    { big: 123n },
    Number.NaN,
  ]
  return values[choice % values.length]
}

function sharedValue(choice: number): Y.AbstractType<unknown> {
  const values = [
    () => new Y.Map([["inner", 1]]),
    () => Y.Array.from([1, "two"]),
    () => new Y.Text("nested"),
  ]
  // cast: YEvent types of the classes differ, which does not matter for inserting them
  return (values[choice % values.length] ?? values[0])?.() as Y.AbstractType<unknown>
}

/** Where code points start in a text, as many as the text's clock can be cut at. */
function cuts(text: Y.Text): number[] {
  const found: number[] = []
  let index = 0
  for (const { insert } of text.toDelta() as readonly {
    insert: unknown
  }[] /* cast: Yjs' deltas */) {
    if (typeof insert !== "string") {
      found.push(index)
      index += 1
      continue
    }
    for (const character of insert) {
      found.push(index)
      index += character.length
    }
  }
  found.push(index)
  return found
}

function range(text: Y.Text, step: Step): { from: number; length: number } {
  const at = cuts(text)
  const first = step.at % at.length
  const last = Math.min(at.length - 1, first + 1 + (step.value % 4))
  const from = at[first] ?? 0
  return { from, length: (at[last] ?? from) - from }
}

export class Client {
  readonly document: Y.Doc
  readonly undo: Y.UndoManager | undefined

  constructor(id: number, options: { gc: boolean; undo: boolean }, log: Uint8Array[]) {
    this.document = new Y.Doc({ guid: "history", gc: options.gc })
    this.document.clientID = id
    this.document.on("update", (update: Uint8Array, origin: unknown) => {
      if (origin !== "remote") log.push(update)
    })
    if (!options.undo) return
    const scope = [this.document.getText("text"), this.document.getMap("map")]
    // A capture timeout of 0 makes each edit one step, whatever the clock says.
    this.undo = new Y.UndoManager(scope, { captureTimeout: 0 })
  }

  edit(step: Step): void {
    edits[step.kind % edits.length]?.(this, step)
  }

  bringUpToDate(other: Client): void {
    const lacked = Y.encodeStateVector(other.document)
    Y.applyUpdate(other.document, Y.encodeStateAsUpdate(this.document, lacked), "remote")
  }
}

type Edit = (client: Client, step: Step) => void

const edits: readonly Edit[] = [
  ({ document }, step) => {
    const text = document.getText("text")
    text.insert(range(text, step).from, texts[step.value % texts.length] ?? "a")
  },
  ({ document }, step) => {
    const text = document.getText("text")
    const { from, length } = range(text, step)
    if (length > 0) text.delete(from, length)
  },
  ({ document }, step) => {
    const text = document.getText("text")
    const { from, length } = range(text, step)
    const value = [true, null, { size: 1 }][step.value % 3]
    if (length > 0) text.format(from, length, { [step.value % 2 === 0 ? "bold" : "mark"]: value })
  },
  ({ document }, step) => {
    const text = document.getText("text")
    text.insertEmbed(range(text, step).from, { image: step.value })
  },
  ({ document }, step) => {
    document.getMap("map").set(keys[step.at % keys.length] ?? "k", plainValue(step.value))
  },
  ({ document }, step) => document.getMap("map").delete(keys[step.at % keys.length] ?? "k"),
  ({ document }, step) => {
    document.getMap("map").set(step.at % 2 === 0 ? "k" : "nested", sharedValue(step.value))
  },
  ({ document }, step) => {
    const nested = document.getMap("map").get("nested")
    if (nested instanceof Y.Text) {
      nested.insert(0, "in")
      nested.format(0, 1, { bold: true })
    } else if (nested instanceof Y.Array) nested.push([plainValue(step.value)])
    else if (nested instanceof Y.Map) nested.set("z", sharedValue(step.value))
  },
  ({ document }, step) => {
    const array = document.getArray("array")
    const values = [plainValue(step.value), plainValue(step.value + 1)]
    array.insert(step.at % (array.length + 1), values)
  },
  ({ document }, step) => {
    const array = document.getArray("array")
    array.insert(step.at % (array.length + 1), [sharedValue(step.value)])
  },
  ({ document }, step) => {
    const array = document.getArray("array")
    if (array.length > 0) array.delete(step.at % array.length, 1)
  },
  ({ document }, step) => {
    const fragment = document.getXmlFragment("xml")
    const nodes = [new Y.XmlElement("p"), new Y.XmlText("xml"), new Y.XmlHook("hook")]
    // cast: Yjs' types leave hooks out of what a fragment holds, its code does not
    const node = nodes[step.value % nodes.length] as Y.XmlElement | undefined
    if (node !== undefined) fragment.insert(step.at % (fragment.length + 1), [node])
  },
  ({ document }, step) => {
    const fragment = document.getXmlFragment("xml")
    if (fragment.length === 0) return
    const node: unknown = fragment.get(step.at % fragment.length)
    if (node instanceof Y.XmlElement) {
      node.setAttribute("class", `c${step.value}`)
      node.insert(0, [new Y.XmlText("deep")])
    } else if (node instanceof Y.XmlText) node.insert(0, "more ", { em: {} })
  },
  ({ document }, step) => {
    const fragment = document.getXmlFragment("xml")
    if (fragment.length > 0) fragment.delete(step.at % fragment.length, 1)
  },
  ({ document }, step) => {
    document.getMap("map").set("subdocument", new Y.Doc({ guid: `sub ${step.value}` }))
  },
  ({ undo }) => undo?.undo(),
  ({ undo }) => undo?.redo(),
]

/** The updates that the clients would have sent, each after those it rests on. */
export function play(steps: readonly Step[]): { updates: Uint8Array[]; clients: Client[] } {
  const updates: Uint8Array[] = []
  const clients = clientIds.map(
    (id, index) => new Client(id, { gc: index !== 1, undo: index === 2 }, updates),
  )
  for (const step of steps) {
    const client = clients[step.client]
    client?.edit(step)
    const other = clients[step.sync]
    if (client !== undefined && other !== undefined && other !== client) client.bringUpToDate(other)
  }
  return { updates, clients }
}

const anyStep: fc.Arbitrary<Step> = fc.record({
  client: fc.nat(2),
  kind: fc.nat(edits.length - 1),
  at: fc.nat(30),
  value: fc.nat(11),
  sync: fc.nat(5),
})

export const anySteps: fc.Arbitrary<Step[]> = fc.array(anyStep, {
  minLength: 1,
  maxLength: 50,
  size: "max",
})

/** The history of such a session: what each client sent. */
export const anyUpdates: fc.Arbitrary<Uint8Array[]> = anySteps.map((steps) => play(steps).updates)
