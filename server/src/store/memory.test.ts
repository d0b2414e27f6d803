import { storeContract } from "@causeway/crdt/testing"
import { openMemoryStore } from "./memory.ts"

storeContract("memory", {
  fixture: async () => ({
    open: async () => openMemoryStore({ node: undefined }),
    remove: async () => undefined,
  }),
  supports: { durable: false, crash: undefined },
  modelRuns: 200,
})
