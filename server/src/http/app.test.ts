/** What HTTP tells whom, with a status that no real node comes to by itself. */
import { expect, test } from "vitest"
import { documentIdOf, parseNodeId } from "@causeway/crdt/base"
import { TokenChecks } from "../auth/authenticate.ts"
import { createApp } from "./app.ts"
import type { AppOptions } from "./app.ts"

const document = documentIdOf("yjs", "a secret name")
const peer = parseNodeId("n2")

async function divergencesFor(tokens: TokenChecks | undefined, token?: string): Promise<unknown> {
  const listed = [{ document, peer, sinceMs: 1, ours: "aa", theirs: "bb" }]
  const status = { node: "n1", divergences: { found: 1, listed, undigested: 0 } }
  const options: unknown = { status: () => status, tokens }
  // cast: the one route that is asked here needs no more of it.
  const app = createApp(options as AppOptions)
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const body: unknown = await (await app.request("/v1/status", { headers })).json()
  const isStatus = typeof body === "object" && body !== null && "divergences" in body
  return isStatus ? body.divergences : undefined
}

test("[N22] where tokens are checked, a status names documents only to who shows one", async () => {
  const authenticate = (token: string) => (token === "good" ? { user: "ada" } : { refused: "no" })
  const tokens = new TokenChecks(authenticate)
  const named = { found: 1, listed: [expect.objectContaining({ document, ours: "aa" })] }
  expect(await divergencesFor(undefined)).toMatchObject(named)
  expect(await divergencesFor(tokens, "good")).toMatchObject(named)
  for (const token of [undefined, "bad"]) {
    const told = await divergencesFor(tokens, token)
    expect(told).toMatchObject({ found: 1, listed: [{ peer, ours: "aa" }] })
    expect(JSON.stringify(told)).not.toContain("secret")
  }
})
