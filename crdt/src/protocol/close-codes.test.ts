/** The close codes against the specification's table, and against what WebSockets allow. */
import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { utf8Encode } from "../base/index.ts"
import { closeCodes, mayRetry } from "./index.ts"

const entries = Object.entries(closeCodes).map(([name, entry]) => ({ name, ...entry }))

/** Rows of the table under the heading "Close codes". */
function documented(): { name: string; code: number; retry: boolean }[] {
  const spec = readFileSync(new URL("../../../docs/protocol.md", import.meta.url), "utf8")
  const section = spec.slice(spec.indexOf("\n## Close codes\n"))
  const rows = section.split("\n").filter((line) => line.startsWith("|"))
  expect(rows[0]).toBe("| code | name | again? |")
  return rows.slice(2).map((row) => {
    const [code = "", name = "", again = ""] = row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim())
    expect(["yes", "no"]).toContain(again)
    return { name, code: Number(code), retry: again === "yes" }
  })
}

test("[F4] no close code is used twice", () => {
  const codes = entries.map(({ code }) => code)
  expect(new Set(codes).size).toBe(codes.length)
})

test("[F4] exactly the codes 4400–4499 are permanent", () => {
  for (const { name, code, retry } of entries) {
    expect(retry, name).toBe(code < 4400 || code > 4499)
    expect(mayRetry(code), name).toBe(retry)
  }
  for (const code of [1000, 1001, 1006, 1012, 4399, 4500, 4999]) expect(mayRetry(code)).toBe(true)
  for (const code of [4400, 4401, 4450, 4499]) expect(mayRetry(code)).toBe(false)
})

test("[F4] the table in docs/protocol.md is the table in code", () => {
  const byCode = (left: { code: number }, right: { code: number }): number => left.code - right.code
  const inCode = entries.map(({ name, code, retry }) => ({ name, code, retry })).toSorted(byCode)
  expect(documented()).toHaveLength(entries.length)
  expect(documented().toSorted(byCode)).toEqual(inCode)
})

test("[F4] every code and sentence fits a WebSocket close frame (RFC 6455 §5.5, §7.4)", () => {
  for (const { name, code, says } of entries) {
    const registered = code === 1001 || code === 1012
    expect(registered || (code >= 4000 && code <= 4999), name).toBe(true)
    expect(says.length, name).toBeGreaterThan(0)
    expect(utf8Encode(says).length, name).toBeLessThanOrEqual(123)
    expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/)
  }
})
