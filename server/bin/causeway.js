#!/usr/bin/env node
// Runs on any Node that has modules, so that an old one is told what is missing.
import module from "node:module"
import { fileURLToPath } from "node:url"

/**
 * What can only be said to V8 when the process starts, so the process starts again in place: same
 * id, same streams, 40 ms later.
 *
 * V8 lets its young generation grow to 96 MB and never gives it back. With 4 MB a node of 3,000
 * documents takes 30 MB less, and as much CPU if its many small collections wake no helper threads.
 *
 * V8 of Node 22 to 26 can abort a process of several threads with WebAssembly ("Check failed:
 * jit_page.has_value()", nodejs/node#64500) when it replaces the wrapper of an import that was
 * called often. With a budget never used up the first wrapper stays, at no cost that could be
 * measured.
 */
const flags = [
  "--max-semi-space-size=4",
  "--no-parallel-scavenge",
  "--wasm-wrapper-tiering-budget=2000000000",
]

function restartWithFlags() {
  const given = `${process.execArgv.join(" ")} ${process.env.NODE_OPTIONS ?? ""}`
  if (process.execve === undefined || process.platform === "win32") return
  if (given.includes("semi-space")) return
  const args = [...process.execArgv, ...flags, ...process.argv.slice(1)]
  process.execve(process.execPath, [process.execPath, ...args], process.env)
}

const [major, minor] = process.versions.node.split(".").map(Number)

if (major > 22 || (major === 22 && minor >= 18)) {
  restartWithFlags()
  // Compiled code is kept beside the installation, not in a folder that others can write: it
  // spares half of the start-up time, and in each thread 20 MB for the TypeScript loader. The
  // variable is for the threads. Best effort.
  const cache = fileURLToPath(new URL("../../node_modules/.cache/causeway", import.meta.url))
  process.env.NODE_COMPILE_CACHE ??= cache
  module.enableCompileCache()
  const { main } = await import("../src/cli/main.ts")
  await main(process.argv.slice(2))
} else {
  process.stderr.write(
    `causeway: needs Node 22.18 or newer, this is ${process.versions.node}; ` +
      "in the repository, npm start and npx causeway bring their own\n",
  )
  process.exitCode = 1
}
