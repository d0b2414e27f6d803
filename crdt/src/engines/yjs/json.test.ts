import { describe, expect, test } from "vitest"
import * as Y from "yjs"
import { Writer } from "../../base/writer.ts"
import { yjsEngine } from "./index.ts"

function jsonAfter(edit: (document: Y.Doc) => void): unknown {
  const document = new Y.Doc({ guid: "json" })
  edit(document)
  return yjsEngine.toJson(Y.encodeStateAsUpdate(document))
}

describe("roots are told apart by what is live in them", () => {
  test("text, map, array and XML", () => {
    const json = jsonAfter((document) => {
      document.getText("text").insert(0, "hello", { bold: true })
      document.getText("text").insertEmbed(0, { image: 1 })
      document.getMap("map").set("b", 1)
      document.getMap("map").set("a", new Y.Map([["inner", new Y.Text("t")]]))
      document.getArray("array").push([1, new Y.Array(), "two", null])
      const element = new Y.XmlElement("P")
      document.getXmlFragment("xml").push([element, new Y.XmlText("tail"), new Y.XmlElement("br")])
      element.setAttribute("class", "c")
      element.push([new Y.XmlText("in")])
    })
    expect(json).toEqual({
      array: [1, [], "two", null],
      map: { a: { inner: "t" }, b: 1 },
      text: "hello",
      xml: [
        { attributes: { class: "c" }, children: ["in"], name: "P" },
        "tail",
        { attributes: {}, children: [], name: "br" },
      ],
    })
    expect(JSON.stringify(json)).toMatch(/^\{"array":.*"map":\{"a".*"text":.*"xml":/)
  })

  test("a root with both children and attributes", () => {
    const json = jsonAfter((document) => {
      const root = document.get("root", Y.XmlElement)
      root.setAttribute("id", "1")
      root.push([new Y.XmlText("in")])
    })
    expect(json).toEqual({ root: { attributes: { id: "1" }, children: ["in"] } })
  })

  test("a root with nothing live in it is left out", () => {
    const json = jsonAfter((document) => {
      document.getText("text").insert(0, "gone")
      document.getText("text").delete(0, 4)
      document.getMap("map").set("k", 1)
      document.getMap("map").delete("k")
      document.getArray("never used")
    })
    expect(json).toEqual({})
  })

  test("a text of which only formats are left is still a text", () => {
    const json = jsonAfter((document) => {
      document.getText("text").insertEmbed(0, {})
    })
    expect(json).toEqual({ text: "" })
  })
})

test("values that JSON does not have", () => {
  const json = jsonAfter((document) => {
    document
      .getArray("r")
      .push([
        { bytes: Uint8Array.of(1, 2, 255), big: 12n, bigger: 2n ** 60n, none: undefined },
        Number.NaN,
        Number.POSITIVE_INFINITY,
        -0,
        Uint8Array.of(9),
        new Y.Doc({ guid: "sub" }),
      ])
  })
  expect(json).toEqual({
    r: [
      { big: 12, bigger: "1152921504606846976", bytes: "AQL/", none: null },
      null,
      null,
      0,
      "CQ==",
      { guid: "sub" },
    ],
  })
})

test("a key __proto__ is a key", () => {
  const json = yjsEngine.toJson(
    Y.encodeStateAsUpdate(
      ((document: Y.Doc) => {
        document.getMap("__proto__").set("__proto__", JSON.parse('{"__proto__":{"polluted":1}}'))
        return document
      })(new Y.Doc({ guid: "json" })),
    ),
  )
  expect(Object.keys(json ?? {})).toEqual(["__proto__"])
  expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false)
  expect(JSON.stringify(json)).toBe('{"__proto__":{"__proto__":{}}}')
})

test("types inside each other without end are too much, but only for their own document", () => {
  const depth = 20_000
  const writer = new Writer().varUint(1).varUint(depth).varUint(1).varUint(0)
  writer.u8(7).varUint(1).string("r").varUint(0)
  for (let clock = 0; clock < depth - 1; clock++)
    writer.u8(7).varUint(0).varUint(1).varUint(clock).varUint(0)
  const update = writer.varUint(0).finish()
  expect(yjsEngine.validate(update).spans).toEqual([{ writer: "1", from: 0, to: depth }])
  expect(() => yjsEngine.toJson(update)).toThrow("Yjs cannot read this")
})
