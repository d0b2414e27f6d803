import { availableParallelism } from "node:os"
import { join } from "node:path"
import { defineConfig } from "vitest/config"

// Stores and jobs run in threads, which a test starts by the dozen: compiled code is kept for them.
process.env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, "node_modules/.cache/tests")

export default defineConfig({
  test: {
    include: ["{crdt,server,client-sdk,sim,bench}/**/*.test.ts", "*.test.ts"],
    setupFiles: ["crdt/src/testing/compare-vectors.ts"],
    // Many tests wait for disks, sockets and processes, so three pay even on two cores.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    // A worker has several threads with WebAssembly: see server/bin/causeway.js.
    execArgv: ["--wasm-wrapper-tiering-budget=2000000000"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
