import { storeContract } from "@causeway/crdt/testing"
import type { StoreUnderTest } from "@causeway/crdt/testing"
import { newMemoryLog, openMemoryStore } from "./memory.ts"

const memory: StoreUnderTest = {
  fixture: async () => {
    const log = newMemoryLog()
    return {
      open: async (doubt) => openMemoryStore({ log, doubt }),
      remove: async () => undefined,
    }
  },
  supports: { durable: true, damage: false, crash: undefined },
  modelRuns: 200,
}

storeContract("memory", memory)
