import fc from "fast-check"
import { expect, test } from "vitest"
import {
  documentIdOf,
  engineNames,
  engineOfTag,
  engineTags,
  generationOf,
  nodeOfOrigin,
  originOf,
  parseClientId,
  parseDocumentId,
  parseNodeId,
  parseOriginId,
  partsOfDocumentId,
} from "./ids.ts"
import { limits } from "./limits.ts"

test.each(["a", "Lisbon_1.b-2", "x".repeat(64)])("%j is a node id", (text) => {
  expect(parseNodeId(text)).toBe(text)
})

test.each(["", "x".repeat(65), "a b", "a@b", "a/b", "ä", "a\n", "\na"])("%j is none", (text) => {
  expect(parseNodeId(text)).toBeUndefined()
})

test("an origin is a node and an epoch, and gives its node back", () => {
  const node = parseNodeId("lisbon-1")
  expect(node).toBeDefined()
  const origin = node && originOf(node, "00ff00ff00ff00ff")
  expect(origin).toBe("lisbon-1@00ff00ff00ff00ff")
  expect(origin && nodeOfOrigin(origin)).toBe(node)
})

test.each([
  "lisbon",
  "lisbon@",
  "@00ff00ff00ff00ff",
  "lisbon@00FF00FF00FF00FF",
  "lisbon@00ff00ff00ff00f",
  "lisbon@00ff00ff00ff00ff0",
  "a@b@00ff00ff00ff00ff",
  "lisbon@00ff00ff00ff00ff\n",
])("%j is no origin", (text) => {
  expect(parseOriginId(text)).toBeUndefined()
})

test.each([
  ["0".repeat(32), true],
  ["0123456789abcdef".repeat(2), true],
  ["0".repeat(31), false],
  ["0".repeat(33), false],
  ["0".repeat(34), false],
  ["A".repeat(32), false],
  ["", false],
])("%j as a client id: %s", (text, valid) => {
  expect(parseClientId(text)).toBe(valid ? text : undefined)
})

test("tags and engines are one to one, and unknown tags are none", () => {
  for (const name of engineNames) expect(engineOfTag(engineTags[name])).toBe(name)
  expect([0, 3, 255].map(engineOfTag)).toEqual([undefined, undefined, undefined])
})

test("a document id gives engine and name back, colons in the name included", () => {
  const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(fc.constantFrom(...engineNames), name, (engine, text) => {
      const document = documentIdOf(engine, text)
      const parts = { engine, name: text, generation: 1 }
      expect(document && partsOfDocumentId(document)).toEqual(parts)
    }),
  )
})

test("a document's name is 1 to the limit's bytes of UTF-8", () => {
  const max = limits.documentNameBytesMax
  expect(documentIdOf("yjs", "")).toBeUndefined()
  expect(documentIdOf("yjs", "x".repeat(max))).toBeDefined()
  expect(documentIdOf("yjs", "x".repeat(max + 1))).toBeUndefined()
  expect(documentIdOf("yjs", "ä".repeat(max / 2))).toBeDefined()
  expect(documentIdOf("yjs", `${"ä".repeat(max / 2)}x`)).toBeUndefined()
})

test("a name that has no UTF-8 form is no name", () => {
  expect(documentIdOf("yjs", "a\ud800")).toBeUndefined()
})

test("[R1] each generation of a name is a document of its own", () => {
  const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 })
  const generation = fc.integer({ min: 1, max: limits.generationMax })
  fc.assert(
    fc.property(fc.constantFrom(...engineNames), name, generation, (engine, text, number) => {
      const first = documentIdOf(engine, text)
      if (first === undefined) throw new TypeError("a document")
      const document = generationOf(first, number)
      expect(partsOfDocumentId(document)).toEqual({ engine, name: text, generation: number })
      expect(parseDocumentId(document)).toBe(document)
      expect(generationOf(document, 1)).toBe(first)
      expect(document === generationOf(document, 1)).toBe(number === 1)
    }),
  )
})

test("[R1] generations are whole numbers from 1 to the limit", () => {
  const generations = [0, -1, 1.5, NaN, limits.generationMax + 1]
  for (const generation of generations) {
    expect(parseDocumentId(`yjs~${generation}:a`)).toBeUndefined()
  }
  expect(parseDocumentId(`yjs~${limits.generationMax}:a`)).toBe("yjs~65536:a")
})

test.each(["", "a", "yjs", "word:a", "yjs:", "yjs~1:a", "yjs~02:a", "yjs~x:a", "yjs~65537:a"])(
  "%j names no document",
  (text) => {
    expect(parseDocumentId(text)).toBeUndefined()
  },
)
