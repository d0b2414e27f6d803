/** The checks, each shown to fail on the loss it is there for, and to pass what is excused. */
import { beforeEach, describe, expect, test } from "vitest"
import { check } from "./checks.ts"
import type { Content } from "./checks.ts"
import { Ledger } from "./ledger.ts"
import type { DocumentName } from "./ledger.ts"

const note: DocumentName = { engine: "yjs", name: "note" }
const plan: DocumentName = { engine: "automerge", name: "plan" }

let ledger = new Ledger(() => 0)
beforeEach(() => {
  ledger = new Ledger(() => 0)
})

function yjs(...tokens: readonly string[]): Content {
  return { tokens: Object.fromEntries(tokens.map((token) => [token, true])), text: "same" }
}

type Shown = Readonly<Record<string, Content>>

function rulesBroken(
  nodes: Shown,
  { clients = {}, document = note, mayLackDeletions = false } = {},
): string[] {
  const showing = {
    document,
    nodes: new Map(Object.entries(nodes)),
    clients: new Map<string, Content>(Object.entries(clients)),
    mayLackDeletions,
  }
  return check(showing, ledger).map(({ rule }) => rule)
}

test("all that was written is everywhere: nothing is broken", () => {
  ledger.attempt("w1", note, "x")
  ledger.acked("w1", "node", "a")
  const shown = { a: yjs("w1"), b: yjs("w1") }
  expect(rulesBroken(shown, { clients: { x: yjs("w1") } })).toEqual([])
})

describe("a lost write", () => {
  beforeEach(() => ledger.attempt("w1", note, "x"))
  const nowhere = { a: yjs(), b: yjs() }

  test("that was acked", () => {
    ledger.acked("w1", "node", "a")
    expect(rulesBroken(nowhere)).toEqual(["acked-lost", "acked-lost"])
  })

  test("that one node lacks", () => {
    ledger.acked("w1", "node", "a")
    expect(rulesBroken({ a: yjs("w1"), b: yjs() })).toEqual(["acked-lost", "nodes-differ"])
  })

  test("that a reader saw", () => {
    ledger.seen("w1", "b")
    expect(rulesBroken(nowhere)).toEqual(["seen-lost", "seen-lost"])
  })

  test("that a living client holds", () => {
    ledger.holds("w1", "x")
    expect(rulesBroken(nowhere)).toEqual(["held-lost", "held-lost"])
    ledger.letGo("x", note)
    expect(rulesBroken(nowhere)).toEqual([])
  })

  test("that nobody was promised is no loss", () => {
    expect(rulesBroken(nowhere)).toEqual([])
  })

  test("of Automerge, whose tokens are keys of the root", () => {
    ledger.attempt("w2", plan, "x")
    ledger.acked("w2", "node", "a")
    const kept = { "token w2": true }
    expect(rulesBroken({ a: kept, b: kept }, { document: plan })).toEqual([])
    expect(rulesBroken({ a: {}, b: {} }, { document: plan })).toEqual(["acked-lost", "acked-lost"])
  })
})

describe("a lost disk", () => {
  const nowhere = { a: yjs() }
  beforeEach(() => {
    ledger.attempt("w1", note, "x")
    ledger.acked("w1", "node", "a")
  })

  test("excuses what it alone had", () => {
    ledger.diskLost("a")
    expect(rulesBroken(nowhere)).toEqual([])
  })

  test("excuses nothing that another disk has, be it only seen there", () => {
    ledger.seen("w1", "b")
    ledger.diskLost("a")
    expect(rulesBroken(nowhere)).toEqual(["acked-lost"])
  })

  test("excuses nothing that was in the copy that was put back", () => {
    const copy = ledger.copyOf("a")
    ledger.attempt("w2", note, "x")
    ledger.acked("w2", "node", "a")
    ledger.diskLost("a", copy)
    const found = rulesBroken(nowhere)
    expect(found).toEqual(["acked-lost"])
    expect(rulesBroken({ a: yjs("w1") })).toEqual([])
  })

  test("excuses nothing that a quorum acked, or that a client still holds", () => {
    ledger.acked("w1", "quorum", "a")
    ledger.diskLost("a")
    expect(rulesBroken(nowhere)).toEqual(["acked-lost"])
    ledger.attempt("w2", note, "y")
    ledger.holds("w2", "y")
    expect(rulesBroken(nowhere)).toEqual(["acked-lost", "held-lost"])
  })
})

describe("what is not the same", () => {
  beforeEach(() => ledger.attempt("w1", note, "x"))

  test("a write that nobody made, on a node and at a client", () => {
    const shown = { a: yjs("w1", "w9") }
    expect(rulesBroken(shown, { clients: { x: yjs("w1", "w9") } })).toEqual(["phantom", "phantom"])
  })

  test("nodes with the same tokens and another text", () => {
    const other = { ...yjs("w1"), text: "other" }
    expect(rulesBroken({ a: yjs("w1"), b: yjs("w1"), c: other })).toEqual(["nodes-differ"])
  })

  test("the order of keys is no difference", () => {
    const turned = { text: "same", tokens: { w1: true } }
    expect(rulesBroken({ a: yjs("w1"), b: turned })).toEqual([])
  })

  test("a client, but for deletions of Yjs that went with a disk", () => {
    const clients = { x: { ...yjs("w1"), text: "same, and what was deleted" } }
    const nodes = { a: yjs("w1") }
    expect(rulesBroken(nodes, { clients })).toEqual(["clients-differ"])
    expect(rulesBroken(nodes, { clients, mayLackDeletions: true })).toEqual([])
    const lacks = { clients: { x: yjs() }, mayLackDeletions: true }
    expect(rulesBroken(nodes, lacks)).toEqual(["clients-differ"])
  })
})
