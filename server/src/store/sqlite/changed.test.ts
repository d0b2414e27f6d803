/** A search for what changed that takes too long, and is given up. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { VersionVector } from "@causeway/crdt/clock"
import { append, close, read, testDocument, testRecord } from "@causeway/crdt/testing"
import { openHere } from "../test/same-thread.ts"

test("[K4] a search for changes that is given up leaves the store free to write", async () => {
  const directory = await mkdtemp(join(tmpdir(), "causeway-changed-"))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const store = await openHere.sqlite({ directory, node: undefined })
  onTestFinished(() => close(store))
  const document = testDocument("a")
  // More rows than it looks at one by one.
  const own = Array.from({ length: 25_000 }, () => testRecord({ document }))
  expect(await append(store, { own })).toMatchObject({ ok: true })
  const since = new VersionVector()
  const changed = { type: "changed", since, after: undefined, limit: 10 } as const
  expect(await read(store, changed)).toMatchObject({ type: "changed", documents: [{ document }] })
  expect(await append(store, { own: [testRecord({ document })] })).toMatchObject({ ok: true })
})
