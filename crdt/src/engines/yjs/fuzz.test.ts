import fc from "fast-check"
import { expect, test } from "vitest"
import * as Y from "yjs"
import { EngineError, type EngineErrorCode } from "../engine.ts"
import { yjsEngine } from "./index.ts"
import { anySteps, play } from "./test/history.ts"

const seed = 20_250_104
/** Far more than any of these updates needs; a decoder that loops takes for ever. */
const millisecondsMax = 250

type Mutation = {
  readonly kind: "flip" | "cut" | "splice" | "set" | "drop"
  readonly at: number
  readonly value: number
}

const anyMutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom("flip", "flip", "cut", "splice", "set", "drop"),
  at: fc.nat(10_000),
  value: fc.nat(255),
})

function mutate(update: Uint8Array, other: Uint8Array, mutations: readonly Mutation[]): Uint8Array {
  let bytes = Array.from(update)
  for (const { kind, at, value } of mutations) {
    const index = at % (bytes.length + 1)
    if (kind === "flip") bytes[index] = (bytes[index] ?? 0) ^ (1 << (value % 8))
    else if (kind === "cut") bytes = bytes.slice(0, index)
    else if (kind === "drop") bytes.splice(index, 1)
    else if (kind === "set") bytes[index] = value
    else bytes.splice(index, value % 4, ...other.slice(value % 32, (value % 32) + (at % 12)))
  }
  return Uint8Array.from(bytes)
}

function accepted(update: Uint8Array): boolean {
  const start = performance.now()
  const valid = succeeds(() => yjsEngine.validate(update), "invalid-update")
  expect(performance.now() - start).toBeLessThan(millisecondsMax)
  return valid
}

/** False if it is refused for this reason; anything else that is thrown fails the test. */
function succeeds(run: () => unknown, code: EngineErrorCode): boolean {
  try {
    run()
    return true
  } catch (error) {
    if (error instanceof EngineError && error.code === code) return false
    throw error
  }
}

function loaded(update: Uint8Array): Y.Doc {
  const document = new Y.Doc({ guid: "fuzz" })
  document.clientID = -1
  Y.applyUpdate(document, update)
  return document
}

/** Everything the engine does with a state it has accepted. */
function useAll(state: Uint8Array): void {
  yjsEngine.validate(yjsEngine.compact(state))
  yjsEngine.validate(yjsEngine.difference(state, yjsEngine.emptySummary))
  yjsEngine.validateSummary(yjsEngine.summaryOf(state))
  yjsEngine.toJson(state)
  yjsEngine.includes(state, state)
  succeeds(() => yjsEngine.digest(state), "pending")
}

test("mutated updates are refused with EngineError, or can be applied, merged and read", () => {
  let taken = 0
  const manyMutations = fc.array(fc.array(anyMutation, { minLength: 1, maxLength: 3 }), {
    minLength: 60,
    maxLength: 60,
  })
  const strangerState = Y.encodeStateAsUpdate(stranger())
  const property = fc.property(anySteps, manyMutations, (steps, mutations) => {
    const { updates, clients } = play(steps)
    const states = clients.map(({ document }) => Y.encodeStateAsUpdate(document))
    const bases = [...updates, ...states]
    mutations.forEach((mutation, index) => {
      const base = bases[index % bases.length] ?? new Uint8Array()
      const mutant = mutate(base, bases[(index * 7) % bases.length] ?? base, mutation)
      if (!accepted(mutant)) return
      taken += 1
      loaded(mutant)
      Y.applyUpdate(loaded(strangerState), mutant)
      const merged = yjsEngine.merge([mutant, strangerState, base])
      yjsEngine.validate(merged)
      useAll(merged)
      useAll(mutant)
    })
  })
  fc.assert(property, { seed, numRuns: 60 })
  expect(taken).toBeGreaterThan(200)
})

/**
 * A document of another client. In a document with content under the mutant's own ids even Yjs'
 * own updates can throw: two contents under one id, of which the first is collected garbage.
 */
function stranger(): Y.Doc {
  const document = new Y.Doc({ guid: "stranger" })
  document.clientID = 3_999_999_937
  document.getText("text").insert(0, "a stranger's text")
  document.getMap("map").set("k", new Y.Map([["a", 1]]))
  document.getArray("array").push([1, new Y.Text("t"), 2])
  document.getText("text").delete(2, 3)
  return document
}

test("bytes that are no update at all", () => {
  const property = fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
    if (accepted(bytes)) loaded(bytes)
  })
  fc.assert(property, { seed, numRuns: 5000 })
})
