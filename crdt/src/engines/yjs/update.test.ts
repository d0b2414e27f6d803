import fc from "fast-check"
import { describe, expect, test } from "vitest"
import * as Y from "yjs"
import { bytesFromHex } from "../../base/bytes.ts"
import { Writer } from "../../base/writer.ts"
import { EngineError } from "../engine.ts"
import { yjsEngine } from "./index.ts"
import { clockMax, nestingMax, subdocumentsMax } from "./limits.ts"
import { anySteps, play } from "./test/history.ts"
import { readUpdate } from "./update.ts"

const seed = 20_250_103

/** What a refusal says, or undefined. Anything but the right EngineError fails the test. */
function refusal(update: Uint8Array): string | undefined {
  try {
    readUpdate(update)
    return undefined
  } catch (error) {
    if (error instanceof EngineError && error.code === "invalid-update") return error.message
    throw error
  }
}

/** One client's structs, each as bytes, and no deletions. */
function section(structs: readonly Uint8Array[], client = 1, clock = 0): Uint8Array {
  const writer = new Writer().varUint(1).varUint(structs.length).varUint(client).varUint(clock)
  for (const struct of structs) writer.raw(struct)
  return writer.varUint(0).finish()
}

/** An item in the root list "r". */
function item(ref: number, write: (writer: Writer) => void, flags = 0): Uint8Array {
  const writer = new Writer()
    .u8(ref | flags)
    .varUint(1)
    .string("r")
  write(writer)
  return writer.finish()
}

const text = (value: string) => item(4, (writer) => writer.string(value))
const gc = (length: number) => new Writer().u8(0).varUint(length).finish()
const skip = (length: number) => new Writer().u8(10).varUint(length).finish()
const embed = (json: string) => item(5, (writer) => writer.string(json))
const any = (hex: string) =>
  item(8, (writer) => writer.varUint(1).raw(bytesFromHex(hex) ?? new Uint8Array()))
const raw = (hex: string) => bytesFromHex(hex.replaceAll(" ", "")) ?? new Uint8Array()

function applies(update: Uint8Array): void {
  const document = new Y.Doc({ guid: "test" })
  Y.applyUpdate(document, update)
}

describe("what Yjs writes is accepted", () => {
  test("every kind of content, by several clients, with and without garbage collection", () => {
    const property = fc.property(anySteps, (steps) => {
      const { updates, clients } = play(steps)
      for (const update of updates) expect(refusal(update)).toBeUndefined()
      for (const { document } of clients) {
        expect(refusal(Y.encodeStateAsUpdate(document))).toBeUndefined()
      }
    })
    fc.assert(property, { seed, numRuns: 100 })
  })

  const written: readonly (readonly [string, ...Uint8Array[]])[] = [
    [
      "an array's content of before V1 had any",
      item(2, (writer) => writer.varUint(2).string("undefined").string('{"a":1}')),
    ],
    [
      "JSON with every escape",
      embed(String.raw`{"a":"\"\\\/\b\f\n\r\t\ud83d","b":[-1.5e+3,0,1E9,true,false,null]}`),
    ],
    ["white space around JSON", embed(" \t\r\n[ 1 , { } ] ")],
    ["deleted content", item(1, (writer) => writer.varUint(5))],
    [
      "a subdocument as a port of Yjs writes it",
      item(9, (writer) =>
        writer.string("guid").raw(raw("7602 026763 79 08656e636f64696e67 7a0000000000000001")),
      ),
    ],
    ["a hole", text("a"), skip(5), text("b")],
    ["a parent key's bit beside an origin", text("a"), raw("a4 01 00 01 62")],
  ]

  test.each(written.map(([name, ...structs]) => ({ name, structs })))("$name", ({ structs }) => {
    const update = section(structs)
    expect(refusal(update)).toBeUndefined()
    applies(update)
  })

  test("deleting clients in any order, as Yjs did before 13.6", () => {
    expect(refusal(raw("00 02 01 01 00 01 02 01 00 01"))).toBeUndefined()
  })
})

describe("what Yjs would stumble over is refused", () => {
  test.each([
    ["nothing", raw(""), "truncated"],
    ["trailing bytes", raw("00 00 00"), "trailing bytes"],
    ["an integer of nine bytes", raw("80 80 80 80 80 80 80 80 00 00"), "integer out of range"],
    ["an integer past 2^53", raw("ff ff ff ff ff ff ff 7f 00"), "integer out of range"],
    ["more structs than bytes", raw("01 ff ff 03 01 00 00"), "truncated"],
    ["a string longer than the rest", section([raw("04 01 01 72 7f 61")]), "truncated"],
    [
      "clients in ascending order",
      raw("02 01 01 00 00 01 01 02 00 00 01 00"),
      "clients out of order",
    ],
    ["a client twice", raw("02 01 01 00 00 01 01 01 05 00 01 00"), "clients out of order"],
    ["an empty text", section([text("")]), "empty struct"],
    ["an empty hole", section([skip(0)]), "empty struct"],
    ["collected garbage of no length", section([gc(0)]), "empty struct"],
    ["no values", section([item(8, (w) => w.varUint(0))]), "empty struct"],
    ["a hole with other bits", section([raw("8a 01")]), "unknown struct"],
    ["garbage with other bits", section([raw("80 01")]), "unknown struct"],
    [
      "content of a kind that does not exist",
      section([item(11, (w) => w.varUint(1))]),
      "unknown content",
    ],
    ["a type that does not exist", section([item(7, (w) => w.varUint(7))]), "unknown type"],
    ["a parent that is neither root nor id", section([raw("04 02 01 72 01 61")]), "unknown parent"],
    ["an origin in its own future", section([raw("84 01 00 01 61")]), "points at its own future"],
    ["itself as parent", section([raw("04 00 01 00 01 61")]), "points at its own future"],
    ["JSON that is none", section([embed("{a:1}")]), "not JSON"],
    ["JSON cut short", section([embed('{"a":[1,')]), "not JSON"],
    ["JSON and more", section([embed("1 2")]), "not JSON"],
    ["a number with a leading zero", section([embed("01")]), "not JSON"],
    ["undefined as an embed", section([embed("undefined")]), "not JSON"],
    ["a control character in JSON", section([embed('"\u0001"')]), "not JSON"],
    ["an unknown value", section([any("73")]), "unknown value"],
    [
      "a subdocument's guid replaced",
      section([item(9, (w) => w.string("g").raw(raw("7601 0467756964 7d01")))]),
      "banned option",
    ],
    [
      "subdocument options that are no object",
      section([item(9, (w) => w.string("g").u8(126))]),
      "options are no object",
    ],
    [
      "deleting from one client twice",
      raw("00 02 01 01 00 01 01 01 05 01"),
      "client deleted from twice",
    ],
    [
      "the same, not next to each other",
      raw("00 03 01 01 00 01 02 01 00 01 01 01 05 01"),
      "client deleted from twice",
    ],
    ["deleted ranges out of order", raw("00 01 01 02 05 01 00 01"), "deleted ranges out of order"],
    ["an empty deleted range", raw("00 01 01 01 05 00"), "empty deleted range"],
  ])("%s", (_, update, message) => {
    expect(refusal(update)).toContain(message)
  })

  test.each([
    "c0 80",
    "ed a0 80",
    "f5 80 80 80",
    "f4 90 80 80",
    "e0 80 80",
    "f0 80 80 80",
    "80",
    "e2 82",
    "c3 28",
  ])("text that is not UTF-8: %s", (hex) => {
    const bytes = raw(hex)
    expect(() => new TextDecoder("utf-8", { fatal: true }).decode(bytes)).toThrow("not valid")
    const update = section([item(4, (writer) => writer.bytes(bytes))])
    expect(refusal(update)).toContain("not UTF-8")
  })
})

describe("limits, on both sides", () => {
  test("nesting of values", () => {
    const nested = (depth: number) => section([any("7501".repeat(depth) + "7e")])
    expect(refusal(nested(nestingMax))).toBeUndefined()
    expect(refusal(nested(nestingMax + 1))).toContain("nested too deep")
    expect(refusal(nested(100_000))).toContain("nested too deep")
    yjsEngine.compact(nested(nestingMax))
  })

  test("nesting of JSON", () => {
    const nested = (depth: number) => section([embed("[".repeat(depth) + "]".repeat(depth))])
    expect(refusal(nested(nestingMax))).toBeUndefined()
    expect(refusal(nested(nestingMax + 1))).toContain("nested too deep")
  })

  test("clocks", () => {
    expect(refusal(section([gc(clockMax)]))).toBeUndefined()
    expect(refusal(section([gc(clockMax)], 1, 1))).toContain("clock out of range")
    const deletes = (end: number) =>
      new Writer()
        .varUint(0)
        .varUint(1)
        .varUint(1)
        .varUint(1)
        .varUint(end - 1)
        .varUint(1)
        .finish()
    expect(refusal(deletes(clockMax))).toBeUndefined()
    expect(refusal(deletes(clockMax + 1))).toContain("clock out of range")
  })

  test("client ids", () => {
    const update = section([text("a")], Number.MAX_SAFE_INTEGER)
    expect(refusal(update)).toBeUndefined()
    applies(update)
  })

  test("subdocuments", () => {
    const subdocument = item(9, (writer) => writer.string("g").raw(raw("7600")))
    const many = (count: number) => section(Array.from({ length: count }, () => subdocument))
    expect(refusal(many(subdocumentsMax))).toBeUndefined()
    expect(refusal(many(subdocumentsMax + 1))).toContain("too many subdocuments")
  })
})

describe("facts", () => {
  test("spans leave holes out; waits name foreign origins, parents and what is deleted", () => {
    const update = raw(
      // Client 9 from clock 4: "ab" after (5, 3); a hole of 3; "c" between (5, 2) and (6, 8).
      "01 03 09 04 84 05 03 02 6162 0a 03 c4 05 02 06 08 01 63 " +
        // Deletes 2..5 and 7..8 of client 5.
        "01 05 02 02 03 07 01",
    )
    expect(readUpdate(update)).toEqual({
      spans: [
        { writer: "9", from: 4, to: 6 },
        { writer: "9", from: 9, to: 10 },
      ],
      waits: [
        { writer: "9", at: 4, on: "5", clock: 3 },
        { writer: "9", at: 9, on: "6", clock: 8 },
        { writer: undefined, at: 0, on: "5", clock: 7 },
      ],
      needs: [],
      gives: [],
    })
  })
})
