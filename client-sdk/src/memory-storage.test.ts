import { describe } from "vitest"
import { clientStorageContract } from "@causeway/crdt/testing"
import { memoryStorage } from "./memory-storage.ts"

describe("memory storage", () => {
  clientStorageContract(() => {
    const storage = memoryStorage()
    return { open: () => storage }
  })
})
