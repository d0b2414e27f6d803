/** Which JWTs are taken. Those that are not are made by the library itself, or by hand. */
import { SignJWT } from "jose"
import { describe, expect, test } from "vitest"
import { jwtAuthenticate, signToken } from "./jwt.ts"

const secret = new TextEncoder().encode("thirty-two bytes of secret, or more than that")
const other = new TextEncoder().encode("thirty-two other bytes that nobody was given")
const authenticate = jwtAuthenticate(secret)

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url")
}

const soon = Math.floor(Date.now() / 1000) + 3600

test("a token names its user and its end, with some seconds for clocks that differ", async () => {
  const before = Math.floor(Date.now() / 1000)
  const found = await authenticate(await signToken(secret, "ada", 60_000))
  if ("refused" in found) throw new Error(found.refused)
  expect(found.user).toBe("ada")
  const { expiresAtMs = 0 } = found
  expect(expiresAtMs / 1000 - before).toBeGreaterThanOrEqual(65)
  expect(expiresAtMs / 1000 - before).toBeLessThan(70)
})

describe("refused", () => {
  const signed = (claims: Record<string, unknown>, alg = "HS256", by = secret) => {
    return new SignJWT(claims).setProtectedHeader({ alg }).sign(by)
  }

  test.each([
    ["none", async () => ""],
    ["what is no token", async () => "a token"],
    ["another secret", () => signToken(other, "ada", 60_000)],
    ["another algorithm", () => signed({ sub: "ada", exp: soon }, "HS512")],
    ["no algorithm", async () => `${part({ alg: "none" })}.${part({ sub: "ada", exp: soon })}.`],
    ["no user", () => signed({ exp: soon })],
    ["no end", () => signed({ sub: "ada" })],
    ["a user that is no text", () => signed({ sub: 7, exp: soon })],
    ["a user without a name", () => signed({ sub: "", exp: soon })],
    ["an end that is no number", () => signed({ sub: "ada", exp: "tomorrow" })],
    ["one that is over", () => signed({ sub: "ada", exp: soon - 3610 })],
    ["one that is not good yet", () => signed({ sub: "ada", exp: soon, nbf: soon - 3590 })],
  ])("%s", async (_, token) => {
    expect(await authenticate(await token())).toEqual({ refused: expect.any(String) })
  })
})
