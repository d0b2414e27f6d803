import { storeContract } from "@causeway/crdt/testing"
import { newMemoryLog, openMemoryStore } from "./memory.ts"

storeContract("memory", {
  fixture: async () => {
    const log = newMemoryLog()
    return {
      open: async (doubt) => openMemoryStore({ log, doubt }),
      remove: async () => undefined,
    }
  },
  supports: { durable: true, damage: false, crash: undefined },
  modelRuns: 200,
})
