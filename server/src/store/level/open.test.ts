/** Folders that hold a LevelDB which this version can't open. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { close } from "@causeway/crdt/testing"
import { expect, onTestFinished, test } from "vitest"
import { LevelDatabase } from "./database.ts"
import { openHere } from "../test/same-thread.ts"
import { LEVEL_FOLDER, metaKey } from "./keys.ts"
import { encodeNumber, sealValue } from "./values.ts"

async function folder(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "causeway-level-open-"))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

async function put(directory: string, key: Buffer, value: Buffer): Promise<void> {
  const database = await LevelDatabase.open(join(directory, LEVEL_FOLDER))
  await database.write([[key, value]])
  await database.close()
}

test("somebody else's LevelDB is refused as no store, and left as it is", async () => {
  const directory = await folder()
  const key = Buffer.from("theirs")
  await put(directory, key, key)
  const opening = openHere.level({ directory, node: undefined })
  await expect(opening).rejects.toMatchObject({ code: "not-a-store" })
  const database = await LevelDatabase.open(join(directory, LEVEL_FOLDER))
  expect(database.get(key)).toEqual(key)
  await database.close()
})

test("a store of a newer version is refused", async () => {
  const directory = await folder()
  await close(await openHere.level({ directory, node: undefined }))
  const key = metaKey("format")
  await put(directory, key, sealValue(key, encodeNumber(99)))
  const opening = openHere.level({ directory, node: undefined })
  await expect(opening).rejects.toMatchObject({
    code: "newer-version",
    message: expect.stringContaining("99"),
  })
})
