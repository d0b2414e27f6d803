/** A database that is let go of while it opens, or while it is read for the first time. */
import { join } from "node:path"
import { parseClientId } from "@causeway/crdt/base"
import type { LoadResult } from "@causeway/crdt/ports"
import { Level } from "level"
import { expect, onTestFinished, test, vi } from "vitest"
import { temporaryFolder } from "../test/world.ts"
import { levelStorage } from "./index.ts"
import { LevelRecords } from "./level-records.ts"

const fresh = parseClientId("f".repeat(32))

function load(name: string): Promise<LoadResult> {
  if (fresh === undefined) throw new Error("no client id")
  const id = fresh
  return new Promise((resolve) => levelStorage(name).load(id, resolve))
}

test("[C11] a database that nobody waits for is closed once it opens", async () => {
  const name = join(await temporaryFolder(), "app")
  // Else it might be closed as garbage.
  const close = vi.spyOn(Level.prototype, "close")
  onTestFinished(() => close.mockRestore())
  const records = new LevelRecords(name)
  const opening = records.open()
  await Promise.resolve()
  records.forgo()
  await expect(opening).rejects.toMatchObject({ code: "closed" })
  await expect(records.batch([])).rejects.toMatchObject({ code: "closed" })
  await vi.waitFor(() => expect(close).toHaveBeenCalledOnce())
  await vi.waitFor(async () => expect(await load(name)).toMatchObject({ ok: true }))
})

test("[C11] nor is it used, if it was open already", async () => {
  const name = join(await temporaryFolder(), "app")
  const records = new LevelRecords(name)
  await records.open()
  records.forgo()
  await expect(records.batch([])).rejects.toMatchObject({ code: "closed" })
  await vi.waitFor(async () => expect(await load(name)).toMatchObject({ ok: true }))
})

test("[C11] storage that a client has is not taken from it by another that waited", async () => {
  const name = join(await temporaryFolder(), "app")
  if (fresh === undefined) throw new Error("no client id")
  const storage = levelStorage(name)
  const id = fresh
  await new Promise((resolve) => storage.load(id, resolve))
  storage.forgo?.()
  const stored = await new Promise((resolve) => storage.list(resolve))
  expect(stored).toEqual({ ok: true, documents: [] })
  expect(await load(name)).toMatchObject({ ok: false, code: "blocked" })
})
