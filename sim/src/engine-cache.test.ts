import * as A from "@automerge/automerge"
import { expect, test } from "vitest"
import { bytesConcat } from "@causeway/crdt/base"
import { EngineError } from "@causeway/crdt/engines"
import { automergeEngine } from "@causeway/crdt/engines/automerge"
import { engines } from "./engine-cache.ts"

function someChanges(): Uint8Array[] {
  let document = A.init<Record<string, string>>({ actor: "aa" })
  for (let index = 0; index < 60; index++) {
    document = A.change(document, { time: 0 }, (draft) => {
      draft[`key ${index}`] = "value ".repeat(index)
    })
  }
  const changes = A.getAllChanges(document)
  A.free(document)
  return changes
}

test("what is remembered is what the engine says", () => {
  const changes = someChanges()
  const [first, ...others] = changes
  const updates = [
    ...changes,
    bytesConcat(changes),
    bytesConcat(others),
    A.save(A.load(bytesConcat(changes))),
  ]
  expect(first).toBeDefined()
  for (const update of [...updates, ...updates]) {
    expect(engines.automerge.validate(update)).toEqual(automergeEngine.validate(update))
  }
})

test("what is no update is refused as the engine does, however long", () => {
  const whole = bytesConcat(someChanges())
  for (const bad of [
    whole.subarray(1),
    whole.subarray(0, -1),
    whole.with(whole.length - 5, 3),
    Uint8Array.of(1),
  ]) {
    expect(() => automergeEngine.validate(bad)).toThrow(EngineError)
    for (let time = 0; time < 2; time++) {
      expect(() => engines.automerge.validate(bad)).toThrow(EngineError)
    }
  }
})
