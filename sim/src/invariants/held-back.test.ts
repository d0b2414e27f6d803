/** What a log holds and can't show excuses itself, and nothing beside it. */
import * as Automerge from "@automerge/automerge"
import * as Y from "yjs"
import { expect, test } from "vitest"
import type { Engine } from "@causeway/crdt/engines"
import { automergeEngine } from "@causeway/crdt/engines/automerge"
import { yjsEngine } from "@causeway/crdt/engines/yjs"
import { Coverage, opsOf } from "../checkers/coverage.ts"
import type { Ops } from "../checkers/coverage.ts"
import { notHeldBack } from "./held-back.ts"

/** Three updates of one writer, each on the one before, and one of another. */
type Written = { readonly chain: readonly Uint8Array[]; readonly other: Uint8Array }

function writtenInYjs(): Written {
  const doc = new Y.Doc()
  doc.clientID = 1
  const chain: Uint8Array[] = []
  doc.on("update", (update: Uint8Array) => chain.push(update))
  const text = doc.getText("t")
  text.insert(0, "a")
  text.insert(1, "b")
  text.delete(1, 1)
  const another = new Y.Doc()
  another.clientID = 2
  another.getText("t").insert(0, "z")
  return { chain, other: Y.encodeStateAsUpdate(another) }
}

function writtenInAutomerge(): Written {
  const actor = (digit: string) => ({ actor: digit.repeat(32) })
  let doc = Automerge.init<Record<string, number>>(actor("1"))
  const chain = [1, 2, 3].map((value) => {
    doc = Automerge.change(doc, (draft) => void (draft["k"] = value))
    return Automerge.getLastLocalChange(doc) ?? new Uint8Array()
  })
  const another = Automerge.from<Record<string, number>>({ z: 1 }, actor("2"))
  return { chain, other: Automerge.getLastLocalChange(another) ?? new Uint8Array() }
}

const cases: readonly (readonly [Engine, () => Written])[] = [
  [yjsEngine, writtenInYjs],
  [automergeEngine, writtenInAutomerge],
]

function due(engine: Engine, logged: readonly Uint8Array[], asked: Uint8Array | undefined): Ops {
  const held = new Coverage()
  for (const update of logged) held.add(opsOf(engine, update))
  return notHeldBack(engine, logged, held, opsOf(engine, asked ?? new Uint8Array()))
}

const nothing: Ops = { added: [], deleted: [] }

test.each(cases.map(([engine, write]) => ({ name: engine.name, engine, write })))(
  "$name: only what waits in the log is excused",
  ({ engine, write }) => {
    const { chain, other } = write()
    const [first, second, third] = chain
    const log = [other, second, third].filter((update) => update !== undefined)
    expect(due(engine, log, second)).toEqual(nothing)
    expect(due(engine, log, third)).toEqual(nothing)
    expect(due(engine, log, other)).toEqual(opsOf(engine, other))
    // It is not in the log: nothing waits there for itself.
    expect(due(engine, log, first)).toEqual(opsOf(engine, first ?? other))
    for (const update of chain) {
      expect(due(engine, [...log, ...chain], update)).toEqual(opsOf(engine, update))
    }
  },
)
