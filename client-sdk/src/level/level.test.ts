import { describe } from "vitest"
import { join } from "node:path"
import { clientStorageContract } from "@causeway/crdt/testing"
import { temporaryFolderSync } from "../test/folders.ts"
import { levelStorage } from "./index.ts"

describe("Level storage", () => {
  clientStorageContract(() => {
    const name = join(temporaryFolderSync(), "storage")
    return { open: () => levelStorage(name) }
  })
})
