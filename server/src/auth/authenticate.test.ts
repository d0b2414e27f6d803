/** The bounds of what checks tokens, and that whatever it says or does becomes an answer. */
import { afterEach, describe, expect, test, vi } from "vitest"
import { TokenChecks } from "./authenticate.ts"
import type { Authenticate, Identity } from "./authenticate.ts"

afterEach(() => void vi.useRealTimers())

function check(authenticate: Authenticate, token = "t") {
  return new TokenChecks(authenticate).check(token)
}

/** A program without types may say anything. */
function untyped(answer: unknown): Authenticate {
  // cast: as said.
  return () => answer as Identity
}

describe("what becomes of an answer", () => {
  test("a user and an end", async () => {
    vi.useFakeTimers({ now: 1_000_000 })
    const found = await check((token) => ({ user: token, expiresAtMs: 1_060_000 }), "ada")
    expect(found).toEqual({ type: "valid", user: "ada", forMs: 60_000 })
    expect(await check(() => ({ user: "ada" }))).toMatchObject({ forMs: Infinity })
  })

  test("a refusal, and what is over", async () => {
    expect(await check(() => ({ refused: "who?" }))).toEqual({ type: "refused", reason: "who?" })
    const over = await check(() => ({ user: "ada", expiresAtMs: Date.now() - 1 }))
    expect(over).toEqual({ type: "refused", reason: "the token is over" })
  })

  test.each([
    ["throws", () => Promise.reject(new Error("no database")), "no database"],
    ["says nothing", untyped(undefined), "Cannot use 'in' operator"],
    ["names no user", untyped({ user: 7 }), "neither a user"],
    ["gives no time", () => ({ user: "ada", expiresAtMs: Number.NaN }), "neither a user"],
  ])("one that %s says that nobody can know now", async (_, authenticate, message) => {
    const found = await check(authenticate)
    expect(found).toMatchObject({ type: "failed", message: expect.stringContaining(message) })
  })
})

test("one that takes too long is told so, given up, and counts until it answers", async () => {
  vi.useFakeTimers()
  const answers: (() => void)[] = []
  const signals: AbortSignal[] = []
  const results: string[] = []
  const authenticate: Authenticate = async (_, signal) => {
    signals.push(signal)
    await new Promise<void>((resolve) => answers.push(resolve))
    return { user: "ada" }
  }
  const checks = new TokenChecks(authenticate, ({ type }) => results.push(type))
  const all = Array.from({ length: 1024 }, () => checks.check("t"))
  expect(await checks.check("t")).toEqual({
    type: "failed",
    message: "too many tokens are being checked",
  })
  await vi.advanceTimersByTimeAsync(5000)
  expect(signals.every(({ aborted }) => aborted)).toBe(true)
  const late = { type: "failed", message: "the check took too long" }
  expect(await Promise.all(all)).toEqual(all.map(() => late))
  expect(await checks.check("t")).toMatchObject({ message: "too many tokens are being checked" })
  for (const answer of answers) answer()
  await vi.advanceTimersByTimeAsync(0)
  const next = checks.check("t")
  answers.at(-1)?.()
  await expect(next).resolves.toMatchObject({ type: "valid", user: "ada" })
  expect(results.at(-1)).toBe("valid")
  expect(results.filter((type) => type === "failed")).toHaveLength(1024 + 2)
})

test("those that never answer are in nobody's way after a minute", async () => {
  vi.useFakeTimers()
  let isDown = true
  const checks = new TokenChecks(async () => {
    if (isDown) await new Promise(() => undefined)
    return { user: "ada" }
  })
  const all = Array.from({ length: 1024 }, () => checks.check("t"))
  await vi.advanceTimersByTimeAsync(5000)
  await Promise.all(all)
  isDown = false
  expect((await checks.check("t")).type).toBe("failed")
  await vi.advanceTimersByTimeAsync(60_000)
  const next = await Promise.all(Array.from({ length: 1024 }, () => checks.check("t")))
  expect(next.map(({ type }) => type)).toEqual(next.map(() => "valid"))
  expect((await checks.check("t")).type).toBe("valid")
})
