import { describe } from "vitest"
import { join } from "node:path"
import { clientStorageContract } from "@causeway/crdt/testing"
import { temporaryFolderSync } from "../test/folders.ts"
import { sqliteStorage } from "./index.node.ts"

describe("SQLite storage", () => {
  clientStorageContract(() => {
    const file = join(temporaryFolderSync(), "storage.db")
    return { open: () => sqliteStorage(file) }
  })
})
