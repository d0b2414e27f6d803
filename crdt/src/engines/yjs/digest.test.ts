import fc from "fast-check"
import { describe, expect, test } from "vitest"
import * as Y from "yjs"
import { EngineError } from "../engine.ts"
import { yjsEngine } from "./index.ts"
import { anySteps, play } from "./test/history.ts"

const seed = 20_250_105

function client(id: number, gc = true): Y.Doc {
  const document = new Y.Doc({ guid: "digest", gc })
  document.clientID = id
  return document
}

function stateOf(document: Y.Doc): Uint8Array {
  return Y.encodeStateAsUpdate(document)
}

function sync(left: Y.Doc, right: Y.Doc): void {
  Y.applyUpdate(right, Y.encodeStateAsUpdate(left, Y.encodeStateVector(right)))
  Y.applyUpdate(left, Y.encodeStateAsUpdate(right, Y.encodeStateVector(left)))
}

function digestsOf(...documents: readonly Y.Doc[]): Uint8Array[] {
  return documents.map((document) => yjsEngine.digest(stateOf(document)))
}

describe("equal state vectors, different content", () => {
  test("a client id used by two", () => {
    const [left, right] = [client(1), client(1)]
    left.getText("t").insert(0, "AAAA")
    right.getText("t").insert(0, "BBBB")
    sync(left, right)
    expect(left.getText("t").toString()).not.toBe(right.getText("t").toString())
    expect(Y.encodeStateVector(left)).toEqual(Y.encodeStateVector(right))
    expect(Y.equalSnapshots(Y.snapshot(left), Y.snapshot(right))).toBe(true)
    const [one, other] = digestsOf(left, right)
    expect(one).not.toEqual(other)
  })

  test("deleted and not deleted", () => {
    const [left, right] = [client(1), client(2)]
    left.getText("t").insert(0, "hello")
    sync(left, right)
    right.getText("t").delete(0, 2)
    expect(Y.encodeStateVector(left)).toEqual(Y.encodeStateVector(right))
    const [one, other] = digestsOf(left, right)
    expect(one).not.toEqual(other)
  })

  test("a surrogate pair split by a format that sends no update", () => {
    const left = client(1)
    left.getText("t").insert(0, "x😀y")
    const before = client(2)
    sync(left, before)
    let sent = 0
    left.on("update", () => (sent += 1))
    left.getText("t").format(0, 2, { bold: null })
    const after = client(3)
    Y.applyUpdate(after, stateOf(left))
    expect(sent).toBe(0)
    expect(Y.equalSnapshots(Y.snapshot(before), Y.snapshot(after))).toBe(true)
    expect([before, after].map((document) => document.getText("t").toString())).toEqual([
      "x😀y",
      "x\uFFFD\uFFFDy",
    ])
    const [one, other] = digestsOf(before, after)
    expect(one).not.toEqual(other)
  })

  test.each([
    ["a key", (document: Y.Doc) => document.getMap("r").set("k", 1)],
    ["another key", (document: Y.Doc) => document.getMap("r").set("l", 1)],
    ["another root", (document: Y.Doc) => document.getMap("s").set("k", 1)],
    ["another value", (document: Y.Doc) => document.getMap("r").set("k", 2)],
    ["a value of another type", (document: Y.Doc) => document.getMap("r").set("k", "1")],
    ["a list", (document: Y.Doc) => document.getArray("r").push([1])],
    ["a text", (document: Y.Doc) => document.getText("r").insert(0, "1")],
    ["bytes", (document: Y.Doc) => document.getArray("r").push([Uint8Array.of(1)])],
    ["a nested map", (document: Y.Doc) => document.getArray("r").push([new Y.Map()])],
    ["a nested array", (document: Y.Doc) => document.getArray("r").push([new Y.Array()])],
    ["an element", (document: Y.Doc) => document.getXmlFragment("r").push([new Y.XmlElement("p")])],
    ["its name", (document: Y.Doc) => document.getXmlFragment("r").push([new Y.XmlElement("q")])],
    ["an embed", (document: Y.Doc) => document.getText("r").insertEmbed(0, { a: 1 })],
    ["its content", (document: Y.Doc) => document.getText("r").insertEmbed(0, { a: 2 })],
    ["a subdocument", (document: Y.Doc) => document.getArray("r").push([new Y.Doc({ guid: "a" })])],
    ["its guid", (document: Y.Doc) => document.getArray("r").push([new Y.Doc({ guid: "b" })])],
  ])("one operation of many kinds: %s", (name, edit) => {
    const document = client(1)
    edit(document)
    const [digest] = digestsOf(document)
    const key = Array.from(digest ?? []).join()
    expect(seen.get(key)).toBeUndefined()
    seen.set(key, name)
  })
  const seen = new Map<string, string>()
})

test("equal text, but placed by other neighbours, where later edits would part", () => {
  // Client 2 writes "z" after (1, 0); client 1 writes "a", "b" and "c", each after what is said.
  const placed = (b: string, c: string) => {
    const clientOne = `0301 00 04 0101 72 01 61 ${b} 01 62 ${c} 01 63`
    const hex = `02 01 02 00 84 01 00 01 7a ${clientOne} 00`
    return Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"))
  }
  const variants = [
    placed("84 01 00", "84 01 01"),
    placed("84 01 00", "84 01 00"),
    placed("c4 01 00 02 00", "84 01 01"),
    placed("c4 01 00 02 00", "c4 01 01 02 00"),
    placed("44 01 00", "84 01 01"),
  ]
  const digests = variants.map((update) => Array.from(yjsEngine.digest(update)).join())
  expect(new Set(digests).size).toBe(variants.length)
})

describe("equal content, different bytes", () => {
  test("replicas with and without garbage collection, and with an undo manager", () => {
    let different = 0
    const property = fc.property(anySteps, (steps) => {
      const { updates, clients } = play(steps)
      // More than once: a client that gets formats from others may delete those that do nothing.
      for (let round = 0; round < 3; round++) {
        for (const one of clients) for (const other of clients) one.bringUpToDate(other)
      }
      const states = clients.map(({ document }) => stateOf(document))
      const whole = yjsEngine.merge([...updates, ...states])
      const digests = [...states, whole].map((state) => yjsEngine.digest(state))
      for (const digest of digests) expect(digest).toEqual(digests[0])
      if (states.some((state) => state.length !== states[0]?.length)) different += 1
    })
    fc.assert(property, { seed, numRuns: 150 })
    expect(different).toBeGreaterThan(30)
  })

  test("an object's keys in another order", () => {
    const digests = [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ].map((value) => {
      const document = client(1)
      document.getArray("r").push([value])
      return yjsEngine.digest(stateOf(document))
    })
    expect(digests[0]).toEqual(digests[1])
  })

  test("structs cut elsewhere, around one that was deleted", () => {
    const whole = client(1)
    whole.getText("t").insert(0, "abcdef")
    const cut = client(1, false)
    for (const [index, letter] of Array.from("abcdef").entries()) {
      cut.getText("t").insert(index, letter)
    }
    for (const document of [whole, cut]) document.getText("t").delete(2, 2)
    expect(digestsOf(whole, cut)[0]).toEqual(digestsOf(whole, cut)[1])
  })
})

test("no digest while a predecessor is missing, be it only of a deletion", () => {
  const document = client(1)
  const updates: Uint8Array[] = []
  document.on("update", (update: Uint8Array) => updates.push(update))
  document.getText("t").insert(0, "a")
  document.getText("t").insert(1, "b")
  document.getText("t").delete(0, 2)
  const [first = yjsEngine.empty, second = yjsEngine.empty, third = yjsEngine.empty] = updates
  for (const parts of [[second], [third], [first, third]]) {
    expect(() => yjsEngine.digest(yjsEngine.merge(parts))).toThrow(EngineError)
    expect(yjsEngine.frontier(yjsEngine.merge(parts)).pendingBytes).toBeGreaterThan(0)
  }
  expect(yjsEngine.digest(yjsEngine.merge([first, second, third]))).toHaveLength(32)
})

test("golden digest: other nodes may run another version", () => {
  const document = client(77)
  document.getText("t").insert(0, "héllo 😀")
  document.getText("t").format(0, 2, { bold: true })
  document.getText("t").delete(1, 1)
  document.getMap("m").set("k", [1, -0, 1.5, null, { b: 1, a: "x" }, Uint8Array.of(7)])
  document.getXmlFragment("x").push([new Y.XmlElement("p"), new Y.XmlText("deep")])
  const digest = yjsEngine.digest(stateOf(document))
  expect(Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("")).toBe(
    "ad61a1313e1e89bb981de602d45e83cc625a08e0e995ccb305b1d3d2e35fe0dc",
  )
})
