#!/usr/bin/env node
// Runs on any Node that has modules, so that an old one is told what is missing.
const [major, minor] = process.versions.node.split(".").map(Number)

if (major > 22 || (major === 22 && minor >= 18)) {
  const { main } = await import("../src/cli/main.ts")
  await main(process.argv.slice(2))
} else {
  process.stderr.write(
    `causeway: needs Node 22.18 or newer, this is ${process.versions.node}; ` +
      "in the repository, npm start and npx causeway bring their own\n",
  )
  process.exitCode = 1
}
